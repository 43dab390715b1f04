"""Many rows in one statement.

``COPY ... FROM`` is refused by PostgreSQL on a table with row-level security, so thousands of rows go in as one
JSON parameter that the server unfolds; hundreds of thousands go through a temporary table (``copy_rows``).
"""

import io
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import connection

__all__ = ["copy_rows", "insert_rows", "json_rows"]


def json_rows(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """The rows as a JSON array of objects, for ``json_to_recordset``.

    A statement that joins them to a tenant's table should join on ``(tenant_id, id)`` with both in the rows: with the
    tenant as a constant instead, and statistics older than the rows, PostgreSQL reads all of the tenant's rows.
    """
    return json.dumps([dict(zip(columns, row, strict=True)) for row in rows], default=_plain)


def insert_rows(
    table: str, columns: Mapping[str, str], rows: Iterable[Sequence[object]], *, on_conflict: str = ""
) -> int:
    """Insert rows into ``table`` in one statement and return how many went in.

    ``columns`` maps column names to PostgreSQL types, in the order of the values of each row. ``on_conflict`` is the
    SQL after ``ON CONFLICT``. Names come from our own code, never from input.
    """
    names = ", ".join(f'"{name}"' for name in columns)
    types = ", ".join(f'"{name}" {kind}' for name, kind in columns.items())
    clause = f" ON CONFLICT {on_conflict}" if on_conflict else ""
    with connection.cursor() as cursor:
        cursor.execute(
            f'INSERT INTO "{table}" ({names}) SELECT {names} FROM json_to_recordset(%s) AS r({types}){clause}',  # noqa: S608
            [json_rows(list(columns), rows)],
        )
        return int(cursor.rowcount)


def copy_rows(table: str, columns: Mapping[str, str], rows: Iterable[Sequence[object]]) -> None:
    """Fill a new temporary table, dropped at commit, by ``COPY``. Must run inside a transaction."""
    buffer = io.StringIO()
    for row in rows:
        buffer.write("\t".join(_cell(value) for value in row))
        buffer.write("\n")
    buffer.seek(0)
    types = ", ".join(f'"{name}" {kind}' for name, kind in columns.items())
    with connection.cursor() as cursor:
        cursor.execute(f'CREATE TEMPORARY TABLE "{table}" ({types}) ON COMMIT DROP')
        cursor.copy_expert(f'COPY "{table}" FROM STDIN', buffer)


_ESCAPES: Final = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def _cell(value: object) -> str:
    """One value in COPY's text format."""
    if value is None:
        return "\\N"
    if isinstance(value, dict | list):
        value = json.dumps(value, default=_plain)
    return str(value).translate(_ESCAPES)


def _plain(value: Any) -> str:
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} cannot be sent to the database in bulk")
