"""Undoing an import: what it did is taken back where nothing has happened since, a range of rows at a time.

The consent it recorded is taken back everywhere, by new acts in the ledger. Opt-outs that it recorded stay.
"""

from collections.abc import Iterator
from typing import Final

from django.apps import apps
from django.db import connection
from django.db.models import Count
from django.utils import timezone

from consent.bulk import take_back_selected
from contacts import number_lock
from contacts.folding import fold
from contacts.importing.applying import member_mark
from contacts.importing.prediction import RANGE
from contacts.models import Contact, ContactImport, ContactTag, ImportRow, ListMember
from contacts.values import refresh_values
from tenants.owned import TenantForeignKey

__all__ = ["finish_undo", "undo_range"]

_VOICES: Final = f"""
SELECT s.number, s.row_number AS position FROM contacts_importrow s
WHERE {RANGE} AND s.outcome <> 'rejected' AND NOT s.is_repeated
"""  # noqa: S608

_LEAVE: Final = f"""
DELETE FROM {{table}} m USING contacts_importrow s
WHERE {RANGE} AND s.outcome IN ('created', 'updated', 'unchanged') AND m.tenant_id = s.tenant_id
  AND m.contact_id = s.contact_id AND m.{{column}} = %(target)s AND right(m.id::text, 12) = %(mark)s
"""  # noqa: S608

_REMOVE: Final = f"""
WITH removed AS (
    DELETE FROM contacts_contact c USING contacts_importrow s
    WHERE {RANGE} AND s.outcome = 'created' AND c.tenant_id = s.tenant_id AND c.id = s.contact_id
      AND c.updated_at <= %(finished)s AND c.number = s.number {{untouched}}
    RETURNING c.id
), unindexed AS (
    DELETE FROM contacts_contactvalue v USING removed WHERE v.tenant_id = %(tenant)s AND v.contact_id = removed.id
)
UPDATE contacts_importrow r
SET undone = CASE WHEN r.contact_id IN (SELECT id FROM removed) THEN 'removed' ELSE 'kept' END
WHERE r.tenant_id = %(tenant)s AND r.contact_import_id = %(import)s
  AND r.row_number BETWEEN %(first)s AND %(last)s AND r.outcome = 'created'
"""  # noqa: S608

_NO_WORD_SINCE: Final = """
AND NOT EXISTS (SELECT FROM consent_consentrecord w WHERE w.tenant_id = c.tenant_id AND w.number = c.number
                AND w.act <> 'void' AND w.evidence ->> 'import' IS DISTINCT FROM %(import_text)s)
"""


def undo_range(job: ContactImport, first: int, last: int) -> None:
    """Take back the rows from ``first`` to ``last``."""
    values = {
        "tenant": job.tenant_id,
        "import": job.id,
        "import_text": str(job.id),
        "first": first,
        "last": last,
        "mark": member_mark(job),
        "finished": job.finished_at,
    }
    number_lock.share()
    with connection.cursor() as cursor:
        for model, column, target in (
            (ListMember, "contact_list_id", job.contact_list_id),
            (ContactTag, "tag_id", job.tag_id),
        ):
            if target:
                statement = _LEAVE.format(table=model._meta.db_table, column=column)
                cursor.execute(statement, {**values, "target": target})
        cursor.execute(_REMOVE.format(untouched=" ".join([_NO_WORD_SINCE, *_untouched()])), values)
    _restore(job, first, last)
    take_back_selected(_VOICES, values, import_id=job.id, actor_id=job.created_by_id, now=timezone.now())


def _untouched() -> Iterator[str]:
    """Conditions in SQL: no row of any app points to the contact, or has its number.

    The models themselves tell, so that an app which comes later cannot be forgotten.
    """
    for model in apps.get_models():
        names = {field.name for field in model._meta.local_fields}
        for field in model._meta.local_fields:
            if isinstance(field, TenantForeignKey) and field.related_model is Contact and field.enforced:
                yield _none_in(model._meta.db_table, field.column, "id")
                if "number" in names:
                    yield _none_in(model._meta.db_table, "number", "number")


def _none_in(table: str, column: str, of_contact: str) -> str:
    return f'AND NOT EXISTS (SELECT FROM "{table}" t WHERE t.tenant_id = c.tenant_id AND t."{column}" = c.{of_contact})'


def _restore(job: ContactImport, first: int, last: int) -> None:
    """Give changed contacts back what they had, where they still have what the import gave them."""
    rows = ImportRow.objects.filter(
        contact_import_id=job.id, row_number__range=(first, last), outcome=ImportRow.Outcome.UPDATED
    )
    by_contact = {row.contact_id: row for row in rows if row.contact_id}
    if not by_contact:
        return
    contacts = Contact.objects.select_for_update(of=("self",)).filter(id__in=by_contact).order_by("number")
    restored = [contact for contact in contacts if _give_back(contact, by_contact[contact.id])]
    columns = ["first_name", "last_name", "first_key", "last_key", "email", "language", "timezone"]
    columns += ["timezone_source", "fields"]
    Contact.objects.bulk_update(restored, [*columns, "updated_at"], batch_size=500)
    refresh_values([contact.id for contact in restored])
    numbers = [by_contact[contact.id].row_number for contact in restored]
    rows.filter(row_number__in=numbers).update(undone="restored")
    rows.exclude(row_number__in=numbers).update(undone="kept")


def _give_back(contact: Contact, row: ImportRow) -> bool:
    changed = False
    before = dict(row.before or {})
    old_fields = before.pop("fields", {})
    old_source = before.pop("timezone_source", "")
    for name, value in before.items():
        if getattr(contact, name) == getattr(row, name):
            setattr(contact, name, value)
            if name == "timezone":
                contact.timezone_source = old_source
            changed = True
    for name, value in old_fields.items():
        if contact.fields.get(name) == row.fields.get(name):
            changed = True
            if value is None:
                contact.fields.pop(name, None)
            else:
                contact.fields[name] = value
    if changed:
        contact.first_key, contact.last_key = fold(contact.first_name), fold(contact.last_name)
        contact.updated_at = timezone.now()
    return changed


def finish_undo(job: ContactImport) -> dict[str, int]:
    """Note that all is taken back; returns how many rows have which ending."""
    job.status, job.undone_at, job.leased_until = ContactImport.Status.UNDONE, timezone.now(), None
    job.rows_done = job.rows_total
    rows = ImportRow.objects.filter(contact_import_id=job.id).exclude(undone="")
    endings = dict(rows.values_list("undone").annotate(rows=Count("row_number")).order_by())
    job.counts = {**job.counts, **{f"undone_{ending}": count for ending, count in endings.items()}}
    job.save()
    return endings
