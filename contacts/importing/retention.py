"""How long an import's file and rows are kept. What it did stays, and the consent it recorded names file and row."""

from datetime import timedelta
from typing import Final

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from contacts.models import ContactImport, ImportFilePart, ImportRange, ImportRow
from tenants.scope import all_tenants, tenant_scope

__all__ = ["delete_old"]

_AT_ONCE: Final = 20
_ROWS: Final = 20_000


def delete_old() -> None:
    """Delete what has been kept long enough, of some imports; the rest the next time."""
    before = timezone.now() - timedelta(days=settings.IMPORT_KEPT_DAYS)
    with all_tenants("find imports whose rows are old enough to be deleted"):
        old = ContactImport.objects.filter(Q(created_at__lt=before, rows_deleted_at=None))
        found = list(
            old.exclude(status__in=ContactImport.WORKING).values_list("tenant_id", "id", "last_row")[:_AT_ONCE]
        )
    for tenant_id, import_id, last_row in found:
        for first in range(1, last_row + 1, _ROWS):
            with tenant_scope(tenant_id, durable=True):
                ImportRow.objects.filter(
                    contact_import_id=import_id, row_number__range=(first, first + _ROWS - 1)
                ).delete()
        with tenant_scope(tenant_id, durable=True):
            ImportFilePart.objects.filter(contact_import_id=import_id).delete()
            ImportRange.objects.filter(contact_import_id=import_id).delete()
            ContactImport.objects.filter(id=import_id).update(rows_deleted_at=timezone.now())
