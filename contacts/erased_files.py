"""Erasing people from imports: the rows about them, and the files that they stood in."""

import csv
import io
from collections.abc import Collection, Iterable
from typing import Final
from uuid import UUID

from django.db import connection

from contacts.importing.decoding import FileProblem, read_table
from contacts.models import ContactImport, ImportFile, ImportRow
from tenants.scope import current_tenant_id

__all__ = ["erase_from_imports"]

_REJECTED_ABOUT_THEM: Final = r"""
SELECT r.id FROM contacts_contactimport job
JOIN contacts_importrow r ON r.tenant_id = job.tenant_id AND r.contact_import_id = job.id AND r.outcome = 'rejected'
CROSS JOIN LATERAL jsonb_array_elements_text(r.cells) cell(value)
WHERE job.tenant_id = %(tenant)s AND jsonb_typeof(r.cells) = 'array'
  AND (lower(btrim(cell.value)) = ANY(%(emails)s) OR regexp_replace(cell.value, '\D', '', 'g') = ANY(%(digits)s))
"""
"""Rejected rows keep their cells; one that holds the address or the number of somebody is about them."""

_ENDED: Final = (ContactImport.Status.DONE, ContactImport.Status.FAILED)


def erase_from_imports(numbers: Collection[str], emails: Collection[str]) -> None:
    """Empty the rows about these people, and leave of the ended imports' files no more than the names of the columns.

    A file cannot be kept with a row less: its checksum is part of the proof that consent records point to.
    """
    known = ContactImport.objects.values("id")
    by_number = ImportRow.objects.filter(contact_import_id__in=known, number__in=list(numbers))
    ids = set(by_number.values_list("id", flat=True)) | _rejected(numbers, emails)
    rows = ImportRow.objects.filter(id__in=ids)
    touched = set(rows.values_list("contact_import_id", flat=True))
    rows.update(number="", contact=None, cells=None, problem="")
    _keep_headers(touched)


def _rejected(numbers: Iterable[str], emails: Collection[str]) -> set[UUID]:
    digits = [number[1:] for number in numbers]
    digits += [number[1:] for number in digits if number.startswith("1")]
    with connection.cursor() as cursor:
        cursor.execute(_REJECTED_ABOUT_THEM, {"tenant": current_tenant_id(), "emails": list(emails), "digits": digits})
        return {row[0] for row in cursor.fetchall()}


def _keep_headers(import_ids: Collection[UUID]) -> None:
    files = ImportFile.objects.filter(contact_import_id__in=import_ids, contact_import__status__in=_ENDED)
    for file_id in list(files.order_by("id").values_list("id", flat=True)):
        file = ImportFile.objects.get(id=file_id)
        try:
            header = read_table(bytes(file.content)).header
        except FileProblem:
            header = []
        line = io.StringIO()
        csv.writer(line).writerow(header)
        file.content = line.getvalue().encode()
        file.save(update_fields=["content"])
