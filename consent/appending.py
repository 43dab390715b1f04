"""Adding entries to the ledger: each is chained to the one before it of the same number.

One statement adds any number of entries, at most one of each number; it also notes them for the sealer. Two writers that
meet at one number cannot both follow the same entry, for (tenant, number, n) is unique: most hold the tenant's revocation
lock alone and never meet; imports, which share it, try again.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import connection
from django.utils import timezone

from common.bulk import json_rows
from common.ids import uuid7
from tenants.scope import current_tenant_id

__all__ = ["APPEND_BODY", "COLUMNS", "NewRecord", "append", "chained_sql", "pending_sql"]


@dataclass(frozen=True, slots=True)
class NewRecord:
    """One act that is to be recorded."""

    number: str
    purpose: str
    act: str
    source: str
    wording: str = ""
    evidence: dict[str, object] = field(default_factory=dict)
    actor_id: UUID | None = None
    occurred_at: datetime = field(default_factory=timezone.now)
    id: UUID = field(default_factory=uuid7)


COLUMNS: Final = {
    "id": "uuid",
    "number": "text",
    "purpose": "text",
    "act": "text",
    "source": "text",
    "wording": "text",
    "evidence": "jsonb",
    "actor_id": "uuid",
    "occurred_at": "timestamptz",
}
_NAMES: Final = ", ".join(COLUMNS)


_RANDOM: Final = "uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())"


def chained_sql(new: str) -> str:
    """The INSERT of entries that the query ``new`` gives, with the columns of ``COLUMNS``, each number once.

    Needs the parameters ``tenant`` and ``now``. The hashes are those of ``consent.canonical``. In the order of numbers,
    so that two that meet wait for each other in one direction only. The salts of one statement come from one secret
    that is nowhere stored: asking the system for random bytes costs more than all hashes of an entry.
    """
    return f"""
    INSERT INTO consent_consentrecord (tenant_id, {_NAMES}, recorded_at, n, prev, salt, subject, details)
    SELECT %(tenant)s, {_NAMES}, %(now)s, n, prev, salt,
           sha256('subject/1'::bytea || salt || convert_to(number, 'UTF8')),
           sha256('details/1'::bytea || salt || uuid_send(id) || sha256(convert_to(wording, 'UTF8'))
                  || sha256(convert_to(evidence::text, 'UTF8')))
    FROM (
        SELECT e.*, coalesce(last.n, 0) + 1 AS n, coalesce(last.leaf, '') AS prev,
               coalesce(last.salt, sha256((SELECT {_RANDOM}) || uuid_send(e.id))) AS salt
        FROM ({new}) e
        LEFT JOIN LATERAL (
            SELECT p.n, p.leaf, p.salt FROM consent_consentrecord p
            WHERE p.tenant_id = %(tenant)s AND p.number = e.number ORDER BY p.n DESC LIMIT 1
        ) last ON true
        ORDER BY e.number
        OFFSET 0
    ) chained
    RETURNING id
    """  # noqa: S608


def pending_sql(added: str) -> str:
    """The INSERT that tells the sealer of entries; ``added`` names a WITH query that gives their ids."""
    return f"""
    INSERT INTO consent_pendingseal (id, tenant_id, records, created_at)
    SELECT gen_random_uuid(), %(tenant)s, string_agg(uuid_send(id), ''::bytea ORDER BY id), clock_timestamp()
    FROM {added} HAVING count(*) > 0
    """  # noqa: S608


_TYPES: Final = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
APPEND_BODY: Final = (
    f"WITH added AS ({chained_sql(f'SELECT * FROM json_to_recordset(%(rows)s) AS r({_TYPES})')}) {pending_sql('added')}"  # noqa: S608
)
"""What the function ``consent_append`` does, which the migrations made of it: PostgreSQL keeps the plan of a function, and
planning this statement anew took longer than doing it."""
_APPEND: Final = "SELECT consent_append(%(rows)s, %(tenant)s, %(now)s)"


def append(records: Iterable[NewRecord]) -> None:
    """Add entries in their order; the caller holds the revocation lock alone. A statement for each round of a number."""
    rounds: list[list[NewRecord]] = []
    had: defaultdict[str, int] = defaultdict(int)
    for record in records:
        if had[record.number] == len(rounds):
            rounds.append([])
        rounds[had[record.number]].append(record)
        had[record.number] += 1
    with connection.cursor() as cursor:
        for one_each in rounds:
            rows = [[getattr(record, name) for name in COLUMNS] for record in one_each]
            values: dict[str, Any] = {"rows": json_rows(list(COLUMNS), rows), "tenant": current_tenant_id()}
            cursor.execute(_APPEND, {**values, "now": timezone.now()})
