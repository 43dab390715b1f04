"""The check of a file: each row is read, stored as ``ImportRow``, and told what will become of it.

Rows go by COPY into a temporary table (COPY into one behind row-level security is refused), a chunk at a time, and from
there into ``contacts_importrow`` by one statement that looks up the contact and the consent of each.
"""

import io
import json
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from django.db import DataError, connection, transaction

from common.ids import uuid7_seed, uuid7_sql
from contacts.fields import Kind, key_of
from contacts.folding import fold
from contacts.importing.consent_words import Said
from contacts.importing.decoding import Row
from contacts.importing.prediction import BEFORE, FACTS, NOTE, OUTCOME, parameters, refresh
from contacts.importing.records import MAX_KEPT_CHARACTERS
from contacts.importing.rows import Person, Rejected, RowReader
from contacts.models import ContactField, ContactImport, ImportRow
from tenants.scope import tenant_scope

__all__ = ["CANNOT_BE_STORED", "StagedRow", "count_outcomes", "find_repeated", "reader_of", "stage", "to_stage"]

CANNOT_BE_STORED: Final = "This row cannot be stored. Check it for unusual characters, or type it again."

_COLUMNS: Final = {
    "row_number": "int",
    "number": "text",
    "first_name": "text",
    "last_name": "text",
    "first_key": "text",
    "last_key": "text",
    "email": "text",
    "language": "text",
    "timezone": "text",
    "fields": "jsonb",
    "keys": "jsonb",
    "said": "text",
    "agreed_at": "timestamptz",
    "evidence": "jsonb",
    "problem": "text",
    "cells": "jsonb",
}
_TABS: Final = len(_COLUMNS) - 1
_ESCAPES: Final = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_quoted: Final = json.encoder.encode_basestring_ascii
_encode: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class StagedRow(NamedTuple):
    """A row in COPY's text format, with what is needed should the database refuse it."""

    number: int
    line: str
    row: Row


def reader_of(job: ContactImport) -> RowReader:
    """The reader of an import's rows."""
    with tenant_scope(job.tenant.id):
        own = list(ContactField.objects.filter(key__in=job.columns, deleted_at=None))
    types = {field.key: field.type for field in own}
    return RowReader(job.columns, job.tenant.country, types, job.tenant.countries)


def to_stage(row: Row, reader: RowReader) -> StagedRow:
    """Read a row."""
    if row.problem:
        return StagedRow(row.number, _rejected(row, reader, row.problem), row)
    try:
        person = reader.read(row.cells)
    except Rejected as problem:
        return StagedRow(row.number, _rejected(row, reader, str(problem)), row)
    return StagedRow(row.number, _line(row, reader, person), row)


def _line(row: Row, reader: RowReader, person: Person) -> str:
    first, last, fields = person.first_name, person.last_name, person.fields
    said, evidence = person.said, person.evidence
    if said is Said.STOP:
        evidence = {**evidence, "words": reader.answer(row.cells)[1][:MAX_KEPT_CHARACTERS]}
    values = (
        str(row.number),
        person.number,
        first,
        last,
        _key(first),
        _key(last),
        person.email,
        person.language,
        person.timezone,
        _object(fields) if fields else "",
        _keys(fields, reader.kinds) if fields else "",
        said.value if said else "",
        str(person.consent_at) if person.consent_at else "",
        _object(evidence) if evidence else "",
        "",
        "",
    )
    line = "\t".join(values)
    if "\\" in line or "\n" in line or "\r" in line or line.count("\t") != _TABS:
        return "\t".join([value.translate(_ESCAPES) for value in values])
    return line


def _key(name: str) -> str:
    """The folded name where it is more than the lower case, which the database makes itself."""
    return "" if name.isascii() and name.isalnum() else fold(name)


def _keys(fields: dict[str, str], kinds: Mapping[str, Kind]) -> str:
    """The keys of the index of values."""
    found = {name: key for name, value in fields.items() if name in kinds and (key := key_of(value, kinds[name]))}
    return _object(found) if found else ""


