"""When a sender will be through with its parts. Pure: the clock and the calendar are given."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

__all__ = ["Speed", "finish", "in_words"]

DAYS_AHEAD: Final = 366


@dataclass(frozen=True, slots=True)
class Speed:
    """What a sender may do; None where nothing limits it."""

    per_second: float | None
    per_day: int | None
    used_today: int = 0

    @property
    def is_limited(self) -> bool:
        return self.per_second is not None or self.per_day is not None


def finish(parts: int, speed: Speed, *, at: datetime, next_day: Callable[[datetime], datetime]) -> datetime | None:
    """When the last of the parts goes when the first one goes at ``at``; None when not within a year.

    ``next_day``: when the day of the cap is over.
    """
    left, used = float(parts), speed.used_today
    for _ in range(DAYS_AHEAD):
        tomorrow = next_day(at)
        by_cap = float("inf") if speed.per_day is None else max(0, speed.per_day - used)
        by_pace = float("inf") if speed.per_second is None else (tomorrow - at).total_seconds() * speed.per_second
        if left <= min(by_cap, by_pace):
            return at + timedelta(seconds=left / speed.per_second if speed.per_second else 0)
        left, used, at = left - min(by_cap, by_pace), 0, tomorrow
    return None


def in_words(time: timedelta) -> str:
    """About how long that is: "40 minutes"."""
    minutes = round(time.total_seconds() / 60)
    if minutes < 2:
        return "a minute"
    if minutes < 100:
        return f"{minutes} minutes"
    hours = round(minutes / 60)
    return f"{hours} hours" if hours < 48 else f"{round(hours / 24)} days"
