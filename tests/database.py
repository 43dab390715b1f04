"""The test database: made by the owner, used by the runtime role, emptied after each test that commits."""

import secrets
from typing import Final

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

__all__ = ["create", "destroy", "empty"]

KEPT: Final = ("django_migrations", "django_content_type", "auth_permission")
"""What the migrations leave there and no test changes."""
BLOAT: Final = 8_000_000
"""Bytes of rows, most of them dead, from which on the tables are made anew."""
_USED = """
SELECT string_agg(quote_ident(relname), ','), coalesce(sum(pg_relation_size(oid)), 0) FROM pg_class
WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname <> ALL(%s) AND (pg_relation_size(oid) > 0 OR %s)
"""
_LEDGER = """
SELECT tgrelid::regclass::text, tgname FROM pg_trigger
WHERE tgname IN ('ledger_keep', 'ledger_whole') AND (pg_relation_size(tgrelid) > 0 OR %s)
"""
_runtime_options: dict[str, object] = {}


def create(*, worker: str) -> None:
    """Create and migrate a fresh database as its owner, then reconnect as the runtime role."""
    options = connection.settings_dict["OPTIONS"]
    _runtime_options.update(options)
    connection.close()
    options["runtime"] = False
    options.pop("assume_role", None)
    connection.settings_dict["TEST"]["NAME"] = f"test_{worker or 'main'}_{secrets.token_hex(4)}"
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    _use(_runtime_options)


def destroy() -> None:
    """Drop the database again."""
    name = connection.settings_dict["NAME"]
    options = dict(_runtime_options) | {"runtime": False}
    options.pop("assume_role", None)
    _use(options)
    connection.creation.destroy_test_db(name, verbosity=0)


def empty() -> None:
    """Take all rows away, as the owner: the product itself may not.

    Rows are deleted: truncating makes hundreds of files anew, which costs more than most tests do.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        tables, size = _used(cursor, all_of_them=False)
        if tables is None:
            return
        cursor.execute("SET LOCAL ROLE NONE; SET LOCAL app.all_tenants = 'on'")
        # Waits for whoever still writes there.
        cursor.execute(f"LOCK TABLE {tables} IN ACCESS EXCLUSIVE MODE")
        cursor.execute(_LEDGER, [size > BLOAT])
        kept = cursor.fetchall()
        # What the ledger keeps from everybody, the owner too.
        for table, name in kept:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER {name}")
        if size > BLOAT:
            tables, _ = _used(cursor, all_of_them=True)
            cursor.execute(f"TRUNCATE {tables}")
        else:
            # Foreign keys are looked at when the transaction ends.
            cursor.execute(
                "SET CONSTRAINTS ALL DEFERRED;" + ";".join(f"DELETE FROM {one}" for one in tables.split(","))
            )
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table, name in kept:
            cursor.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}")


def _used(cursor: CursorWrapper, *, all_of_them: bool) -> tuple[str | None, int]:
    cursor.execute(_USED, [list(KEPT), all_of_them])
    found: tuple[str | None, int] = cursor.fetchone()
    return found


def _use(options: dict[str, object]) -> None:
    connection.close()
    connection.settings_dict["OPTIONS"].clear()
    connection.settings_dict["OPTIONS"].update(options)
