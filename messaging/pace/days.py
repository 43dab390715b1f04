"""The parts of the day: counted in PostgreSQL, because a daily cap must hold also when Redis was emptied.

T-Mobile counts by brand and day and begins anew at midnight Pacific time (Twilio's documentation, errors 30023 and
30027). Here all parts of the sender count, whichever carrier they go to: which carrier a number is with is not known.
"""

from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from django.db import connection

from common.ids import uuid7
from messaging.models import Sender, SenderDay
from tenants.scope import current_tenant_id

__all__ = ["count_parts", "day_of", "next_day", "used_on"]

CALENDAR: Final = ZoneInfo("America/Los_Angeles")

_COUNT: Final = """
INSERT INTO messaging_senderday (id, tenant_id, sender_id, day, part_count)
VALUES (%(id)s, %(tenant)s, %(sender)s, %(day)s, %(parts)s)
ON CONFLICT (tenant_id, sender_id, day)
DO UPDATE SET part_count = messaging_senderday.part_count + excluded.part_count
"""


def day_of(at: datetime) -> date:
    """The day of the carriers' calendar."""
    return at.astimezone(CALENDAR).date()


def next_day(at: datetime) -> datetime:
    """When the next day of that calendar begins."""
    tomorrow = day_of(at) + timedelta(days=1)
    return datetime(tomorrow.year, tomorrow.month, tomorrow.day, tzinfo=CALENDAR)


def used_on(sender: Sender, day: date, *, lock: bool) -> int:
    """The parts so far; ``lock`` keeps everybody else from counting until this transaction ends."""
    if lock:
        SenderDay.objects.bulk_create([SenderDay(sender=sender, day=day)], ignore_conflicts=True)
    days = SenderDay.objects.select_for_update() if lock else SenderDay.objects
    return days.filter(sender=sender, day=day).values_list("part_count", flat=True).first() or 0


def count_parts(sender: Sender, day: date, parts: int) -> None:
    """So many more are handed over."""
    with connection.cursor() as cursor:
        cursor.execute(
            _COUNT,
            {"id": uuid7(), "tenant": current_tenant_id(), "sender": sender.id, "day": day, "parts": parts},
        )
