"""Contacts by the rows of another table that name them, asked for in the way that suits how many rows there are.

Few are looked up. Of many, a page is full long before all were read, so contacts are walked in the order of the page and
each is probed; who counts, or finds next to nobody that way, has the tables joined instead. PostgreSQL left to itself
guesses which of these it is, often wrongly.
"""

from collections.abc import Callable
from typing import Final

from django.db import models
from django.db.models import Exists, OuterRef, Q, Subquery
from django.db.models.lookups import IsNull

from common.planner import by_index

__all__ = ["FEW", "Ask", "Asking"]

FEW: Final = 3_000
"""Looking up so many takes as long as walking the contacts until a page is full of them, among a million."""
_OURS: Final = {"contact_id": "id", "number": "number"}

Ask = Callable[[models.QuerySet[models.Model], str], Q]
"""The contacts whom some rows name by a column: "contact_id", or "number" for the preferred one."""


class Asking:
    """The two ways of asking. Whether rows are few is looked up once for both."""

    def __init__(self, few: int = FEW) -> None:
        self._limit = few
        self._found: dict[str, list[object]] = {}

    def walked(self, rows: models.QuerySet[models.Model], column: str) -> Q:
        """For a page: each contact is probed. (EXISTS would be joined, or its table be read whole.)"""
        probe = rows.order_by().filter(**{column: OuterRef(_OURS[column])}).values("tenant_id")[:1]
        return self._few(rows, column) or Q(IsNull(Subquery(probe), False))

    def joined(self, rows: models.QuerySet[models.Model], column: str) -> Q:
        """For a count, or for all of them."""
        same = rows.order_by().filter(**{column: OuterRef(_OURS[column])})
        return self._few(rows, column) or Q(Exists(same))

    def _few(self, rows: models.QuerySet[models.Model], column: str) -> Q | None:
        names = rows.order_by().values_list(column, flat=True)[: self._limit + 1]
        key = str(names.query)
        if key not in self._found:
            with by_index():
                self._found[key] = list(names)
        found = self._found[key]
        return Q((f"{_OURS[column]}__in", found)) if len(found) <= self._limit else None
