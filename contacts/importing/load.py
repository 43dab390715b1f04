"""Putting a chunk of rows into the database: set-based, in the caller's transaction.

The rows go through a temporary table; one statement each then finds repeated numbers, upserts the contacts, and
writes the outcome of every row.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import connection
from django.utils import timezone

from common.bulk import copy_rows, insert_rows
from common.ids import uuid7
from consent.ledger import OptIn, record_opt_ins
from consent.models import ConsentRecord, ConsentState
from consent.services import suppressed_among
from contacts.importing.rows import Person
from contacts.models import ContactImport, ContactTag, ImportRow, ListMember
from contacts.querysets import search_key
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
UPDATE staged s SET outcome = 'merged'
FROM (SELECT row_number, row_number() OVER (PARTITION BY number ORDER BY row_number) AS nth FROM staged) counted
WHERE counted.row_number = s.row_number AND counted.nth > 1;
UPDATE staged s SET outcome = 'merged'
FROM contacts_importrow done
WHERE s.outcome IS NULL AND done.tenant_id = s.tenant_id AND done.contact_import_id = %(import)s
  AND done.number = s.number AND done.outcome <> 'rejected'
"""
"""Of rows with one number the first counts, in this chunk or in an earlier one. The planner must know how many rows
were staged, or it compares each with each."""

_UPSERT: Final = """
WITH landed AS (
    INSERT INTO contacts_contact AS c (id, tenant_id, number, first_name, last_name, first_key, last_key, email,
                                       language, timezone, fields, created_at, updated_at)
    SELECT contact_id, tenant_id, number, first_name, last_name, first_key, last_key, email,
           language, timezone, fields, %(now)s, %(now)s
    FROM staged WHERE outcome IS NULL ORDER BY number
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
FROM landed WHERE landed.number = s.number AND s.outcome IS NULL
"""

_FILL_BLANKS: Final = """
WITH later AS (
    SELECT DISTINCT ON (number) * FROM staged WHERE outcome = 'merged' ORDER BY number, row_number
)
UPDATE contacts_contact c SET
    first_name = coalesce(nullif(c.first_name, ''), later.first_name),
    first_key = coalesce(nullif(c.first_key, ''), later.first_key),
    last_name = coalesce(nullif(c.last_name, ''), later.last_name),
    last_key = coalesce(nullif(c.last_key, ''), later.last_key),
    email = coalesce(nullif(c.email, ''), later.email),
    fields = later.fields || c.fields
FROM later WHERE c.tenant_id = later.tenant_id AND c.number = later.number
"""

_FIND_THE_REST: Final = """
UPDATE staged s SET contact_id = c.id, outcome = coalesce(s.outcome, 'unchanged')
FROM contacts_contact c
WHERE c.tenant_id = s.tenant_id AND c.number = s.number AND (s.outcome IS NULL OR s.outcome = 'merged')
"""


def load_chunk(job: ContactImport, rows: Sequence[ReadRow]) -> Counter[str]:
    """Load one chunk of rows of an import and return how many had which outcome."""
    people = [row for row in rows if row.person is not None]
    landed = _upsert(job, people) if people else []
    notes = _record_consent(job, landed)
    _join_list_and_tag(job, [contact_id for _, contact_id, _, _, _, _ in landed])
    _write_outcomes(job, rows, landed, notes)
    outcomes = Counter(outcome for _, _, _, outcome, _, _ in landed)
    outcomes[ImportRow.Outcome.REJECTED.value] += len(rows) - len(people)
    return +outcomes


Landed = tuple[int, UUID, str, str, bool | None, datetime | None]
"""Row number, contact, number, outcome, consented, consent_at."""


def _upsert(job: ContactImport, people: Sequence[ReadRow]) -> list[Landed]:
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
        landed: list[Landed] = cursor.fetchall()
        cursor.execute("DROP TABLE staged")
    return landed


def _staged(tenant_id: UUID, row: ReadRow) -> tuple[object, ...]:
    person = row.person
    assert person is not None  # noqa: S101 - the caller passes rows with a person only
    return (
        tenant_id,
        row.number,
        uuid7(),
        person.number,
        person.first_name,
        person.last_name,
        search_key(person.first_name),
        search_key(person.last_name),
        person.email,
        person.language,
        person.timezone,
        person.fields,
        person.consented,
        person.consent_at,
    )


def _record_consent(job: ContactImport, landed: Sequence[Landed]) -> dict[int, str]:
    """Record who agreed to what; returns a note for each row that did not become textable.

    A number that opted out stays out, whatever a file says: only the person can come back.
    """
    purposes = [purpose for purpose in job.purposes if job.may_prove(purpose)]
    suppressed = suppressed_among(numbers={number for _, _, number, _, _, _ in landed})
    notes = {row: "opted_out" for row, _, number, _, _, _ in landed if number in suppressed}
    agreed = [
        (row, number, consent_at)
        for row, _, number, _, consented, consent_at in landed
        if number not in suppressed and (consented or (consented is None and purposes))
    ]
    with_consent = {row for row, _, _ in agreed} if purposes else set()
    without = {row: number for row, _, number, *_ in landed if row not in notes and row not in with_consent}
    earlier = set(
        ConsentState.objects.filter(number__in=set(without.values()), act=ConsentRecord.Act.OPT_IN).values_list(
            "number", flat=True
        )
    )
    notes.update({row: "no_consent" for row, number in without.items() if number not in earlier})
    for purpose in purposes:
        _opt_in(job, purpose, agreed, notes)
    return notes


def _opt_in(
    job: ContactImport, purpose: str, agreed: Sequence[tuple[int, str, datetime | None]], notes: dict[int, str]
) -> None:
    known = dict(
        ConsentState.objects.filter(number__in=[number for _, number, _ in agreed], purpose=purpose).values_list(
            "number", "act"
        )
    )
    opt_ins: dict[str, OptIn] = {}
    for row, number, consent_at in agreed:
        if known.get(number) == ConsentRecord.Act.OPT_OUT:
            notes[row] = "opted_out"
        elif number not in known and number not in opt_ins:
            opt_ins[number] = OptIn(
                number=number,
                purpose=purpose,
                source=job.basis,
                wording=job.consent_note,
                evidence={"import": str(job.id), "file": job.file_name, "sha256": job.sha256, "row": row},
                occurred_at=consent_at,
            )
    if opt_ins:
        record_opt_ins(list(opt_ins.values()), actor_id=job.created_by_id)


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
    job: ContactImport, rows: Sequence[ReadRow], landed: Sequence[Landed], notes: dict[int, str]
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
        (uuid7(), *base, row, outcome, number, contact_id, "", notes.get(row, ""), None)
        for row, contact_id, number, outcome, _, _ in landed
    ]
    written += [
        (uuid7(), *base, row.number, ImportRow.Outcome.REJECTED.value, "", None, row.problem, "", _storable(row.cells))
        for row in rows
        if row.person is None
    ]
    insert_rows(ImportRow._meta.db_table, columns, written)


def _storable(cells: Sequence[str]) -> list[str]:
    """Cells as they were, except for NUL, which PostgreSQL cannot keep."""
    return [cell.replace("\x00", "\N{REPLACEMENT CHARACTER}") for cell in cells]
