"""Erasing people from imports: the rows about them, and the files that they stood in."""

from collections.abc import Collection, Iterable
from typing import Any, Final
from uuid import UUID

from django.db import connection

from contacts.models import ContactImport, ImportFilePart, ImportRow
from tenants.scope import current_tenant_id

__all__ = ["erase_from_imports"]

_REJECTED_ABOUT_THEM: Final = r"""
SELECT r.contact_import_id, r.row_number FROM contacts_contactimport job
JOIN contacts_importrow r ON r.tenant_id = job.tenant_id AND r.contact_import_id = job.id AND r.outcome = 'rejected'
CROSS JOIN LATERAL jsonb_array_elements_text(r.cells) cell(value)
WHERE job.tenant_id = %(tenant)s AND jsonb_typeof(r.cells) = 'array'
  AND (lower(btrim(cell.value)) = ANY(%(emails)s) OR regexp_replace(cell.value, '\D', '', 'g') = ANY(%(digits)s))
"""
"""Rejected rows keep their cells; one that holds the address or the number of somebody is about them."""

_ENDED: Final = (ContactImport.Status.DONE, ContactImport.Status.FAILED, ContactImport.Status.UNDONE)

_NOTHING: Final[dict[str, Any]] = {
    **dict.fromkeys(("number", "first_name", "last_name", "email", "language", "timezone", "problem"), ""),
    **dict.fromkeys(("preferred", "first_key", "last_key", "keys", "evidence", "cells", "before", "contact_id")),
    "fields": {},
}


def erase_from_imports(contact_ids: Collection[UUID], numbers: Collection[str], emails: Collection[str]) -> None:
    """Empty the rows about these people, and delete the files of the ended imports that they stood in.

    A file cannot be kept with a row less: its checksum is part of the proof that consent records point to.
    """
    about = ImportRow.objects.filter(contact_id__in=list(contact_ids))
    touched = set(about.values_list("contact_import_id", flat=True))
    about.update(**_NOTHING)
    for import_id, row_number in _rejected(numbers, emails):
        touched.add(import_id)
        ImportRow.objects.filter(contact_import_id=import_id, row_number=row_number).update(**_NOTHING)
    ImportFilePart.objects.filter(contact_import_id__in=touched, contact_import__status__in=_ENDED).delete()


def _rejected(numbers: Iterable[str], emails: Collection[str]) -> list[tuple[UUID, int]]:
    digits = [number[1:] for number in numbers]
    digits += [number[1:] for number in digits if number.startswith("1")]
    with connection.cursor() as cursor:
        cursor.execute(_REJECTED_ABOUT_THEM, {"tenant": current_tenant_id(), "emails": list(emails), "digits": digits})
        return list(cursor.fetchall())
