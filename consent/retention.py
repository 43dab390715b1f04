"""Evidence of consent that is over and older than its tenant keeps it loses what is personal in it.

It goes for a number as a whole, because its records are one chain: when nobody has touched the chain for so many years,
no agreement in it has been in force since, and no opt-out hangs on it alone. Opt-outs hold without end: a suppression
stays, as a keyed hash where the tenant does not have the number in its contacts. Entries stay in the log and name nobody, so all
other proofs are as they were.
"""

import time
from collections.abc import Collection
from datetime import UTC, date, datetime
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.utils import timezone
from django.utils.module_loading import import_string

from common.ids import first_id
from common.retries import each
from consent.erasure import erase_people, forget_evidence
from consent.models import ConsentRecord, ConsentState, EvidenceRetention
from consent.revocation_lock import hold_exclusively
from consent.validity import Agreement, ends_of, months_before
from tenants import audit
from tenants.models import Tenant
from tenants.scope import all_tenants, current_tenant_id, tenant_scope

__all__ = ["forget_what_is_over", "set_years", "years_in_force"]

AT_ONCE: Final = 500
TENANTS_AT_ONCE: Final = 200
WORK_SECONDS: Final = 20.0
"""How long one task works on a tenant; the next one goes on."""


def years_in_force() -> int:
    """For how many years the active tenant keeps it."""
    chosen = EvidenceRetention.objects.values_list("years", flat=True).first()
    return chosen or EvidenceRetention.USUAL_YEARS


def set_years(*, years: int) -> None:
    """Choose it. Raises ``ValidationError`` for a number that is out of bounds."""
    row = _row()
    before = row.years
    row.years = years
    row.full_clean()
    row.save(update_fields=["years"])
    audit.record(
        "consent.retention_changed", target=row, target_name="", before={"years": before}, after={"years": years}
    )


def forget_what_is_over() -> None:
    """Sweep each tenant once a day."""
    today = timezone.now().astimezone(UTC).date()
    with all_tenants("evidence of consent that is over"):
        done = EvidenceRetention.objects.filter(swept_on=today).values("tenant_id")
        due = Tenant.objects.filter(deleted_at=None).exclude(id__in=done).order_by("id")
        tenant_ids = list(due.values_list("id", flat=True)[:TENANTS_AT_ONCE])
    each(tenant_ids, lambda tenant_id: _sweep(tenant_id, today), doing="forget old evidence of consent")


def _sweep(tenant_id: UUID, today: date) -> None:
    until = time.monotonic() + WORK_SECONDS
    while time.monotonic() < until:
        with tenant_scope(tenant_id, durable=True):
            row = _row()
            if row.swept_on == today:
                return
            row.swept_to = _forget_some(row)
            row.swept_on = row.swept_on if row.swept_to else today
            row.save(update_fields=["swept_to", "swept_on"])


def _row() -> EvidenceRetention:
    """The tenant's row, locked: one sweeps at a time."""
    EvidenceRetention.objects.bulk_create([EvidenceRetention()], ignore_conflicts=True)
    return EvidenceRetention.objects.select_for_update().get()


def _forget_some(row: EvidenceRetention) -> UUID | None:
    """Look at the next records that are old enough; returns where the next look begins, None at the end."""
    cutoff = months_before(timezone.now(), 12 * row.years)
    old = ConsentRecord.objects.filter(id__lt=first_id(cutoff)).exclude(salt=b"")
    if row.swept_to:
        old = old.filter(id__gt=row.swept_to)
    page = list(old.order_by("id").values_list("id", "number")[:AT_ONCE])
    if not page:
        return None
    # Nobody agrees or opts out meanwhile.
    hold_exclusively()
    numbers = _over({number for _, number in page}, cutoff)
    if numbers:
        in_use: Collection[str] = import_string(settings.NUMBERS_IN_USE)(numbers)
        erase_people(numbers=set(numbers) - set(in_use))
        forget_evidence(numbers=in_use)
        audit.record("consent.evidence_forgotten", after={"numbers": len(numbers)})
    return page[-1][0] if len(page) == AT_ONCE else None


_UNTOUCHED: Final = """
SELECT c.number FROM unnest(%(numbers)s::text[]) AS c(number)
WHERE NOT EXISTS (SELECT FROM consent_consentrecord r
                  WHERE r.tenant_id = %(tenant)s AND r.number = c.number AND r.recorded_at >= %(cutoff)s)
  AND NOT EXISTS (SELECT FROM consent_possibleoptout q
                  WHERE q.tenant_id = %(tenant)s AND q.number = c.number AND q.settled_at IS NULL)
  AND (EXISTS (SELECT FROM consent_suppression x
               WHERE x.tenant_id = %(tenant)s AND x.number = c.number AND x.lifted_at IS NULL)
       OR NOT EXISTS (SELECT FROM consent_consentstate s
                      WHERE s.tenant_id = %(tenant)s AND s.number = c.number AND s.act = 'opt_out'))
"""
"""An opt-out of one kind of text alone is known by its record only, so that one stays."""


def _over(numbers: Collection[str], cutoff: datetime) -> list[str]:
    """Those whose consent has been over since before the cut-off."""
    with connection.cursor() as cursor:
        cursor.execute(_UNTOUCHED, {"numbers": sorted(numbers), "tenant": current_tenant_id(), "cutoff": cutoff})
        untouched = [number for (number,) in cursor.fetchall()]
    in_force = _in_force(untouched, cutoff)
    return [number for number in untouched if number not in in_force]


def _in_force(numbers: Collection[str], cutoff: datetime) -> set[str]:
    """Those with an agreement that did not end by itself before the cut-off."""
    agreements: dict[str, list[Agreement]] = {}
    rows = ConsentState.objects.filter(number__in=numbers, act=ConsentRecord.Act.OPT_IN)
    for number, purpose, record_id, since in rows.values_list("number", "purpose", "record_id", "since"):
        agreements.setdefault(purpose, []).append(Agreement(number, str(record_id), since))
    found = set()
    for purpose, given in agreements.items():
        ends = ends_of(given, purpose, timezone.now())
        found |= {one.number for one in given if one.number not in ends or ends[one.number].at >= cutoff}
    return found
