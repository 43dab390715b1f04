"""How long an import's file and rows are kept. What it did stays, and the consent it recorded names file and row."""

from datetime import timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db.models import Max, Q
from django.utils import timezone

from contacts.importing.review import none_waits_any_more
from contacts.models import ContactImport, ImportFilePart, ImportRange, ImportRow
from tenants.scope import all_tenants, tenant_scope

__all__ = ["delete_old"]

_AT_ONCE: Final = 20
_ROWS: Final = 20_000
_NOT_IMPORTED: Final = "Nobody imported this file for {days} days, so it was deleted. Make sure that it is still right."


def delete_old() -> None:
    """Delete what has been kept long enough, of some imports; the rest the next time."""
    before = timezone.now() - timedelta(days=settings.IMPORT_KEPT_DAYS)
    with all_tenants("find imports whose rows are old enough to be deleted"):
        old = ContactImport.objects.filter(Q(created_at__lt=before, rows_deleted_at=None))
        found = list(old.exclude(status__in=ContactImport.WORKING).values_list("tenant_id", "id")[:_AT_ONCE])
    for tenant_id, import_id in found:
        if not _is_over(tenant_id, import_id):
            continue
        for first in range(1, _last_row(tenant_id, import_id) + 1, _ROWS):
            with tenant_scope(tenant_id, durable=True):
                ImportRow.objects.filter(
                    contact_import_id=import_id, row_number__range=(first, first + _ROWS - 1)
                ).delete()
        with tenant_scope(tenant_id, durable=True):
            ImportFilePart.objects.filter(contact_import_id=import_id).delete()
            ImportRange.objects.filter(contact_import_id=import_id).delete()
            ContactImport.objects.filter(id=import_id).update(rows_deleted_at=timezone.now())


def _is_over(tenant_id: UUID, import_id: UUID) -> bool:
    """End an import that nobody went on with; False for one that somebody goes on with just now."""
    with tenant_scope(tenant_id, durable=True):
        jobs = ContactImport.objects.filter(id=import_id)
        ended = jobs.filter(status__in=[ContactImport.Status.UPLOADED, ContactImport.Status.CHECKED]).update(
            status=ContactImport.Status.FAILED,
            problem=_NOT_IMPORTED.format(days=settings.IMPORT_KEPT_DAYS),
            finished_at=timezone.now(),
        )
        if ended:
            none_waits_any_more()
        return not jobs.filter(status__in=ContactImport.WORKING).exists()


def _last_row(tenant_id: UUID, import_id: UUID) -> int:
    """Of the rows that are there: a check that failed has stored some and counted none."""
    with tenant_scope(tenant_id):
        found = ImportRow.objects.filter(contact_import_id=import_id).aggregate(last=Max("row_number"))
    return found["last"] or 0
