"""Putting a chunk of rows into the database: set-based, in the caller's transaction.

The rows go through a temporary table; one statement each then finds repeated numbers, upserts the contacts, and
writes the outcome of every row.
"""

from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from django.db import connection
from django.utils import timezone

from common.bulk import copy_rows, insert_rows
from common.ids import uuid7
from consent.ledger import OptIn, record_opt_ins
from consent.models import ConsentRecord, ConsentState
from consent.revocation_lock import hold_exclusively
from consent.services import suppressed_among
from contacts.folding import fold
from contacts.importing.records import MAX_KEPT_CHARACTERS
from contacts.importing.rows import Person
from contacts.models import ContactImport, ContactTag, ImportRow, ListMember
from contacts.number_lock import share
from contacts.values import add_values, refresh_values
from tenants.scope import current_tenant_id

__all__ = ["ReadRow", "load_chunk"]


@dataclass(frozen=True, slots=True)
class ReadRow:
    """A row as read: a person, or the problem and the cells to hand back."""

    number: int
    person: Person | None
    problem: str = ""
    cells: Sequence[str] = ()


_STAGED_COLUMNS: Final = {
    "tenant_id": "uuid",
    "row_number": "int",
    "contact_id": "uuid",
    "number": "text",
    "preferred": "text",
    "first_name": "text",
    "last_name": "text",
    "first_key": "text",
    "last_key": "text",
    "email": "text",
    "language": "text",
    "timezone": "text",
    "fields": "jsonb",
    "consented": "boolean",
    "consent_at": "timestamptz",
}

_MARK_REPEATED: Final = """
ALTER TABLE staged ADD COLUMN outcome text;
ANALYZE staged;
UPDATE staged s SET preferred = c.number
FROM contacts_contactnumber n JOIN contacts_contact c ON c.tenant_id = n.tenant_id AND c.id = n.contact_id
WHERE n.tenant_id = s.tenant_id AND n.number = s.number;
UPDATE staged s SET outcome = 'merged'
FROM (SELECT row_number, row_number() OVER (PARTITION BY preferred ORDER BY row_number) AS nth FROM staged) counted
WHERE counted.row_number = s.row_number AND counted.nth > 1;
UPDATE staged s SET outcome = 'merged'
FROM contacts_importrow done
WHERE s.outcome IS NULL AND done.tenant_id = s.tenant_id AND done.contact_import_id = %(import)s
  AND done.number = s.number AND done.outcome <> 'rejected'
"""
"""A row with somebody's further number is about that person, whom ``preferred`` then names. Of rows with one number the
first counts, in this chunk or in an earlier one. The planner must know how many rows
were staged, or it compares each with each."""

_UPSERT: Final = """
WITH landed AS (
    INSERT INTO contacts_contact AS c (id, tenant_id, number, first_name, last_name, first_key, last_key, email,
                                       language, timezone, fields, created_at, updated_at)
    SELECT contact_id, tenant_id, preferred, first_name, last_name, first_key, last_key, email,
           language, timezone, fields, %(now)s, %(now)s
    FROM staged WHERE outcome IS NULL ORDER BY preferred
    ON CONFLICT (tenant_id, number) DO UPDATE SET
        first_name = coalesce(nullif(excluded.first_name, ''), c.first_name),
        first_key = coalesce(nullif(excluded.first_key, ''), c.first_key),
        last_name = coalesce(nullif(excluded.last_name, ''), c.last_name),
        last_key = coalesce(nullif(excluded.last_key, ''), c.last_key),
        email = coalesce(nullif(excluded.email, ''), c.email),
        language = coalesce(nullif(excluded.language, ''), c.language),
        timezone = coalesce(nullif(excluded.timezone, ''), c.timezone),
        fields = c.fields || excluded.fields,
        updated_at = excluded.updated_at
    WHERE (coalesce(nullif(excluded.first_name, ''), c.first_name), coalesce(nullif(excluded.last_name, ''), c.last_name),
           coalesce(nullif(excluded.email, ''), c.email), coalesce(nullif(excluded.language, ''), c.language),
           coalesce(nullif(excluded.timezone, ''), c.timezone), c.fields || excluded.fields)
          IS DISTINCT FROM (c.first_name, c.last_name, c.email, c.language, c.timezone, c.fields)
    RETURNING c.id, c.number
)
UPDATE staged s
SET outcome = CASE WHEN landed.id = s.contact_id THEN 'created' ELSE 'updated' END, contact_id = landed.id
FROM landed WHERE landed.number = s.preferred AND s.outcome IS NULL
"""

