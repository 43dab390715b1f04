"""Consent of many people at once, in SQL: an import records a million agreements, and may take them back.

Opt-ins from a file *share* the revocation lock, unlike everybody else who writes the ledger:

- An opt-out takes the lock alone. So none commits between the question who has opted out and the commit of these
  records: it comes before, and is seen, or waits and comes after.
- Two imports that bring the same number at the same time both hold the lock. The current state decides between them:
  its row for (number, purpose) is inserted first, the second one waits for it and then finds it there. Only who
  inserted the state records the act, so there is one record.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from django.db import connection

from common.ids import uuid7_seed, uuid7_sql
from common.planner import without_nested_loops
from consent.revocation_lock import hold_exclusively, share
from tenants.scope import current_tenant_id

__all__ = ["record_selected_opt_ins", "take_back_selected"]

_OPT_IN: Final = """
WITH agreed AS MATERIALIZED (
    SELECT a.* FROM ({{query}}) a
    LEFT JOIN consent_suppression x ON x.tenant_id = %(tenant)s AND x.number = a.number AND x.lifted_at IS NULL
    WHERE x.id IS NULL
), fresh AS (
    INSERT INTO consent_consentstate (tenant_id, number, purpose, act, since, record_id)
    SELECT %(tenant)s, a.number, p.purpose, 'opt_in', coalesce(a.occurred_at, %(now)s), {record_id}
    FROM agreed a CROSS JOIN unnest(%(purposes)s::text[]) WITH ORDINALITY AS p(purpose, nth)
    ON CONFLICT (tenant_id, number, purpose) DO NOTHING
    RETURNING number, purpose, since, record_id
), recorded AS (
    INSERT INTO consent_consentrecord (id, tenant_id, number, purpose, act, source, wording, evidence, actor_id,
                                       occurred_at, recorded_at)
    SELECT f.record_id, %(tenant)s, f.number, f.purpose, 'opt_in', %(source)s,
           coalesce(a.wording, %(wording)s), a.evidence, %(actor)s, f.since, %(now)s
    FROM fresh f JOIN agreed a ON a.number = f.number
    RETURNING 1
)
SELECT (SELECT count(*) FROM agreed) * cardinality(%(purposes)s::text[]), (SELECT count(*) FROM recorded)
""".format(record_id=uuid7_sql("(a.position * cardinality(%(purposes)s::text[]) + p.nth)::int"))  # noqa: S608


def record_selected_opt_ins(
    query: str,
    parameters: Mapping[str, object],
    *,
    purposes: Sequence[str],
    source: str,
    wording: str,
    actor_id: UUID | None,
    now: object,
) -> bool:
    """Record the agreements that ``query`` selects, for each purpose that the number has no state of.

    The query gives ``number`` (each once, in the order of the index), ``position`` (a small whole number, the order of
    the records), ``occurred_at``, ``evidence`` and ``wording`` (null for the common one). Suppressed numbers are left
    out. Returns whether all that were not suppressed were new.
    """
    share()
    values: dict[str, Any] = {
        **parameters,
        **uuid7_seed(),
        "tenant": current_tenant_id(),
        "purposes": list(purposes),
        "source": source,
        "wording": wording,
        "actor": actor_id,
        "now": now,
    }
    # The planner takes the thousands who agreed for a handful, for it guesses that a few of them are not suppressed; to
    # find each one's evidence it would go through all of them for each.
    with connection.cursor() as cursor, without_nested_loops():
        cursor.execute(_OPT_IN.format(query=query), values)
        asked, recorded = cursor.fetchone()
    return bool(asked == recorded)


_TAKE_BACK: Final = """
WITH wrong AS MATERIALIZED (
    SELECT r.id, r.number, r.purpose, w.position, row_number() OVER (ORDER BY r.id) AS nth
    FROM ({{query}}) w
    JOIN consent_consentrecord r ON r.tenant_id = %(tenant)s AND r.number = w.number
    WHERE r.act = 'opt_in' AND r.evidence ->> 'import' = %(import_text)s
      AND NOT EXISTS (SELECT FROM consent_consentrecord v WHERE v.tenant_id = r.tenant_id AND v.number = r.number
                      AND v.act = 'void' AND v.evidence ->> 'voids' = r.id::text)
), cleared AS (
    DELETE FROM consent_consentstate s USING wrong w
    WHERE s.tenant_id = %(tenant)s AND s.number = w.number AND s.purpose = w.purpose AND s.record_id = w.id
)
INSERT INTO consent_consentrecord (id, tenant_id, number, purpose, act, source, wording, evidence, actor_id,
                                   occurred_at, recorded_at)
SELECT {record_id}, %(tenant)s, w.number, w.purpose, 'void', 'import', '',
       jsonb_build_object('voids', w.id, 'import', %(import_text)s, 'row', w.position), %(actor)s, %(now)s, %(now)s
FROM wrong w ORDER BY w.nth
""".format(record_id=uuid7_sql("w.nth::int"))  # noqa: S608


def take_back_selected(
    query: str, parameters: Mapping[str, object], *, import_id: UUID, actor_id: UUID | None, now: object
) -> int:
    """Take back what an import recorded for the numbers that ``query`` selects with their ``position``.

    Each record of it is struck by a new one. Where it was still in force the number has no consent for that purpose
    again, as before the import: an import records only where nothing was known. Returns how many were struck.
    """
    hold_exclusively()
    values: dict[str, Any] = {
        **parameters,
        **uuid7_seed(),
        "tenant": current_tenant_id(),
        "import_text": str(import_id),
        "actor": actor_id,
        "now": now,
    }
    with connection.cursor() as cursor:
        cursor.execute(_TAKE_BACK.format(query=query), values)
        return int(cursor.rowcount)
