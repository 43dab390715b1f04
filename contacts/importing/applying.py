"""From checked rows to contacts: a range of rows at a time, set-based, in the caller's transaction."""

from collections.abc import Sequence
from typing import Any, Final

from django.db import DataError, IntegrityError, connection, transaction
from django.utils import timezone

from common.ids import uuid7_seed, uuid7_sql
from consent.bulk import record_selected_opt_ins
from consent.erasure import recognise_again
from contacts import number_lock
from contacts.importing.columns import FIELDS
from contacts.importing.files import table_of
from contacts.importing.prediction import AGREED, CONTACT_VALUES, RANGE, parameters, refresh, refresh_notes
from contacts.importing.records import MAX_KEPT_CHARACTERS
from contacts.importing.staging import CANNOT_BE_STORED
from contacts.models import ContactImport, ContactTag, ImportRow, ListMember
from contacts.zones import ZoneSource

__all__ = ["apply_range", "member_mark"]

_TRIES: Final = 4

_HAVE_CONTACTS: Final = "outcome IN ('created', 'updated', 'unchanged')"

_LOCK: Final = f"""
SELECT FROM contacts_contact c JOIN contacts_importrow s ON c.tenant_id = s.tenant_id AND c.id = s.contact_id
WHERE {RANGE} AND s.outcome IN ('updated', 'unchanged') ORDER BY c.number FOR UPDATE OF c
"""

_CREATE: Final = f"""
INSERT INTO contacts_contact (id, tenant_id, number, first_name, last_name, first_key, last_key, email, language,
                              timezone, timezone_source, fields, created_at, updated_at)
SELECT s.contact_id, s.tenant_id, s.number, s.first_name, s.last_name,
       coalesce(s.first_key, lower(s.first_name COLLATE "C")), coalesce(s.last_key, lower(s.last_name COLLATE "C")),
       s.email, s.language, s.timezone, CASE WHEN s.timezone <> '' THEN '{ZoneSource.IMPORT}' ELSE '' END, s.fields,
       %(now)s, %(now)s
FROM contacts_importrow s WHERE {RANGE} AND s.outcome = 'created' ORDER BY s.number COLLATE "C"
"""  # noqa: S608

_UPDATE: Final = f"""
UPDATE contacts_contact c
SET {", ".join(f"{name} = {value}" for name, value in CONTACT_VALUES.items())}, updated_at = %(now)s
FROM contacts_importrow s
WHERE {RANGE} AND s.outcome = 'updated' AND c.tenant_id = s.tenant_id AND c.id = s.contact_id
"""  # noqa: S608

_OLD_VALUES: Final = f"""
DELETE FROM contacts_contactvalue v USING contacts_importrow s, jsonb_object_keys(s.fields) name, contacts_contactfield f
WHERE {RANGE} AND s.outcome = 'updated' AND v.tenant_id = s.tenant_id AND v.contact_id = s.contact_id
  AND f.tenant_id = s.tenant_id AND f.key = name AND v.field_id = f.id
"""  # noqa: S608
_NEW_VALUES: Final = f"""
INSERT INTO contacts_contactvalue (tenant_id, field_id, key, contact_id)
SELECT value.tenant_id, f.id, value.key, value.contact_id
FROM contacts_contactfield f
JOIN (
    SELECT s.tenant_id, s.contact_id, each.key AS name, each.value AS key
    FROM contacts_importrow s CROSS JOIN jsonb_each_text(s.keys) each
    WHERE {RANGE} AND s.outcome IN ('created', 'updated')
) value ON value.name = f.key
WHERE f.tenant_id = %(tenant)s AND f.deleted_at IS NULL
ORDER BY f.id, value.key, value.contact_id
ON CONFLICT DO NOTHING
"""  # noqa: S608
"""The index of the values of the tenant's own fields, see ``contacts.values``."""

_JOIN: Final = f"""
INSERT INTO {{table}} (id, tenant_id, {{column}}, contact_id)
SELECT {uuid7_sql("s.row_number")}, s.tenant_id, %(target)s, s.contact_id
FROM contacts_importrow s WHERE {RANGE} AND s.{_HAVE_CONTACTS}
ON CONFLICT DO NOTHING
"""  # noqa: S608

_AGREEING: Final = f"""
SELECT s.number, s.row_number AS position, s.agreed_at AS occurred_at, s.evidence ->> 'wording' AS wording,
       %(evidence)s::jsonb || jsonb_build_object('row', s.row_number) || coalesce(s.evidence - 'wording', '{{}}') AS evidence
FROM contacts_importrow s
WHERE {RANGE} AND s.outcome <> 'rejected' AND NOT s.is_repeated AND {AGREED} ORDER BY s.number
"""  # noqa: S608