def _rejected(row: Row, reader: RowReader, problem: str) -> str:
    """A row without a person; whom it opts out counts all the same."""
    answer, words, number = reader.answer(row.cells)
    counts = answer in (Said.NO, Said.STOP)
    cells = [cell[:MAX_KEPT_CHARACTERS].replace("\x00", "\N{REPLACEMENT CHARACTER}") for cell in row.cells]
    values = {
        "row_number": str(row.number),
        "number": number if counts else "",
        "said": answer.value if answer and counts else "",
        "evidence": _encode({"words": words[:MAX_KEPT_CHARACTERS]}) if answer is Said.STOP else "",
        "problem": problem,
        "cells": _encode(cells),
    }
    return "\t".join(values.get(name, "").translate(_ESCAPES) for name in _COLUMNS)


def _object(values: dict[str, str]) -> str:
    return "{" + ",".join(f'"{name}":{_quoted(value)}' for name, value in values.items()) + "}"


_TYPES: Final = ", ".join(f"{name} {kind}" for name, kind in _COLUMNS.items())
_NEW_ID: Final = uuid7_sql("s.row_number")
_INSERT: Final = f"""
INSERT INTO contacts_importrow (
    tenant_id, contact_import_id, row_number, outcome, note, number, preferred, contact_id, first_name, last_name,
    first_key, last_key, email, language, timezone, fields, keys, said, is_repeated, agreed_at, evidence, problem, cells,
    before, undone)
SELECT %(tenant)s, %(import)s, s.row_number,
       CASE WHEN s.problem IS NULL THEN {OUTCOME} ELSE 'rejected' END, CASE WHEN s.problem IS NULL THEN {NOTE} ELSE '' END,
       coalesce(s.number, ''), o.number, CASE WHEN s.problem IS NULL THEN coalesce(c.id, {_NEW_ID}) END,
       coalesce(s.first_name, ''), coalesce(s.last_name, ''), s.first_key, s.last_key, coalesce(s.email, ''),
       coalesce(s.language, ''), coalesce(s.timezone, ''), coalesce(s.fields, '{{}}'), s.keys, coalesce(s.said, ''), false,
       s.agreed_at, s.evidence, coalesce(s.problem, ''), s.cells, CASE WHEN s.problem IS NULL THEN {BEFORE} END, ''
FROM staged s {FACTS}
"""  # noqa: S608


def stage(job: ContactImport, rows: Sequence[StagedRow]) -> None:
    """Store rows, in the caller's transaction. One that the database refuses is found and rejected."""
    try:
        with transaction.atomic():
            _insert(job, rows)
    except DataError:
        if len(rows) > 1:
            middle = len(rows) // 2
            stage(job, rows[:middle])
            stage(job, rows[middle:])
        elif rows[0].row.problem != CANNOT_BE_STORED:
            number, _, row = rows[0]
            refused = Row(number, row.cells, CANNOT_BE_STORED)
            stage(job, [to_stage(refused, reader_of(job))])
        else:
            raise


def _insert(job: ContactImport, rows: Sequence[StagedRow]) -> None:
    text = io.StringIO("\n".join([row.line for row in rows]))
    with connection.cursor() as cursor:
        # Not every call on a cursor turns the driver's errors into Django's, by which the caller knows them.
        with connection.wrap_database_errors:
            cursor.execute(f"CREATE TEMPORARY TABLE staged ({_TYPES}) ON COMMIT DROP")
            cursor.copy_expert("COPY staged FROM STDIN WITH (NULL '')", text)
        # Rows are looked up in far larger tables, by their indexes: the planner does not know how large they are.
        cursor.execute("SET LOCAL enable_mergejoin = off; SET LOCAL enable_memoize = off")
        cursor.execute(_INSERT, {**parameters(job, foretelling=True), **uuid7_seed()})
        cursor.execute("DROP TABLE staged")


_REPEATED: Final = """
CREATE TEMPORARY TABLE repeated ON COMMIT DROP AS
WITH people AS (
    SELECT coalesce(preferred, number) AS person, min(row_number) FILTER (WHERE outcome <> 'rejected') AS first_row
    FROM contacts_importrow
    WHERE tenant_id = %(tenant)s AND contact_import_id = %(import)s AND number <> ''
    GROUP BY 1 HAVING count(*) > 1
)
SELECT r.row_number, p.person, p.first_row, r.outcome <> 'rejected' AS counts,
       min(r.row_number) FILTER (WHERE r.outcome <> 'rejected') OVER (PARTITION BY r.number) AS voice,
       max(CASE r.said WHEN 'stop' THEN 3 WHEN 'no' THEN 2 WHEN 'yes' THEN 1 ELSE 0 END) OVER (PARTITION BY r.number)
           AS strictest
FROM people p JOIN contacts_importrow r ON coalesce(r.preferred, r.number) = p.person
WHERE r.tenant_id = %(tenant)s AND r.contact_import_id = %(import)s AND r.number <> ''
"""
"""All rows of the people who have several. Of a number's rows the first speaks for the others about consent."""

