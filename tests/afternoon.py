"""Nobody sleeps beside tests and measurements, at whatever hour they run.

Processes that are forked get ``afternoon`` for the clock of the gate. Others are the product as it is, which knows no
clock but the machine's: there the platform's laws allow every hour, as if its admin had changed them.
"""

from datetime import UTC, datetime
from typing import Final

__all__ = ["AFTERNOON", "afternoon", "allow_every_hour"]

AFTERNOON: Final = datetime(2026, 11, 18, 18, tzinfo=UTC)
"""A Wednesday: one o'clock in New York, ten in Los Angeles, six in London."""


def afternoon() -> datetime:
    """The clock of processes that are forked beside a test."""
    return AFTERNOON


def allow_every_hour() -> None:
    """Change all laws about hours; needs the product loaded and its database migrated."""
    from django.utils import timezone

    from consent.models import QuietHoursRule
    from consent.own_hours import ANY_HOUR

    QuietHoursRule.objects.update(week=ANY_HOUR, calendar=None, changed_at=timezone.now())
