"""Agreements to offers that wait for a YES (double opt-in): kept back by the gate, asked about once, confirmed by the person.

An agreement is recorded in the ledger as it came, and a ``PendingOptIn`` beside it in the same transaction, so that no
offer slips between the two. The YES is a record of its own; START never is one.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import connection
from django.utils import timezone

from common.bulk import json_rows
from common.ids import uuid7
from consent.models import DoubleOptIn, PendingOptIn
from consent.purposes import Purpose
from tenants import audit
from tenants.scope import current_tenant_id

__all__ = [
    "PENDING_OF_IMPORT",
    "Wanted",
    "await_confirmation",
    "forget_taken_back",
    "open_question",
    "set_double_opt_in",
    "waiting_among",
    "wanted",
]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which agreements are to be confirmed, and within how many days after the question."""

    doors: frozenset[str] = frozenset()
    days: int = DoubleOptIn.USUAL_DAYS


def wanted() -> Wanted:
    """What the active tenant chose."""
    row = DoubleOptIn.objects.first()
    return Wanted(frozenset(row.doors), row.days) if row else Wanted()


def set_double_opt_in(*, doors: Collection[str], days: int) -> None:
    """Choose which agreements wait for a YES from now on. Those that wait already go on waiting."""
    row = DoubleOptIn.objects.first() or DoubleOptIn()
    before = {"doors": row.doors, "days": row.days}
    row.doors, row.days = sorted(set(doors)), days
    row.full_clean()
    row.save()
    after = {"doors": row.doors, "days": row.days}
    audit.record("consent.double_opt_in_changed", target=row, target_name="", before=before, after=after)


_AWAIT: Final = """
INSERT INTO consent_pendingoptin (id, tenant_id, number, record_id, since)
SELECT r.id, r.tenant_id, r.number, r.record_id, now()
FROM json_to_recordset(%s) AS r(id uuid, tenant_id uuid, number text, record_id uuid) ORDER BY r.number
ON CONFLICT (tenant_id, number) WHERE confirmed_at IS NULL
DO UPDATE SET record_id = excluded.record_id, since = excluded.since, asked_at = NULL
"""
PENDING_OF_IMPORT: Final = """
INSERT INTO consent_pendingoptin (id, tenant_id, number, record_id, since)
SELECT gen_random_uuid(), %(tenant)s, s.number, s.record_id, now()
FROM consent_consentstate s JOIN ({query}) a ON a.number = s.number
JOIN consent_consentrecord r ON r.tenant_id = s.tenant_id AND r.id = s.record_id
WHERE s.tenant_id = %(tenant)s AND s.purpose = 'marketing' AND s.act = 'opt_in' AND r.recorded_at = %(now)s
ORDER BY s.number
ON CONFLICT (tenant_id, number) WHERE confirmed_at IS NULL DO NOTHING
"""
"""Those of a selection (``consent.bulk``) whose agreement this transaction recorded."""


def await_confirmation(agreed: Sequence[tuple[str, str, str, UUID]]) -> None:
    """After agreements were recorded, as number, purpose, source and record: those to be confirmed wait for it.

    Another agreement, of a kind that needs no confirmation, ends the waiting of its number. What the person replies by
    text does neither: a YES is ``confirm``'s, and a START brings back no more than there was.
    """
    offers = [(number, source, record_id) for number, purpose, source, record_id in agreed if purpose == _OFFERS]
    if not offers:
        return
    doors = wanted().doors
    to_ask = {number: record_id for number, source, record_id in offers if source in doors}
    settled = [number for number, source, _ in offers if source not in doors and source != _REPLY]
    if settled:
        PendingOptIn.objects.filter(number__among=settled, confirmed_at=None).delete()
    if to_ask:
        tenant_id = current_tenant_id()
        rows = [(uuid7(), tenant_id, number, record_id) for number, record_id in to_ask.items()]
        with connection.cursor() as cursor:
            cursor.execute(_AWAIT, [json_rows(["id", "tenant_id", "number", "record_id"], rows)])


_OFFERS: Final = Purpose.MARKETING.value
_REPLY: Final = "reply"


def waiting_among(numbers: Collection[str]) -> Mapping[str, PendingOptIn]:
    """Those of the numbers whose agreement to offers waits for a YES, in one query."""
    return {row.number: row for row in PendingOptIn.objects.filter(number__among=list(numbers), confirmed_at=None)}


def open_question(number: str) -> PendingOptIn | None:
    """What a YES from the number would confirm: it was asked, and not too long ago."""
    waiting = PendingOptIn.objects.filter(number=number, confirmed_at=None, asked_at__isnull=False).first()
    if waiting is None:
        return None
    asked_at: datetime = waiting.asked_at or timezone.now()
    return waiting if timezone.now() - asked_at <= timedelta(days=wanted().days) else None


_TAKEN_BACK: Final = """
DELETE FROM consent_pendingoptin p WHERE p.tenant_id = %s AND p.confirmed_at IS NULL
AND NOT EXISTS (SELECT FROM consent_consentstate s
                WHERE s.tenant_id = p.tenant_id AND s.number = p.number AND s.purpose = 'marketing')
"""


def forget_taken_back() -> None:
    """After records were taken back: what waited without an agreement any more is gone."""
    values: list[Any] = [current_tenant_id()]
    with connection.cursor() as cursor:
        cursor.execute(_TAKEN_BACK, values)