_MERGE: Final = """
UPDATE contacts_importrow r
SET outcome = 'merged', contact_id = f.contact_id, before = NULL, is_repeated = (t.row_number <> t.voice),
    note = CASE WHEN t.row_number <> t.voice THEN '' ELSE r.note END
FROM repeated t
JOIN contacts_importrow f ON f.tenant_id = %(tenant)s AND f.contact_import_id = %(import)s AND f.row_number = t.first_row
WHERE r.tenant_id = %(tenant)s AND r.contact_import_id = %(import)s AND r.row_number = t.row_number
  AND t.counts AND t.row_number <> t.first_row
"""

_SPEAK: Final = """
UPDATE contacts_importrow r SET said = CASE t.strictest WHEN 3 THEN 'stop' ELSE 'no' END
FROM repeated t
WHERE r.tenant_id = %(tenant)s AND r.contact_import_id = %(import)s AND r.row_number = t.row_number
  AND t.row_number = t.voice AND t.strictest >= 2
"""
"""A no on one row beats a yes on another row with the same number."""

_FIRST: Final = "(array_agg({0} ORDER BY r.row_number) FILTER (WHERE r.{1} <> ''))[1]"
_ALL: Final = """
coalesce((
    SELECT jsonb_object_agg(v.key, v.value ORDER BY i.row_number DESC)
    FROM repeated u
    JOIN contacts_importrow i ON i.tenant_id = %(tenant)s AND i.contact_import_id = %(import)s
         AND i.row_number = u.row_number
    CROSS JOIN jsonb_each(i.{0}) v
    WHERE u.first_row = t.first_row AND u.counts
), '{{}}')"""
_FILL: Final = f"""
UPDATE contacts_importrow f
SET {", ".join(f"{name} = coalesce(g.{name}, '')" for name in ("first_name", "last_name", "email", "language", "timezone"))},
    first_key = g.first_key, last_key = g.last_key, fields = g.fields, keys = g.keys
FROM (
    SELECT t.first_row,
           {", ".join(f"{_FIRST.format('r.' + name, name)} AS {name}" for name in ("first_name", "last_name", "email", "language", "timezone"))},
           {_FIRST.format("r.first_key", "first_name")} AS first_key, {_FIRST.format("r.last_key", "last_name")} AS last_key,
           {_ALL.format("fields")} AS fields, {_ALL.format("keys")} AS keys
    FROM repeated t
    JOIN contacts_importrow r ON r.tenant_id = %(tenant)s AND r.contact_import_id = %(import)s
         AND r.row_number = t.row_number
    WHERE t.counts GROUP BY t.first_row HAVING count(*) > 1
) g
WHERE f.tenant_id = %(tenant)s AND f.contact_import_id = %(import)s AND f.row_number = g.first_row
"""  # noqa: S608
"""The rows of one person count as one row: the first value of each kind."""


def find_repeated(job: ContactImport) -> dict[str, int]:
    """When all rows are stored: merge those of one person, let a no count for all rows of its number, and return how
    many rows have which outcome."""
    values = parameters(job, foretelling=True)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL work_mem = '128MB'; SET LOCAL statement_timeout = '300s'")
        cursor.execute(_REPEATED, values)
        if cursor.rowcount:
            cursor.execute(
                "CREATE INDEX ON repeated (row_number); CREATE INDEX ON repeated (first_row); ANALYZE repeated"
            )
            for statement in (_MERGE, _SPEAK, _FILL):
                cursor.execute(statement, values)
            everything = {**values, "first": 0, "last": job.last_row}
            refresh(everything, "s.row_number IN (SELECT row_number FROM repeated WHERE counts)")
    return count_outcomes(job)


def count_outcomes(job: ContactImport) -> dict[str, int]:
    """How many rows have which outcome."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT outcome, count(*) FROM contacts_importrow WHERE tenant_id = %s AND contact_import_id = %s GROUP BY 1",
            [job.tenant_id, job.id],
        )
        found = dict(cursor.fetchall())
    return {outcome: found[outcome] for outcome in ImportRow.Outcome.values if outcome in found}