_OTHERWISE_SUPPRESSED: Final = f"""
SELECT EXISTS (
    SELECT FROM contacts_importrow s
    LEFT JOIN consent_suppression x ON x.tenant_id = %(tenant)s AND x.number = s.number AND x.lifted_at IS NULL
    WHERE {RANGE} AND s.outcome <> 'rejected' AND NOT s.is_repeated AND (x.id IS NOT NULL) <> (s.note = 'opted_out')
)
"""  # noqa: S608


def apply_range(job: ContactImport, first: int, last: int) -> bool:
    """Import the rows from ``first`` to ``last``; returns whether some became something else than was foretold.

    Consent comes last: from there on the revocation lock is shared, for which the STOPs of the tenant's people wait.
    """
    number_lock.share()
    changed = _contacts_or_halve(job, first, last)
    values = {**parameters(job, foretelling=False), "first": first, "last": last}
    _join(job, values)
    return _consent(job, values) or changed


def _contacts_or_halve(job: ContactImport, first: int, last: int) -> bool:
    """Make and change the contacts of a range; one that the database refuses is halved down to the row at fault."""
    try:
        return _contacts(job, first, last)
    except DataError:
        if first == last:
            _reject(job, first)
            return True
    middle = (first + last) // 2
    return _contacts_or_halve(job, first, middle) | _contacts_or_halve(job, middle + 1, last)


def _contacts(job: ContactImport, first: int, last: int) -> bool:
    """Somebody else may make one of the contacts meanwhile: then what becomes of the rows is asked again."""
    values = {**parameters(job, foretelling=False), "first": first, "last": last, "now": timezone.now()}
    changed = False
    for _ in range(_TRIES):
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                known = _are_foretold_to_exist(values)
                if known:
                    cursor.execute(_LOCK, values)
                    changed |= bool(refresh(values, "s.outcome IN ('updated', 'unchanged')"))
                cursor.execute(_CREATE, values)
                if known:
                    cursor.execute(_UPDATE, values)
                if set(job.columns) - {"", *FIELDS}:
                    if known:
                        cursor.execute(_OLD_VALUES, values)
                    cursor.execute(_NEW_VALUES, values)
            return changed
        except IntegrityError:
            refresh(values, "true")
            changed = True
    raise IntegrityError(f"Rows {first} to {last} of import {job.id} keep meeting contacts that are being made.")


def _are_foretold_to_exist(values: dict[str, Any]) -> bool:
    """Whether rows of the range had contacts, though these may have gone since."""
    rows = ImportRow.objects.filter(
        contact_import_id=values["import"],
        row_number__range=(values["first"], values["last"]),
        outcome__in=["updated", "unchanged"],
    )
    return rows.exists()


def _reject(job: ContactImport, number: int) -> None:
    """The row cannot be stored; its cells are fetched from the file, to be handed back."""
    cells = next((row.cells for row in table_of(job).rows() if row.number == number), [])
    kept = [cell[:MAX_KEPT_CHARACTERS].replace("\x00", "\N{REPLACEMENT CHARACTER}") for cell in cells]
    ImportRow.objects.filter(contact_import_id=job.id, row_number=number).update(
        outcome=ImportRow.Outcome.REJECTED, problem=CANNOT_BE_STORED, note="", contact_id=None, cells=kept
    )


def member_mark(job: ContactImport) -> str:
    """The last 12 hexadecimal digits of the ids of list and tag memberships that the import made."""
    return job.id.hex[-12:]


def _join(job: ContactImport, values: dict[str, Any]) -> None:
    targets: Sequence[tuple[type[ListMember] | type[ContactTag], str, Any]] = (
        (ListMember, "contact_list_id", job.contact_list_id),
        (ContactTag, "tag_id", job.tag_id),
    )
    for model, column, target in targets:
        if target:
            with connection.cursor() as cursor:
                statement = _JOIN.format(table=model._meta.db_table, column=column)
                cursor.execute(statement, {**values, **uuid7_seed(member_mark(job)), "target": target})


def _consent(job: ContactImport, values: dict[str, Any]) -> bool:
    """Record who agreed, and say of each row whether its person can be texted; returns whether a note changed."""
    rows = ImportRow.objects.filter(
        contact_import_id=job.id, row_number__range=(values["first"], values["last"])
    ).exclude(outcome="rejected")
    recognise_again(lambda: list(rows.values_list("number", flat=True)))
    all_new = True
    if values["agreeing"]:
        all_new = record_selected_opt_ins(
            _AGREEING,
            {**values, "evidence": job.evidence_json()},
            purposes=[str(purpose) for purpose in job.purposes if job.may_prove(purpose)],
            source=job.basis,
            wording=job.consent_note,
            actor_id=job.created_by_id,
            now=timezone.now(),
        )
    with connection.cursor() as cursor:
        cursor.execute(_OTHERWISE_SUPPRESSED, values)
        (otherwise,) = cursor.fetchone()
    if all_new and not otherwise:
        return False
    return bool(refresh_notes({**values, "states": True, "suppressions": True}))
