"""Agreements of many people that an import renews: those on record have ended, and its file documents later ones.

Consent that has ended by age, a number that changed hands since, or an agreement that is less than what the file proves:
then a row with a day of its own, later than what is on record, is a new act in the ledger. Without such a day a row proves
nothing new, and somebody who opted out, of everything or of the one purpose, is left as they are.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.db import connection

from common.bulk import json_rows
from common.ids import uuid7_seed, uuid7_sql
from consent.agreements import any_not_in_writing, weaker_than
from consent.appending import chained_sql, pending_sql
from consent.ledger import DERIVED_OF_NUMBERS
from consent.models import ChangedNumber
from consent.validity import expiry_in_force
from tenants.scope import current_tenant_id

__all__ = ["FROM_BEFORE", "has_ended_sql", "renew_selected", "restore"]

_RENEW: Final = """
WITH ended AS MATERIALIZED (
    SELECT a.number, a.position, a.occurred_at, a.wording, a.evidence, k.record_id AS before, {record_id} AS record_id
    FROM ({{query}}) a
    JOIN consent_consentstate k ON k.tenant_id = %(tenant)s AND k.number = a.number AND k.purpose = %(purpose)s
    JOIN consent_consentrecord r ON r.tenant_id = k.tenant_id AND r.id = k.record_id
    LEFT JOIN consent_changednumber h ON h.tenant_id = %(tenant)s AND h.number = a.number
    LEFT JOIN consent_suppression x ON x.tenant_id = %(tenant)s AND x.number = a.number AND x.lifted_at IS NULL
    WHERE x.id IS NULL AND k.act = 'opt_in' AND a.occurred_at > k.since
      AND ({has_ended} OR r.source = ANY(%(weaker)s::text[]))
      AND a.occurred_at >= coalesce(h.counts_from, '-infinity')
      AND (%(months)s::int IS NULL OR a.occurred_at + make_interval(months => %(months)s::int) > %(now)s)
), renewed AS (
    UPDATE consent_consentstate k SET since = e.occurred_at, record_id = e.record_id
    FROM ended e
    WHERE k.tenant_id = %(tenant)s AND k.number = e.number AND k.purpose = %(purpose)s AND k.record_id = e.before
    RETURNING k.number, e.record_id, e.occurred_at, e.wording, e.before,
              e.evidence || jsonb_build_object('renews', e.before) AS evidence
), recorded AS ({insert}), waiting AS ({pending})
SELECT count(*) FROM recorded
"""


def has_ended_sql(since: str, months: str, changed: str) -> str:
    """The condition that an agreement of ``since`` has ended: after so many months (null: never), or when the number
    changed hands. Needs the parameter ``now``; the same as ``validity`` and ``number_kept_its_owner`` say, but for what
    a law infers, which no file can prove."""
    return f"coalesce({since} + make_interval(months => {months}::int) <= %(now)s OR {since} < {changed}, false)"


_RENEW_OF: Final = _RENEW.format(
    record_id=uuid7_sql("a.position::int"),
    has_ended=has_ended_sql("k.since", "%(months)s", "h.counts_from"),
    insert=chained_sql(
        "SELECT w.record_id AS id, w.number, %(purpose)s AS purpose, 'opt_in' AS act, %(source)s AS source, "
        "coalesce(w.wording, %(wording)s) AS wording, w.evidence, %(actor)s::uuid AS actor_id, w.occurred_at FROM renewed w"
    ),
    pending=pending_sql("recorded"),
)


def renew_selected(query: str, values: Mapping[str, Any], *, purpose: str, source: str) -> int:
    """Renew what ``query`` gives anew (as for ``bulk.record_selected_opt_ins``, whose parameters are in ``values``);
    returns how many. The caller shares the revocation lock."""
    months = expiry_in_force().get(purpose)
    weaker = weaker_than(source)
    if not (months or ChangedNumber.objects.exists() or (weaker and any_not_in_writing(purpose))):
        return 0
    facts = {**values, **uuid7_seed(), "purpose": purpose, "months": months, "weaker": list(weaker)}
    with connection.cursor() as cursor:
        cursor.execute(_RENEW_OF.format(query=query), facts)
        return int(cursor.fetchone()[0])


FROM_BEFORE: Final = "array_agg(w.number::text) FILTER (WHERE w.renewed)"
"""Of the records ``w`` that an undo strikes: the numbers of those that had renewed one from before, or null."""

_RESTORE: Final = f"""
INSERT INTO consent_consentstate (tenant_id, number, purpose, act, since, record_id) {DERIVED_OF_NUMBERS}
ON CONFLICT (tenant_id, number, purpose) DO NOTHING
"""


def restore(numbers: Sequence[str]) -> None:
    """After renewals were struck: what had been there before them stands again, ended as it was."""
    rows = json_rows(["number"], [[number] for number in sorted(set(numbers))])
    with connection.cursor() as cursor:
        cursor.execute(_RESTORE, {"tenant": current_tenant_id(), "numbers": rows})
