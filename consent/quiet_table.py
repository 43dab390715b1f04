"""The law's hours as the platform's admins keep them, for the pure functions of ``consent.quiet_hours``."""

from datetime import date, datetime
from typing import Final

from django.db import connection

from consent.models import HolidayCalendar, QuietHoursRule
from consent.quiet_hours import FEDERAL, UNKNOWN, Rule, Table, carried, week_from
from consent.windows import Hours

__all__ = ["table_in_force"]

_VERSION: Final = """
SELECT max(changed_at), count(*) FROM (
    SELECT changed_at FROM consent_quiethoursrule UNION ALL SELECT changed_at FROM consent_holidaycalendar) kept
"""

_read: dict[tuple[datetime, int], Table] = {}


def table_in_force() -> Table:
    """All rules with the days they hold on. Read anew when any has changed; a change counts from the next batch on.

    While the database has none, those that the project carries hold: no text ever goes by no rules at all.
    """
    with connection.cursor() as cursor:
        cursor.execute(_VERSION)
        changed_at, count = cursor.fetchone()
    if not count:
        return carried()
    found = _read.get((changed_at, count))
    if found is None:
        _read.clear()
        found = _read[changed_at, count] = _table(changed_at)
    return found


def _table(changed_at: datetime) -> Table:
    calendars = {calendar.pk: calendar for calendar in HolidayCalendar.objects.all()}
    rules: dict[str, list[Rule]] = {}
    for row in QuietHoursRule.objects.all():
        calendar = calendars.get(row.calendar_id or 0)
        hours = Hours(
            week_from(row.week),
            frozenset(map(date.fromisoformat, calendar.days if calendar else ())),
            range(calendar.first_year, calendar.last_year + 1) if calendar else None,
            row.effective_from,
            row.effective_until,
        )
        rules.setdefault(row.jurisdiction, []).append(Rule(row.jurisdiction, hours, row.clock))
    missing = {
        code: found for code, found in carried().rules.items() if code in (FEDERAL, UNKNOWN) and code not in rules
    }
    return Table(changed_at.isoformat(), {**rules, **missing})
