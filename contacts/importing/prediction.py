"""What becomes of a row, in SQL: said by the check for all rows, and asked again where the import finds it otherwise.

The statements are put together from the fragments here, so that what was foretold and what happens cannot differ.
``s`` is the row: of the staging table or of ``contacts_importrow``, where an empty value is null or ''.
"""

from collections.abc import Mapping
from typing import Any, Final

from django.db import connection
from django.utils import timezone

from common.bulk import json_rows
from consent.models import ChangedNumber, ConsentState, Suppression
from consent.renewal import has_ended_sql
from consent.validity import expiry_in_force
from contacts.models import ContactImport
from contacts.zones import ZoneSource

__all__ = [
    "AGREED",
    "BEFORE",
    "CONTACT_VALUES",
    "FACTS",
    "NOTE",
    "OUTCOME",
    "RANGE",
    "parameters",
    "refresh",
    "refresh_notes",
]

RANGE: Final = (
    "s.tenant_id = %(tenant)s AND s.contact_import_id = %(import)s AND s.row_number BETWEEN %(first)s AND %(last)s"
)

FACTS: Final = f"""
LEFT JOIN contacts_contactnumber n ON n.tenant_id = %(tenant)s AND n.number = s.number
LEFT JOIN contacts_contact o ON o.tenant_id = n.tenant_id AND o.id = n.contact_id
LEFT JOIN contacts_contact c ON c.tenant_id = %(tenant)s AND c.number = coalesce(o.number, s.number)
LEFT JOIN consent_suppression x ON %(suppressions)s AND x.tenant_id = %(tenant)s AND x.number = s.number
     AND x.lifted_at IS NULL
LEFT JOIN LATERAL (
    SELECT bool_or(act = 'opt_out' AND purpose = ANY(%(purposes)s::text[])) AS out, bool_or(act = 'opt_in') AS earlier
    FROM consent_consentstate WHERE %(states)s AND tenant_id = %(tenant)s AND number = s.number
) k ON true
LEFT JOIN LATERAL (
    SELECT bool_or({has_ended_sql("g.since", "g.months", "g.counts_from")}) AS ended
    FROM (
        SELECT coalesce(greatest(a.since, s.agreed_at), %(now)s) AS since, p.months, h.counts_from
        FROM json_to_recordset(%(validity)s) AS p(purpose text, months int)
        LEFT JOIN consent_consentstate a ON a.tenant_id = %(tenant)s AND a.number = s.number AND a.purpose = p.purpose
        LEFT JOIN consent_changednumber h ON h.tenant_id = %(tenant)s AND h.number = s.number
    ) g
) e ON %(ending)s
"""  # noqa: S608
"""The row's person ``c``: whose number it is, be it a further one (``o``); the suppression ``x``; earlier acts ``k``; and
whether the newest agreement, on record or of the row's own day, has ended (``e``)."""

_OTHER_ZONE: Final = "s.timezone <> '' AND s.timezone <> c.timezone"
CONTACT_VALUES: Final = {
    name: f"coalesce(nullif(s.{name}, ''), c.{name})"
    for name in ("first_name", "last_name", "email", "language", "timezone")
} | {
    "first_key": "CASE WHEN s.first_name <> '' THEN coalesce(s.first_key, lower(s.first_name COLLATE \"C\")) ELSE c.first_key END",
    "last_key": "CASE WHEN s.last_name <> '' THEN coalesce(s.last_key, lower(s.last_name COLLATE \"C\")) ELSE c.last_key END",
    "timezone_source": f"CASE WHEN {_OTHER_ZONE} THEN '{ZoneSource.IMPORT}' ELSE c.timezone_source END",
    "fields": "c.fields || coalesce(s.fields, '{}')",
}
"""What the contact has after the row: an empty cell takes nothing away."""

_COMPARED: Final = ("first_name", "last_name", "email", "language", "timezone", "fields")
_CHANGES: Final = (
    f"(({', '.join(CONTACT_VALUES[name] for name in _COMPARED)}) IS DISTINCT FROM "
    f"({', '.join(f'c.{name}' for name in _COMPARED)}))"
)
OUTCOME: Final = f"CASE WHEN c.id IS NULL THEN 'created' WHEN {_CHANGES} THEN 'updated' ELSE 'unchanged' END"

