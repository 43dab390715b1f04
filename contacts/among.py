"""Contacts by the rows of another table that name them, asked for in the way that suits how many rows there are.

Few are looked up. Of many, a page is full long before all were read, so contacts are walked in the order of the page and
each is probed; who counts, or finds next to nobody that way, has the tables joined instead. PostgreSQL left to itself
guesses which of these it is, often wrongly.
"""

from collections.abc import Callable
from typing import Any, Final

from django.contrib.postgres.aggregates import ArrayAgg
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Exists, F, OuterRef, Q, Subquery, Value
from django.db.models.expressions import Func
from django.db.models.functions import Cast
from django.db.models.lookups import IsNull

from common.planner import by_index

__all__ = ["FEW", "Ask", "Asking", "known_few"]

FEW: Final = 12_000
"""Looking up so many takes as long as walking the contacts until a page is full of them, among a million."""
_OURS: Final = {"contact_id": "id", "number": "number"}

Ask = Callable[[models.QuerySet[models.Model], str], Q]
"""The contacts whom some rows name by a column: "contact_id", or "number" for the preferred one."""


class Asking:
    """The two ways of asking. Whether rows are few is looked up once for both."""

    def __init__(self, few: int = FEW) -> None:
        self._limit = few
        self._found: dict[str, Cast | None] = {}

    def walked(self, rows: models.QuerySet[models.Model], column: str) -> Q:
        """For a page: each contact is probed. (EXISTS would be joined, or its table be read whole.)"""
        probe = rows.order_by().filter(**{column: OuterRef(_OURS[column])}).values("tenant_id")[:1]
        return self._few(rows, column) or Q(IsNull(Subquery(probe), False))

    def joined(self, rows: models.QuerySet[models.Model], column: str) -> Q:
        """For a count, or for all of them."""
        same = rows.order_by().filter(**{column: OuterRef(_OURS[column])})
        return self._few(rows, column) or Q(Exists(same))

    def _few(self, rows: models.QuerySet[models.Model], column: str) -> Q | None:
        rows = rows.order_by()
        key = f"{column} {rows.query}"
        if key not in self._found:
            with by_index():
                self._found[key] = _names(rows, column, self._limit)
        found = self._found[key]
        return None if found is None else Q(_Among(F(_OURS[column]), found))


def known_few(asked: Q) -> bool | None:
    """Whether few contacts fulfil it, where asking has shown that already."""
    if asked.negated or len(asked.children) != 1 or not isinstance(asked.children[0], _Among | IsNull | Exists):
        return None
    return isinstance(asked.children[0], _Among)


class _Among(Func):
    """A column among the elements of an array: one parameter, however many they are."""

    template = "%(expressions)s)"
    arg_joiner = " = ANY("
    arity = 2
    output_field = models.BooleanField()


def _names(rows: models.QuerySet[models.Model, Any], column: str, limit: int) -> Cast | None:
    """What the rows name, as an array; None when they are more than ``limit``.

    They go from the database to the database again, so they stay the text that they come as.
    """
    if rows.values(column)[limit : limit + 1].exists():
        return None
    found = rows.values(column)[:limit].aggregate(names=Cast(ArrayAgg(column), models.TextField()))
    element = rows.model._meta.get_field(column.removesuffix("_id"))
    kind = models.UUIDField() if element.is_relation else models.TextField()
    return Cast(Value(found["names"] or "{}"), ArrayField(kind))
