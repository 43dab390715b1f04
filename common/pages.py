"""Keyset pagination: a page is found by the row before it, so page 10,000 costs what page 1 costs."""

from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from django.db import models

from common.ids import id_in

__all__ = ["PAGE_ROWS", "Page", "at_most", "page_by_id"]

PAGE_ROWS: Final = 50

ModelT = TypeVar("ModelT", bound=models.Model)


@dataclass(frozen=True, slots=True)
class Page(Generic[ModelT]):
    """Some rows, the cursor of the next page ("" at the end), and whether rows come before these."""

    rows: list[ModelT]
    next: str
    started: bool


def page_by_id(
    rows: models.QuerySet[ModelT], cursor: str | None, *, newest_first: bool = True, size: int = PAGE_ROWS
) -> Page[ModelT]:
    """A page in the order of the ids, which is the order of creation. A cursor that is no id starts at the front."""
    after = id_in(cursor)
    if after is not None:
        rows = rows.filter(id__lt=after) if newest_first else rows.filter(id__gt=after)
    found = list(rows.order_by("-id" if newest_first else "id")[: size + 1])
    more = len(found) > size
    return Page(found[:size], str(found[size - 1].pk) if more else "", after is not None)


def at_most(rows: models.QuerySet[ModelT], limit: int) -> int:
    """How many rows there are, counting no further than one past ``limit``."""
    return rows.order_by()[: limit + 1].count()