_OLD: Final = ", ".join(
    f"'{name}', CASE WHEN s.{name} <> '' AND s.{name} <> c.{name} THEN c.{name} END" for name in _COMPARED[:-1]
)
_OLD_ZONE_SOURCE: Final = f"'timezone_source', CASE WHEN {_OTHER_ZONE} THEN c.timezone_source END"
BEFORE: Final = f"""
CASE WHEN c.id IS NOT NULL AND {_CHANGES} THEN
    jsonb_strip_nulls(jsonb_build_object({_OLD}, {_OLD_ZONE_SOURCE})) || coalesce((
        SELECT jsonb_build_object('fields', jsonb_object_agg(key, c.fields -> key))
        FROM jsonb_object_keys(coalesce(s.fields, '{{}}')) key
        WHERE c.fields -> key IS DISTINCT FROM s.fields -> key HAVING count(*) > 0
    ), '{{}}')
END"""  # noqa: S608

AGREED: Final = "(%(agreeing)s AND coalesce(s.said, '') NOT IN ('no', 'stop'))"
NOTE: Final = f"""
CASE WHEN x.id IS NOT NULL OR (%(foretelling)s AND s.said = 'stop') OR ({AGREED} AND k.out) THEN 'opted_out'
     WHEN {AGREED} THEN CASE WHEN e.ended THEN 'consent_ended' ELSE '' END WHEN k.earlier THEN 'agreed_earlier' ELSE 'no_consent' END"""

_REFRESH: Final = f"""
UPDATE contacts_importrow r
SET outcome = p.outcome, note = p.note, contact_id = p.contact_id, preferred = p.preferred, before = p.before
FROM (
    SELECT s.row_number,
           CASE WHEN s.outcome = 'merged' THEN 'merged' ELSE {OUTCOME} END AS outcome,
           CASE WHEN s.is_repeated THEN '' ELSE {NOTE} END AS note,
           CASE WHEN s.outcome = 'merged' THEN s.contact_id WHEN c.id IS NOT NULL THEN c.id
                WHEN s.outcome = 'created' THEN s.contact_id ELSE gen_random_uuid() END AS contact_id,
           o.number AS preferred,
           CASE WHEN s.outcome = 'merged' THEN NULL ELSE {BEFORE} END AS before
    FROM contacts_importrow s {FACTS}
    WHERE {RANGE} AND s.outcome <> 'rejected' AND {{which}}
) p
WHERE r.tenant_id = %(tenant)s AND r.contact_import_id = %(import)s AND r.row_number = p.row_number
  AND (r.outcome, r.note, r.contact_id, r.preferred, r.before)
      IS DISTINCT FROM (p.outcome, p.note, p.contact_id, p.preferred, p.before)
"""  # noqa: S608


_REFRESH_NOTES: Final = f"""
UPDATE contacts_importrow r SET note = p.note
FROM (
    SELECT s.row_number, {NOTE} AS note FROM contacts_importrow s {FACTS}
    WHERE {RANGE} AND s.outcome <> 'rejected' AND NOT s.is_repeated
) p
WHERE r.tenant_id = %(tenant)s AND r.contact_import_id = %(import)s AND r.row_number = p.row_number
  AND r.note <> p.note
"""  # noqa: S608


def refresh_notes(values: Mapping[str, Any]) -> int:
    """Say again of each row of a range whether its person can be texted; returns how many notes changed."""
    with connection.cursor() as cursor:
        cursor.execute(_REFRESH_NOTES, values)
        return int(cursor.rowcount)


def refresh(values: Mapping[str, Any], which: str) -> int:
    """Ask again what becomes of some rows of a range; returns how many were foretold otherwise."""
    with connection.cursor() as cursor:
        cursor.execute(_REFRESH.replace("{which}", which), values)
        return int(cursor.rowcount)


def parameters(job: ContactImport, *, foretelling: bool) -> dict[str, Any]:
    """The parameters of the fragments, but for the range. Runs inside the transaction that uses them."""
    purposes = [purpose for purpose in job.purposes if job.may_prove(purpose)]
    months = expiry_in_force()
    validity = [[purpose, months.get(purpose)] for purpose in purposes]
    return {
        "tenant": job.tenant_id,
        "import": job.id,
        "purposes": purposes,
        "agreeing": bool(purposes),
        "foretelling": foretelling,
        "suppressions": Suppression.objects.filter(lifted_at=None).exists(),
        "states": ConsentState.objects.exists(),
        "validity": json_rows(["purpose", "months"], validity),
        "ending": any(end for _, end in validity) or (bool(purposes) and ChangedNumber.objects.exists()),
        "now": timezone.now(),
    }
