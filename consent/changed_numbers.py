"""Numbers that went to somebody else, or were deactivated: what their former owner agreed to counts no more.

US carriers may give a number out again 45 days after it was disconnected. The FCC's Reassigned Numbers Database tells
whether that happened, and CTIA's principles (5.1.5) ask to process deactivation files often. Such lists name a number
and the day from which on it was not the same person's.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from django.db import connection

from common.bulk import json_rows
from common.ids import uuid7
from consent.models import ChangedNumber
from tenants.scope import current_tenant_id

__all__ = ["Change", "changes_among", "note_changes"]


@dataclass(frozen=True, slots=True)
class Change:
    """The number is not the same person's since that day; consent counts from ``counts_from`` on."""

    number: str
    day: date
    counts_from: datetime


_NOTE: Final = """
INSERT INTO consent_changednumber AS known (tenant_id, id, number, day, counts_from, source, recorded_at)
SELECT c.tenant_id, c.id, c.number, c.day, c.counts_from, %(source)s, now()
FROM json_to_recordset(%(changes)s)
     AS c(tenant_id uuid, id uuid, number text, day date, counts_from timestamptz)
ORDER BY c.number
ON CONFLICT (tenant_id, number) DO UPDATE
SET day = excluded.day, counts_from = excluded.counts_from, source = excluded.source, recorded_at = excluded.recorded_at
WHERE known.counts_from < excluded.counts_from
"""


def note_changes(changes: Collection[Change], *, source: str) -> int:
    """Remember the changes, the latest of each number; returns how many were news."""
    latest: dict[str, Change] = {}
    for change in sorted(changes, key=lambda one: one.counts_from):
        latest[change.number] = change
    if not latest:
        return 0
    tenant_id = current_tenant_id()
    columns = ["tenant_id", "id", "number", "day", "counts_from"]
    rows: Sequence[Sequence[object]] = [
        (tenant_id, uuid7(), one.number, one.day.isoformat(), one.counts_from) for one in latest.values()
    ]
    with connection.cursor() as cursor:
        cursor.execute(_NOTE, {"changes": json_rows(columns, rows), "source": source})
        return int(cursor.rowcount)


def changes_among(numbers: Collection[str]) -> dict[str, ChangedNumber]:
    """What changed of these numbers, in one query."""
    return {row.number: row for row in ChangedNumber.objects.filter(number__among=list(numbers))}