_FILL_BLANKS: Final = """
WITH later AS (
    SELECT DISTINCT ON (preferred) * FROM staged WHERE outcome = 'merged' ORDER BY preferred, row_number
)
UPDATE contacts_contact c SET
    first_name = coalesce(nullif(c.first_name, ''), later.first_name),
    first_key = coalesce(nullif(c.first_key, ''), later.first_key),
    last_name = coalesce(nullif(c.last_name, ''), later.last_name),
    last_key = coalesce(nullif(c.last_key, ''), later.last_key),
    email = coalesce(nullif(c.email, ''), later.email),
    fields = later.fields || c.fields
FROM later WHERE c.tenant_id = later.tenant_id AND c.number = later.preferred
"""

_FIND_THE_REST: Final = """
UPDATE staged s SET contact_id = c.id, outcome = coalesce(s.outcome, 'unchanged')
FROM contacts_contact c
WHERE c.tenant_id = s.tenant_id AND c.number = s.preferred AND (s.outcome IS NULL OR s.outcome = 'merged')
"""


def load_chunk(job: ContactImport, rows: Sequence[ReadRow], refused: Set[str] = frozenset()) -> Counter[str]:
    """Load one chunk of rows of an import and return how many had which outcome.

    ``refused`` are the numbers for which some row of the file says no. Consent comes last: from there on the
    revocation lock is held, for which the STOPs of the tenant's people wait.
    """
    people = [row for row in rows if row.person is not None]
    landed = _upsert(job, people) if people else []
    _index_values(people, landed)
    _join_list_and_tag(job, [one.contact_id for one in landed])
    purposes = [purpose for purpose in job.purposes if job.may_prove(purpose)]
    agreed = [one for one in landed if purposes and one.consented is not False and one.number not in refused]
    _write_outcomes(job, rows, landed, _notes(landed, agreed))
    _record_consent(job, purposes, landed, agreed)
    outcomes = Counter(one.outcome for one in landed)
    outcomes[ImportRow.Outcome.REJECTED.value] += len(rows) - len(people)
    return +outcomes


class _Landed(NamedTuple):
    """A row that has its contact."""

    row: int
    contact_id: UUID
    number: str
    outcome: str
    consented: bool | None
    consent_at: datetime | None


def _upsert(job: ContactImport, people: Sequence[ReadRow]) -> list[_Landed]:
    share()
    with connection.wrap_database_errors:
        # Not every call on a cursor turns the driver's errors into Django's, by which the caller knows them.
        copy_rows("staged", _STAGED_COLUMNS, [_staged(current_tenant_id(), row) for row in people])
    facts: dict[str, UUID | datetime] = {"import": job.id, "now": timezone.now()}
    with connection.cursor() as cursor:
        cursor.execute(_MARK_REPEATED, facts)
        cursor.execute(_UPSERT, facts)
        cursor.execute(_FILL_BLANKS, facts)
        cursor.execute(_FIND_THE_REST, facts)
        cursor.execute(
            "SELECT row_number, contact_id, number, outcome, consented, consent_at FROM staged ORDER BY row_number"
        )
        landed = [_Landed(*row) for row in cursor.fetchall()]
        cursor.execute("DROP TABLE staged")
    return landed


def _index_values(people: Sequence[ReadRow], landed: Sequence["_Landed"]) -> None:
    """Index the values of the tenant's own fields: those of new contacts are known, of others they are read again."""
    own = {row.number: row.person.fields for row in people if row.person and row.person.fields}
    having = [one for one in landed if one.row in own]
    again = {one.contact_id for one in having if one.outcome in ("updated", "merged")}
    refresh_values(again)
    add_values(
        (one.contact_id, own[one.row]) for one in having if one.outcome == "created" and one.contact_id not in again
    )


def _staged(tenant_id: UUID, row: ReadRow) -> tuple[object, ...]:
    person = row.person
    assert person is not None  # noqa: S101 - the caller passes rows with a person only
    return (
        tenant_id,
        row.number,
        uuid7(),
        person.number,
        person.number,
        person.first_name,
        person.last_name,
        fold(person.first_name),
        fold(person.last_name),
        person.email,
        person.language,
        person.timezone,
        person.fields,
        person.consented,
        person.consent_at,
    )


