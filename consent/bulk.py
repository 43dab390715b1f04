"""Consent of many people at once, in SQL: an import records a million agreements, and may take them back.

Opt-ins from a file *share* the revocation lock, unlike everybody else who writes the ledger:

- An opt-out takes the lock alone. So none commits between the question who has opted out and the commit of these
  records: it comes before, and is seen, or waits and comes after.
- Two imports that bring the same number at the same time both hold the lock. The current state decides between them:
  its row for (number, purpose) is inserted first, the second one waits for it and then finds it there. Only who
  inserted the state records the act, so there is one record; the same when both renew one (``consent.renewal``). When they bring different purposes, both record; the
  second one finds that its place in the number's chain is taken, and tries again behind it.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final, TypeVar
from uuid import UUID

from django.db import IntegrityError, connection, transaction

from common.ids import uuid7_seed, uuid7_sql
from common.planner import without_nested_loops
from consent.appending import chained_sql, pending_sql
from consent.double_opt_in import PENDING_OF_IMPORT, forget_taken_back, wanted
from consent.models import ConsentRecord
from consent.purposes import Purpose
from consent.renewal import FROM_BEFORE, renew_selected, restore
from consent.revocation_lock import hold_exclusively, share
from tenants.scope import current_tenant_id

__all__ = ["record_selected_opt_ins", "take_back_selected"]

ResultT = TypeVar("ResultT")

_OPT_IN: Final = """
WITH agreed AS MATERIALIZED (
    SELECT a.* FROM ({{query}}) a
    LEFT JOIN consent_suppression x ON x.tenant_id = %(tenant)s AND x.number = a.number AND x.lifted_at IS NULL
    WHERE x.id IS NULL
), fresh AS (
    INSERT INTO consent_consentstate (tenant_id, number, purpose, act, since, record_id)
    SELECT %(tenant)s, a.number, %(purpose)s, 'opt_in', coalesce(a.occurred_at, %(now)s), {record_id}
    FROM agreed a
    ON CONFLICT (tenant_id, number, purpose) DO NOTHING
    RETURNING number, since, record_id
), recorded AS ({insert}), waiting AS ({pending})
SELECT (SELECT count(*) FROM agreed), (SELECT count(*) FROM recorded)
""".format(  # noqa: S608
    record_id=uuid7_sql("a.position::int"),
    insert=chained_sql(
        "SELECT f.record_id AS id, f.number, %(purpose)s AS purpose, 'opt_in' AS act, %(source)s AS source, "
        "coalesce(a.wording, %(wording)s) AS wording, a.evidence, %(actor)s::uuid AS actor_id, f.since AS occurred_at "
        "FROM fresh f JOIN agreed a ON a.number = f.number"
    ),
    pending=pending_sql("recorded"),
)
_TRIES: Final = 5


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
    """Record the agreements that ``query`` selects, for each purpose that the number has no state of, or whose agreement
    has ended before the new one was given (``consent.renewal``).

    The query gives ``number`` (each once, in the order of the index), ``position`` (a small whole number, the order of
    the records), ``occurred_at``, ``evidence`` and ``wording`` (null for the common one). Suppressed numbers are left
    out. Returns whether all that were not suppressed were new.
    """
    share()
    values: dict[str, Any] = {
        **parameters,
        "tenant": current_tenant_id(),
        "source": source,
        "wording": wording,
        "actor": actor_id,
        "now": now,
    }
    for purpose in purposes:
        _insist(partial(renew_selected, query, values, purpose=purpose, source=source))
    # The planner takes the thousands who agreed for a handful, for it guesses that a few of them are not suppressed; to
    # find each one's evidence it would go through all of them for each.
    with without_nested_loops():
        counts = [_record(query, {**values, "purpose": purpose}) for purpose in purposes]
        if Purpose.MARKETING in purposes and ConsentRecord.Source.IMPORT in wanted().doors:
            with connection.cursor() as cursor:
                cursor.execute(PENDING_OF_IMPORT.format(query=query), values)
    return all(asked == recorded for asked, recorded in counts)


def _record(query: str, values: dict[str, Any]) -> tuple[int, int]:
    """How many agree to one purpose, and for how many of them that was new."""

    def insert() -> tuple[int, int]:
        with connection.cursor() as cursor:
            cursor.execute(_OPT_IN.format(query=query), {**values, **uuid7_seed()})
            asked, recorded = cursor.fetchone()
            return asked, recorded

    return _insist(insert)


def _insist(append: Callable[[], ResultT]) -> ResultT:
    for _ in range(_TRIES):
        try:
            with transaction.atomic():
                return append()
        except IntegrityError:
            # Another import went on with a chain; it has committed, so now its entry is seen.
            continue
    raise IntegrityError("An import keeps meeting other ones that record consent of the same numbers.")


_TAKE_BACK: Final = """
WITH wrong AS MATERIALIZED (
    SELECT o.*, row_number() OVER (ORDER BY o.id) AS nth FROM (
        SELECT DISTINCT ON (r.number) r.id, r.number, r.purpose, w.position, r.evidence ? 'renews' AS renewed
        FROM ({{query}}) w
        JOIN consent_consentrecord r ON r.tenant_id = %(tenant)s AND r.number = w.number
        WHERE r.act = 'opt_in' AND r.evidence ->> 'import' = %(import_text)s
          AND NOT EXISTS (SELECT FROM consent_consentrecord v WHERE v.tenant_id = r.tenant_id AND v.number = r.number
                          AND v.act = 'void' AND v.evidence ->> 'voids' = r.id::text)
        ORDER BY r.number, r.n
    ) o
), cleared AS (
    DELETE FROM consent_consentstate s USING wrong w
    WHERE s.tenant_id = %(tenant)s AND s.number = w.number AND s.purpose = w.purpose AND s.record_id = w.id
), struck AS ({insert}), waiting AS ({pending})
SELECT (SELECT count(*) FROM struck), {from_before} FROM wrong w
""".format(  # noqa: S608
    insert=chained_sql(
        f"SELECT {uuid7_sql('w.nth::int')} AS id, w.number, w.purpose, 'void' AS act, 'import' AS source, "  # noqa: S608
        "'' AS wording, jsonb_build_object('voids', w.id, 'import', %(import_text)s, 'row', w.position) AS evidence, "
        "%(actor)s::uuid AS actor_id, %(now)s AS occurred_at FROM wrong w"
    ),
    pending=pending_sql("struck"),
    from_before=FROM_BEFORE,
)


def take_back_selected(
    query: str, parameters: Mapping[str, object], *, import_id: UUID, actor_id: UUID | None, now: object
) -> int:
    """Take back what an import recorded for the numbers that ``query`` selects with their ``position``.

    Each record of it is struck by a new one. Where it was still in force the number has no consent for that purpose
    again, as before the import, or the one that it had renewed. Returns how many were struck.
    """
    hold_exclusively()
    values: dict[str, Any] = {
        **parameters,
        "tenant": current_tenant_id(),
        "import_text": str(import_id),
        "actor": actor_id,
        "now": now,
    }
    total: int = 0
    renewed: list[str] = []
    with connection.cursor() as cursor:
        while True:
            # One record of each number at a time: the next one follows it in the chain.
            cursor.execute(_TAKE_BACK.format(query=query), {**values, **uuid7_seed()})
            struck, from_before = cursor.fetchone()
            total += struck
            renewed += from_before or []
            if not struck:
                break
    if renewed:
        restore(renewed)
    forget_taken_back()
    return total
