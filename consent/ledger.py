"""Writing the consent ledger: each act is recorded, and the current state follows in the same transaction.

Every writer first takes the tenant's revocation lock, the same that dispatch shares while it writes its attempts:
an opt-out therefore either comes before a hand-over, which then sees it, or after its commit.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import connection
from django.utils import timezone

from common.bulk import json_rows
from consent.appending import NewRecord, append
from consent.double_opt_in import await_confirmation
from consent.models import ALL_PURPOSES, ConsentRecord, EndedPurpose
from consent.revocation_lock import hold_exclusively
from tenants.scope import current_tenant_id

__all__ = ["DERIVED", "DERIVED_OF_NUMBERS", "OptIn", "project", "rebuild", "record", "record_opt_ins"]


@dataclass(frozen=True, slots=True)
class OptIn:
    """One person's agreement to one purpose, with what proves it."""

    number: str
    purpose: str
    source: str
    wording: str = ""
    evidence: dict[str, object] = field(default_factory=dict)
    occurred_at: datetime | None = None


def record(records: Sequence[NewRecord]) -> None:
    """Add acts to the ledger, any number at a time, and bring the current state up to date."""
    hold_exclusively()
    append(records)
    project([one.id for one in records])
    # What waits for the number as a whole is ended by its suppression.
    EndedPurpose.objects.bulk_create(
        EndedPurpose(number=one.number, purpose=one.purpose, record_id=one.id)
        for one in records
        if one.act == ConsentRecord.Act.OPT_OUT and one.purpose != ALL_PURPOSES
    )


def record_opt_ins(opt_ins: Sequence[OptIn], *, actor_id: UUID | None) -> list[UUID]:
    """Record agreements, thousands at a time, and return the records' ids in the same order.

    The caller leaves out numbers that opted out: nothing here lifts a suppression.
    """
    now = timezone.now()
    records = [
        NewRecord(
            number=opt_in.number,
            purpose=opt_in.purpose,
            act=ConsentRecord.Act.OPT_IN.value,
            source=opt_in.source,
            wording=opt_in.wording,
            evidence=opt_in.evidence,
            actor_id=actor_id,
            occurred_at=opt_in.occurred_at or now,
        )
        for opt_in in opt_ins
    ]
    record(records)
    await_confirmation([(one.number, one.purpose, one.source, one.id) for one in records])
    return [one.id for one in records]


_PROJECT = """
INSERT INTO consent_consentstate (tenant_id, number, purpose, act, since, record_id)
SELECT tenant_id, number, purpose, act, occurred_at, id
FROM (
    SELECT DISTINCT ON (r.tenant_id, r.number, p.purpose)
           r.tenant_id, r.number, p.purpose, r.act, r.occurred_at, r.id
    FROM json_to_recordset(%(records)s) AS i(tenant_id uuid, id uuid)
    JOIN consent_consentrecord r ON r.tenant_id = i.tenant_id AND r.id = i.id
    CROSS JOIN LATERAL (
        SELECT r.purpose WHERE r.purpose <> 'all'
        UNION ALL
        SELECT s.purpose FROM consent_consentstate s
        WHERE r.purpose = 'all' AND s.tenant_id = r.tenant_id AND s.number = r.number
    ) p(purpose)
    ORDER BY r.tenant_id, r.number, p.purpose, r.n DESC
) newest
ON CONFLICT (tenant_id, number, purpose)
DO UPDATE SET act = excluded.act, since = excluded.since, record_id = excluded.record_id
"""


def project(record_ids: Iterable[UUID]) -> None:
    """Bring the current state up to date with new records of the active tenant."""
    tenant_id = current_tenant_id()
    rows = [(tenant_id, record_id) for record_id in record_ids]
    with connection.cursor() as cursor:
        cursor.execute(_PROJECT, {"records": json_rows(["tenant_id", "id"], rows)})


_DERIVED: Final = """
WITH standing AS (
    SELECT r.* FROM consent_consentrecord r
    WHERE r.tenant_id = %(tenant)s AND r.act <> 'void' AND r.salt <> '' {those}
      AND NOT EXISTS (SELECT FROM consent_consentrecord v WHERE v.tenant_id = r.tenant_id AND v.number = r.number
                      AND v.act = 'void' AND v.evidence ->> 'voids' = r.id::text)
), acts AS (
    SELECT r.number, r.purpose, r.act, r.occurred_at, r.id, r.n FROM standing r WHERE r.purpose <> 'all'
    UNION ALL
    SELECT stop.number, known.purpose, stop.act, stop.occurred_at, stop.id, stop.n
    FROM standing stop
    JOIN LATERAL (
        SELECT DISTINCT before.purpose FROM consent_consentrecord before
        WHERE before.tenant_id = stop.tenant_id AND before.number = stop.number
          AND before.purpose <> 'all' AND before.act <> 'void' AND before.n < stop.n
    ) known ON true
    WHERE stop.purpose = 'all'
)
SELECT DISTINCT ON (number, purpose) %(tenant)s::uuid AS tenant_id, number, purpose, act, occurred_at AS since,
       id AS record_id
FROM acts ORDER BY number, purpose, n DESC
"""
DERIVED: Final = _DERIVED.format(those="")
"""The current state as the records alone tell it; nothing is known of those who were erased."""
DERIVED_OF_NUMBERS: Final = _DERIVED.format(
    those="AND r.number IN (SELECT number FROM json_to_recordset(%(numbers)s) AS n(number text))"
)
"""The same of some numbers."""
_REBUILD: Final = f"INSERT INTO consent_consentstate (tenant_id, number, purpose, act, since, record_id) {DERIVED}"


def rebuild() -> None:
    """Throw the active tenant's current state away and derive it again from the records alone."""
    hold_exclusively()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM consent_consentstate WHERE tenant_id = %(tenant)s", {"tenant": current_tenant_id()})
        cursor.execute(_REBUILD, {"tenant": current_tenant_id()})