def _notes(landed: Sequence[_Landed], agreed: Sequence[_Landed]) -> dict[int, str]:
    """What is worth knowing of the rows without an agreement: whether there is one from earlier, which holds."""
    with_consent = {one.row for one in agreed}
    without = {one.row: one.number for one in landed if one.row not in with_consent}
    earlier = set(
        ConsentState.objects.filter(number__in=set(without.values()), act=ConsentRecord.Act.OPT_IN).values_list(
            "number", flat=True
        )
    )
    return {row: "agreed_earlier" if number in earlier else "no_consent" for row, number in without.items()}


def _record_consent(
    job: ContactImport, purposes: Sequence[str], landed: Sequence[_Landed], agreed: Sequence[_Landed]
) -> None:
    """Record who agreed to what, and note the rows of those who opted out.

    A number that opted out stays out, whatever a file says: only the person can come back. Who has opted out is
    asked under the lock, so that no STOP comes between the question and the record.
    """
    if agreed:
        hold_exclusively()
    suppressed = suppressed_among(numbers={one.number for one in landed})
    out = {one.row for one in landed if one.number in suppressed}
    candidates = [one for one in agreed if one.row not in out]
    for purpose in purposes:
        out |= _opt_in(job, purpose, candidates)
    if out:
        ImportRow.objects.filter(contact_import=job, row_number__in=out).update(note="opted_out")


def _opt_in(job: ContactImport, purpose: str, agreed: Sequence[_Landed]) -> set[int]:
    """Record the agreements to one purpose that are new; returns the rows whose people have opted out of it."""
    known = dict(
        ConsentState.objects.filter(number__in=[one.number for one in agreed], purpose=purpose).values_list(
            "number", "act"
        )
    )
    opt_ins: dict[str, OptIn] = {}
    for one in agreed:
        if one.number not in known and one.number not in opt_ins:
            opt_ins[one.number] = OptIn(
                number=one.number,
                purpose=purpose,
                source=job.basis,
                wording=job.consent_note,
                evidence=job.evidence(one.row),
                occurred_at=one.consent_at,
            )
    if opt_ins:
        record_opt_ins(list(opt_ins.values()), actor_id=job.created_by_id)
    return {one.row for one in agreed if known.get(one.number) == ConsentRecord.Act.OPT_OUT}


def _join_list_and_tag(job: ContactImport, contact_ids: Sequence[UUID]) -> None:
    members = sorted(set(contact_ids))
    for model, column, target in (
        (ListMember, "contact_list_id", job.contact_list_id),
        (ContactTag, "tag_id", job.tag_id),
    ):
        if target and members:
            insert_rows(
                model._meta.db_table,
                {"id": "uuid", "tenant_id": "uuid", column: "uuid", "contact_id": "uuid"},
                [(uuid7(), job.tenant_id, target, contact_id) for contact_id in members],
                on_conflict="DO NOTHING",
            )


def _write_outcomes(
    job: ContactImport, rows: Sequence[ReadRow], landed: Sequence[_Landed], notes: Mapping[int, str]
) -> None:
    columns = {
        "id": "uuid",
        "tenant_id": "uuid",
        "contact_import_id": "uuid",
        "row_number": "int",
        "outcome": "text",
        "number": "text",
        "contact_id": "uuid",
        "problem": "text",
        "note": "text",
        "cells": "jsonb",
    }
    base = (job.tenant_id, job.id)
    written: list[tuple[object, ...]] = [
        (uuid7(), *base, one.row, one.outcome, one.number, one.contact_id, "", notes.get(one.row, ""), None)
        for one in landed
    ]
    written += [
        (uuid7(), *base, row.number, ImportRow.Outcome.REJECTED.value, "", None, row.problem, "", _storable(row.cells))
        for row in rows
        if row.person is None
    ]
    insert_rows(ImportRow._meta.db_table, columns, written)


def _storable(cells: Sequence[str]) -> list[str]:
    """Cells to be handed back: as they were, but for their length and for NUL, which PostgreSQL cannot keep."""
    return [cell[:MAX_KEPT_CHARACTERS].replace("\x00", "\N{REPLACEMENT CHARACTER}") for cell in cells]
