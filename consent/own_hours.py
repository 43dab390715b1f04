"""The hours that a tenant chose for its texts, or those that hold until it does."""

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final

from consent.models import OwnHours
from consent.purposes import Purpose
from consent.quiet_hours import WEEKDAYS, week_from
from consent.windows import ALWAYS, Hours
from tenants import audit

__all__ = ["ANY_HOUR", "PURPOSES_WITH_HOURS", "Week", "in_words", "own_hours", "set_own_hours", "week_in_force"]

Week = Mapping[str, Sequence[Sequence[str]]]

ANY_HOUR: Final[Week] = {day: [["00:00", "24:00"]] for day in WEEKDAYS}

PURPOSES_WITH_HOURS: Final = (Purpose.MARKETING, Purpose.REMINDER, Purpose.TRANSACTIONAL)

_DEFAULTS: Final[Mapping[str, Week]] = {
    # The law's hours are counted beside these.
    Purpose.MARKETING: ANY_HOUR,
    # No law of hours reaches what people asked for; nobody wants it at night.
    Purpose.REMINDER: {day: [["08:00", "20:30"]] for day in WEEKDAYS},
    # Somebody who ordered something a minute ago is awake.
    Purpose.TRANSACTIONAL: ANY_HOUR,
}


def week_in_force(purpose: str) -> Week:
    """The active tenant's hours for texts of this purpose, by weekday."""
    return OwnHours.of(purpose) or _DEFAULTS[purpose]


def set_own_hours(*, purpose: str, week: Week) -> None:
    """Choose the hours for texts of this purpose. What waits already is decided by them when it wakes up.

    Raises ``ValidationError`` for what is no week. For offers the law's hours hold beside these, whatever they are.
    """
    before = in_words(week_in_force(purpose))
    row = OwnHours.objects.filter(purpose=purpose).first() or OwnHours(purpose=purpose)
    row.week = dict(week)
    row.full_clean()
    row.save()
    audit.record("consent.hours_changed", target=row, before=before, after=in_words(week))


def in_words(week: Week) -> dict[str, str]:
    """By weekday: "08:00-20:30", "any hour", "no texts"."""
    return {day: _in_words(week[day]) for day in WEEKDAYS}


def _in_words(windows: Sequence[Sequence[str]]) -> str:
    if [list(window) for window in windows] == [["00:00", "24:00"]]:
        return "any hour"
    return ", ".join(f"{start}-{end}" for start, end in windows) or "no texts"


def own_hours(purpose: str) -> Hours | None:
    """The same for reckoning; None when every hour will do."""
    return _hours(json.dumps(week_in_force(purpose), sort_keys=True))


@lru_cache(maxsize=256)
def _hours(week: str) -> Hours | None:
    """The same object for the same week: what was worked out by it is found again (``consent.windows``)."""
    intervals = week_from(json.loads(week))
    return None if all(day == ALWAYS for day in intervals) else Hours(intervals)
