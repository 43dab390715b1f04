"""Hours of the week on the clocks of time zones: when all of them are open, to the second.

What is open is a set of instants: those whose wall clock in a zone lies inside a window of that zone's day. So a night
on which clocks change needs no rule of its own: an hour that does not exist opens nothing, one that comes twice is
inside or outside both times. It is worked out a day of UTC at a time, by arithmetic on intervals.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

__all__ = [
    "ALWAYS",
    "DAY",
    "HORIZON",
    "LEAST_LEFT",
    "Clock",
    "Hours",
    "Interval",
    "Opening",
    "closes",
    "is_open",
    "next_open",
    "opening_at",
    "zone_named",
]

DAY: Final = 86_400
HORIZON: Final = timedelta(days=14)
"""Who is not reached in so long is not reached by waiting: somebody has to find out where they live."""

LEAST_LEFT: Final = timedelta(seconds=90)
"""In less than this before the end nothing is handed over any more: a call takes up to half a minute, and a provider
gets at least a whole one."""

Interval = tuple[int, int]
"""[start, end) in seconds: of a local day, or since 1970."""

ALWAYS: Final[Sequence[Interval]] = ((0, DAY),)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_STEP: Final = DAY // 4


@dataclass(frozen=True, eq=False, slots=True)
class Hours:
    """Open hours by weekday (Monday first), in force from ``since`` until before ``until``; else always open.

    With ``years`` the hours know the holidays of these years only; of any other year no day is open.
    """

    week: Sequence[Sequence[Interval]]
    holidays: frozenset[date] = frozenset()
    years: range | None = None
    since: date | None = None
    until: date | None = None

    def on(self, day: date) -> Sequence[Interval]:
        """The open hours of a local day."""
        if (self.since and day < self.since) or (self.until and day >= self.until):
            return ALWAYS
        if day in self.holidays or (self.years is not None and day.year not in self.years):
            return ()
        return self.week[day.weekday()]


Clock = tuple[ZoneInfo, tuple[Hours, ...]]
"""A time zone, and the hours that count by its clock."""


@lru_cache(maxsize=1024)
def zone_named(name: str) -> ZoneInfo | None:
    """The IANA zone; None for anything that is not one."""
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, LookupError):
        return None


@dataclass(frozen=True, slots=True)
class Opening:
    """Whether texts may go at a moment, and else from when: the first opening that has time left in it."""

    is_open: bool
    since: datetime | None
    """When it begins; the moment itself if it has begun, None if there is none in sight."""
    until: datetime | None


def opening_at(at: datetime, clocks: Sequence[Clock] | None) -> Opening:
    """The opening that a text of this moment goes in; ``clocks`` None: nobody can say."""
    if clocks is None:
        return Opening(is_open=False, since=None, until=None)
    end = closes(at, clocks)
    if end - at >= LEAST_LEFT:
        return Opening(is_open=True, since=at, until=end)
    since = next_open(end, clocks)
    return Opening(is_open=False, since=since, until=closes(since, clocks) if since else None)


def is_open(at: datetime, clocks: Sequence[Clock]) -> bool:
    """Whether the hours of all clocks are open at this instant."""
    return all(_open_on(zone, hours, at) for zone, hours in clocks)


def next_open(at: datetime, clocks: Sequence[Clock]) -> datetime | None:
    """The first instant, not before ``at``, at which all are open; None when there is none within the horizon."""
    if is_open(at, clocks):
        return at
    now = _seconds(at)
    last = now + int(HORIZON.total_seconds())
    for start, end in _openings(now, clocks):
        if end > now:
            return None if start > last else _EPOCH + timedelta(seconds=max(start, now))
    return None


def closes(at: datetime, clocks: Sequence[Clock]) -> datetime:
    """The end of the opening that ``at`` is in; ``at`` itself when it is in none, the horizon when it has no end."""
    now = end = _seconds(at)
    for opens, ends in _openings(now, clocks):
        if opens > end:
            break
        end = max(end, ends)
    return _EPOCH + timedelta(seconds=end) if end > now else at


def _open_on(zone: ZoneInfo, hours: Sequence[Hours], at: datetime) -> bool:
    local = at.astimezone(zone)
    second = local.hour * 3600 + local.minute * 60 + local.second
    return any(start <= second < end for start, end in _on(hours, local.date()))


def _openings(now: int, clocks: Sequence[Clock]) -> Iterator[Interval]:
    """When all are open, from the day of ``now`` to the horizon; what goes on over midnight UTC comes in two pieces."""
    first = now // DAY
    for day in range(first, first + HORIZON.days + 2):
        opened: Sequence[Interval] = ((day * DAY, (day + 1) * DAY),)
        for zone, hours in clocks:
            opened = _both(opened, _opened(zone, hours, day))
            if not opened:
                break
        yield from opened


@lru_cache(maxsize=4096)
def _opened(zone: ZoneInfo, hours: tuple[Hours, ...], day: int) -> Sequence[Interval]:
    """When a clock is open on a day of UTC."""
    found: list[Interval] = []
    for start, end, offset in _stretches(zone, day):
        for local_day in range((start + offset) // DAY, (end - 1 + offset) // DAY + 1):
            midnight = local_day * DAY - offset
            for opens, ends in _on(hours, (_EPOCH + timedelta(days=local_day)).date()):
                piece = max(start, midnight + opens), min(end, midnight + ends)
                if piece[0] < piece[1]:
                    found.append(piece)
    return tuple(sorted(found))


def _on(hours: Sequence[Hours], day: date) -> Sequence[Interval]:
    opened = ALWAYS
    for one in hours:
        opened = _both(opened, one.on(day))
    return opened


def _both(some: Sequence[Interval], others: Sequence[Interval]) -> Sequence[Interval]:
    """What is in both."""
    pieces = ((max(a, c), min(b, d)) for a, b in some for c, d in others)
    return tuple(sorted(piece for piece in pieces if piece[0] < piece[1]))


@lru_cache(maxsize=4096)
def _stretches(zone: ZoneInfo, day: int) -> Sequence[tuple[int, int, int]]:
    """A day of UTC in stretches of one offset each: (start, end, offset). Nowhere do clocks change twice in six hours."""
    start, end = day * DAY, (day + 1) * DAY
    edges = [start]
    for step in range(start, end, _STEP):
        before, after = step, step + _STEP
        if _offset(zone, before) != _offset(zone, after):
            while after - before > 1:
                middle = (before + after) // 2
                before, after = (middle, after) if _offset(zone, middle) == _offset(zone, before) else (before, middle)
            if after < end:
                edges.append(after)
    return tuple((begin, finish, _offset(zone, begin)) for begin, finish in zip(edges, [*edges[1:], end], strict=True))


def _offset(zone: ZoneInfo, second: int) -> int:
    offset = (_EPOCH + timedelta(seconds=second)).astimezone(zone).utcoffset()
    return int(offset.total_seconds()) if offset else 0


def _seconds(at: datetime) -> int:
    return (at.astimezone(UTC) - _EPOCH) // timedelta(seconds=1)
