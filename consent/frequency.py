"""How often somebody may be texted: limits over a rolling window, and when the next text fits in.

Pure: what was sent comes from ``messaging.pipeline.frequency``, the limits from ``consent.frequency_limits``.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

__all__ = ["OWN", "Full", "Limit", "Sent", "most_restrictive"]

OWN: Final = "own"
"""Whose limit it is when it is no law's."""

_STEP: Final = timedelta(minutes=15)
"""Texts that wait for their window wake at the quarters of an hour, so that they share a batch."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

Sent = tuple[datetime, str]
"""When a text was handed over, and its purpose."""


@dataclass(frozen=True, slots=True)
class Limit:
    """At most so many texts in any window of so many hours."""

    texts: int
    hours: int
    counts: frozenset[str]
    """The purposes whose texts fill the window."""
    whose: str = OWN
    """A jurisdiction such as "US-FL", or ``OWN``."""

    @property
    def window(self) -> timedelta:
        return timedelta(hours=self.hours)


@dataclass(frozen=True, slots=True)
class Full:
    """A limit that is reached, and when it is not any more."""

    limit: Limit
    sent: int
    free_at: datetime

    @property
    def wakes_at(self) -> datetime:
        """The quarter of an hour at which, or after which, another text fits in."""
        return self.free_at + (_EPOCH - self.free_at) % _STEP

    def as_data(self) -> dict[str, object]:
        """The numbers that are stored with the decision."""
        return {
            "sent": self.sent,
            "limit": self.limit.texts,
            "hours": self.limit.hours,
            "whose": self.limit.whose,
            "next_at": self.free_at.isoformat(),
        }


def most_restrictive(limits: Iterable[Limit], sent: Collection[Sent], at: datetime) -> Full | None:
    """Of the limits that are reached at that moment the one that lasts longest; None when another text fits into all."""
    found = [full for limit in limits if (full := _reached(limit, sent, at))]
    return max(found, key=lambda full: full.free_at) if found else None


def _reached(limit: Limit, sent: Collection[Sent], at: datetime) -> Full | None:
    times = _in_window(limit, sent, at)
    if len(times) < limit.texts:
        return None
    # When the text that stands at the limit's place from the newest leaves the window, one place is free.
    return Full(limit, len(times), times[limit.texts - 1] + limit.window)


def _in_window(limit: Limit, sent: Collection[Sent], at: datetime) -> Sequence[datetime]:
    """Newest first."""
    since = at - limit.window
    return sorted((when for when, purpose in sent if purpose in limit.counts and when > since), reverse=True)
