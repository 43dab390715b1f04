"""Everything that happened with one person, in the order of time, page by page.

Each source is asked for no more than a page, by an index, and the answers are merged: the page of somebody who texts
all day costs what the page of anybody costs.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from heapq import merge
from itertools import islice
from typing import Final, TypeVar
from uuid import UUID

from django.db import models
from django.db.models import Q

from analytics import happenings
from analytics.happenings import Event, Newest
from contacts.models import Contact

__all__ = ["KINDS", "SHOWN", "Event", "TimelinePage", "timeline"]

SHOWN: Final = 40

KINDS: Final[Mapping[str, str]] = {
    "message": "Texts",
    "inbound": "Answers",
    "consent": "Consent",
    "note": "Notes",
    "import": "Imports",
    "change": "Changes",
}
"""What a timeline can be narrowed to."""

_BY_NUMBER: Final[Mapping[str, Callable[[str, Newest], Iterator[Event]]]] = {
    "message": happenings.messages,
    "inbound": happenings.inbound,
    "consent": happenings.consent,
}
_BY_CONTACT: Final[Sequence[tuple[str, Callable[[Contact, Newest], Iterator[Event]]]]] = (
    ("import", happenings.imports),
    ("note", happenings.notes),
    ("change", happenings.changes),
    ("change", happenings.bulk_actions),
)

ModelT = TypeVar("ModelT", bound=models.Model)


@dataclass(frozen=True, slots=True)
class TimelinePage:
    """Some events, newest first; ``older`` is the cursor of the next page, "" at the end."""

    events: list[Event]
    older: str
    started: bool


def timeline(
    contact: Contact, numbers: Sequence[str], *, kind: str = "", before: str = "", limit: int = SHOWN
) -> TimelinePage:
    """What happened with a person and their numbers before a cursor, newest first. An unknown kind narrows nothing."""
    place = _place(before)
    newest = _Newest(place, limit + 1)
    wanted = {kind} if kind in KINDS else KINDS.keys()
    streams = [
        *(source(number, newest) for name, source in _BY_NUMBER.items() if name in wanted for number in numbers),
        *(source(contact, newest) for name, source in _BY_CONTACT if name in wanted),
    ]
    found = list(islice(merge(*streams, key=_order, reverse=True), limit + 1))
    more = len(found) > limit
    older = f"{found[limit - 1].at.isoformat()}~{found[limit - 1].id}" if more else ""
    return TimelinePage(found[:limit], older, place is not None)


def _order(event: Event) -> tuple[datetime, UUID]:
    """Two events of one moment keep their order from page to page."""
    return event.at, event.id


@dataclass(frozen=True, slots=True)
class _Newest:
    """The newest rows before a place."""

    place: tuple[datetime, UUID] | None
    limit: int

    def __call__(self, rows: models.QuerySet[ModelT], at: str) -> list[ModelT]:
        if self.place is not None:
            moment, last = self.place
            rows = rows.filter(Q(**{f"{at}__lte": moment}), Q(**{f"{at}__lt": moment}) | Q(id__lt=last))
        return list(rows.order_by(f"-{at}", "-id")[: self.limit])


def _place(cursor: str) -> tuple[datetime, UUID] | None:
    moment, _, last = cursor.partition("~")
    try:
        at, event_id = datetime.fromisoformat(moment), UUID(last)
    except ValueError:
        return None
    return (at, event_id) if at.tzinfo else None
