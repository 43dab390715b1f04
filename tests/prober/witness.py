"""Who is written to: a trigger on every table notes the tenant, or the person, of each row that changes.

It is the owner's, so that it sees what row-level security hides, and it is part of the test's transaction: the
rollback after each probe takes its notes away with the writes themselves.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from django.db import connection

from tests.prober.belts import as_database_owner

__all__ = ["Write", "forget", "install", "writes"]

_OWNERS: Final = ("tenant_id", "user_id")
"""The columns that say whose a row is; the tenants and the users themselves are known by their id."""
_OF_THEMSELVES: Final = ("tenants_tenant", "tenants_user")

_NOTES: Final = """
CREATE TABLE prober_notes (n bigserial, at text, act text, owner text);
GRANT ALL ON prober_notes TO PUBLIC;
CREATE FUNCTION prober_note() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        INSERT INTO prober_notes (at, act, owner) VALUES (TG_TABLE_NAME, TG_OP, to_jsonb(OLD) ->> TG_ARGV[0]);
    END IF;
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO prober_notes (at, act, owner) VALUES (TG_TABLE_NAME, TG_OP, to_jsonb(NEW) ->> TG_ARGV[0]);
    END IF;
    RETURN NULL;
END $$;
"""
_TABLES: Final = """
SELECT c.relname, min(a.attname) FROM pg_class c
LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND NOT a.attisdropped AND a.attname = ANY(%s)
WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace AND c.relname <> 'prober_notes'
GROUP BY c.relname
"""


@dataclass(frozen=True, slots=True)
class Write:
    """One row that was written: where, how, and the id of the tenant or person it belongs to."""

    table: str
    act: str
    owner: str


def install() -> None:
    """Put the trigger on every table that belongs to somebody."""
    with as_database_owner(), connection.cursor() as cursor:
        cursor.execute(_NOTES)
        cursor.execute(_TABLES, [list(_OWNERS)])
        for table, owner in cursor.fetchall():
            column = "id" if table in _OF_THEMSELVES else owner
            if column:
                cursor.execute(
                    f'CREATE TRIGGER prober AFTER INSERT OR UPDATE OR DELETE ON "{table}" FOR EACH ROW '
                    f"EXECUTE FUNCTION prober_note('{column}')"
                )


def forget() -> None:
    """Begin anew: what was written so far made the world."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM prober_notes")


def writes() -> Iterator[Write]:
    """What was written since the probe began."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT at, act, coalesce(owner, '') FROM prober_notes ORDER BY n")
        for row in cursor.fetchall():
            yield Write(*row)
