"""Signs that a list was bought or made up. Whoever imports it must say that it was not."""

from typing import Final

from django.db import connection

from contacts.models import ContactImport

__all__ = ["find_warnings"]

_LOOKED_AT: Final = 200_000
"""Rows from the front: a list that was bought shows it everywhere."""
_SEQUENTIAL: Final = 250
_ENOUGH_ROWS: Final = 200
"""Of fewer rows a share says little."""
_REJECTED_SHARE: Final = 0.2
_NAMELESS_SHARE: Final = 0.95
_STRANGE_SHARE: Final = 0.8
_ENOUGH_CONTACTS: Final = 2_000
"""A business with fewer is still finding its people: where they live says nothing about a new list."""

_SEQUENTIAL_NUMBERS: Final = """
SELECT coalesce(max(length), 0) FROM (
    SELECT count(*) AS length FROM (
        SELECT n - row_number() OVER (ORDER BY n) AS island FROM (
            SELECT DISTINCT number::bigint AS n FROM contacts_importrow
            WHERE tenant_id = %(tenant)s AND contact_import_id = %(import)s AND row_number <= %(upto)s
              AND outcome NOT IN ('merged', 'rejected')
        ) numbers
    ) islands GROUP BY island
) runs
"""

_SHARES: Final = """
SELECT count(*), count(*) FILTER (WHERE outcome = 'rejected'),
       count(*) FILTER (WHERE outcome <> 'rejected' AND first_name = '' AND last_name = '' AND email = '')
FROM contacts_importrow
WHERE tenant_id = %(tenant)s AND contact_import_id = %(import)s AND row_number <= %(upto)s
"""

_STRANGE_AREAS: Final = """
WITH known AS (
    SELECT DISTINCT left(number, 5) AS area FROM (
        SELECT number FROM contacts_contact WHERE tenant_id = %(tenant)s ORDER BY id DESC LIMIT 20000
    ) newest
), counted AS (
    SELECT left(number, 5) AS area, count(*) AS rows FROM contacts_importrow
    WHERE tenant_id = %(tenant)s AND contact_import_id = %(import)s AND row_number <= %(upto)s AND outcome = 'created'
    GROUP BY 1
)
SELECT (SELECT count(*) FROM (SELECT FROM contacts_contact WHERE tenant_id = %(tenant)s LIMIT %(enough)s) enough),
       coalesce(sum(rows), 0)::bigint,
       coalesce(sum(rows) FILTER (WHERE area NOT IN (SELECT area FROM known)), 0)::bigint
FROM counted
"""


def find_warnings(job: ContactImport) -> list[dict[str, object]]:
    """What is suspicious about a checked file: each sign with the sentence that names it."""
    values = {"tenant": job.tenant_id, "import": job.id, "upto": _LOOKED_AT, "enough": _ENOUGH_CONTACTS}
    found: list[dict[str, object]] = []
    with connection.cursor() as cursor:
        cursor.execute(_SEQUENTIAL_NUMBERS, values)
        (longest,) = cursor.fetchone()
        if longest >= _SEQUENTIAL:
            found.append(_sign("sequential", f"{longest:,} numbers follow one another, as in a made-up list."))
        cursor.execute(_SHARES, values)
        rows, rejected, nameless = cursor.fetchone()
        if rows >= _ENOUGH_ROWS:
            if rejected >= _REJECTED_SHARE * rows:
                found.append(
                    _sign("rejected", f"{rejected:,} of {rows:,} rows cannot be used; old lists look like this.")
                )
            if nameless >= _NAMELESS_SHARE * (rows - rejected) > 0:
                found.append(_sign("nameless", "Hardly anybody has a name or an e-mail address."))
        cursor.execute(_STRANGE_AREAS, values)
        contacts, created, strange = cursor.fetchone()
        if contacts >= _ENOUGH_CONTACTS and created >= _ENOUGH_ROWS and strange >= _STRANGE_SHARE * created:
            found.append(
                _sign(
                    "areas",
                    f"{strange:,} of {created:,} new people live where none of your contacts do, by their area codes.",
                )
            )
    return found


def _sign(name: str, text: str) -> dict[str, object]:
    return {"sign": name, "text": text}
