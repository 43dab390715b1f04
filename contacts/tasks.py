"""Background work of contacts."""

from uuid import UUID

from celery import shared_task
from django.db.models import Q
from django.utils import timezone

from contacts.importing.run import run_import
from contacts.models import ContactImport
from tenants.scope import all_tenants

__all__ = ["import_rows", "resume_imports"]


@shared_task(name="contacts.import_rows")
def import_rows(tenant_id: str, import_id: str) -> None:
    """Run one import to its end."""
    run_import(UUID(tenant_id), UUID(import_id))


@shared_task(name="contacts.resume_imports")
def resume_imports() -> None:
    """Go on with imports whose worker died or whose start was lost on the way."""
    waiting = Q(status=ContactImport.Status.QUEUED) | Q(
        status=ContactImport.Status.RUNNING, leased_until__lt=timezone.now()
    )
    with all_tenants("find imports to resume"):
        stuck = list(ContactImport.objects.filter(waiting).values_list("tenant_id", "id")[:20])
    for tenant_id, import_id in stuck:
        run_import(tenant_id, import_id)
