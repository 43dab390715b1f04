"""Background work of contacts."""

from typing import Final
from uuid import UUID

from celery import shared_task
from django.db import connection
from django.db.models import Q
from django.utils import timezone

from common.retries import each, log_failure
from contacts.bulk.run import run_job
from contacts.duplicates import find_duplicates, waiting_searches
from contacts.exporting.pieces import delete_old
from contacts.importing.progress import waiting
from contacts.importing.retention import delete_old as delete_old_imports
from contacts.importing.run import run_import
from contacts.models import ContactField, ContactImport, ContactJob
from contacts.values import wipe_some
from tenants.scope import all_tenants, tenant_scope

__all__ = [
    "delete_exports",
    "delete_old_rows",
    "resume_contact_jobs",
    "resume_imports",
    "resume_searches",
    "run_contact_job",
    "run_import_task",
    "search_duplicates",
    "wipe_deleted_fields",
    "wipe_field",
]

_AT_ONCE: Final = 20
_TURN_SECONDS: Final = 20.0
"""How long one hint keeps a worker busy with a bulk action."""


@shared_task(name="contacts.import_rows")
def run_import_task(tenant_id: str, import_id: str) -> None:
    """Do the work that is due on one import to its end."""
    _run(UUID(tenant_id), UUID(import_id))


@shared_task(name="contacts.resume_imports")
def resume_imports() -> None:
    """Go on with imports whose worker died or whose start was lost on the way."""
    with all_tenants("find imports to resume"):
        stuck = ContactImport.objects.filter(waiting()).order_by("tries", "created_at")
        found = list(stuck.values_list("tenant_id", "id")[:_AT_ONCE])
    for tenant_id, import_id in found:
        _run(tenant_id, import_id)


@shared_task(name="contacts.run_job")
def run_contact_job(tenant_id: str, job_id: str) -> None:
    """Work on one bulk action for a while; when there is more to do, other work has its turn first."""
    if _run_job(UUID(tenant_id), UUID(job_id)):
        run_contact_job.apply_async(args=(tenant_id, job_id), ignore_result=True, retry=False)


@shared_task(name="contacts.resume_jobs")
def resume_contact_jobs() -> None:
    """Go on with bulk actions whose worker died or whose hint was lost."""
    idle = Q(status=ContactJob.Status.QUEUED) | Q(status=ContactJob.Status.RUNNING, leased_until__lt=timezone.now())
    with all_tenants("find bulk actions to resume"):
        stuck = ContactJob.objects.filter(idle).order_by("tries", "created_at")
        found = list(stuck.values_list("tenant_id", "id")[:_AT_ONCE])
    for tenant_id, job_id in found:
        _run_job(tenant_id, job_id)


@shared_task(name="contacts.delete_exports")
def delete_exports() -> None:
    """Delete exported files that have been kept long enough."""
    delete_old()


@shared_task(name="contacts.search_duplicates")
def search_duplicates(tenant_id: str, search_id: str) -> None:
    """Do one search for duplicates."""
    find_duplicates(UUID(tenant_id), UUID(search_id))


@shared_task(name="contacts.resume_searches")
def resume_searches() -> None:
    """Do the searches for duplicates whose hint was lost."""
    each(waiting_searches(), lambda found: find_duplicates(*found), doing="look for duplicates")


def _run_job(tenant_id: UUID, job_id: UUID) -> bool:
    """Work on a job for a while; True when there is more to do. One that fails stands in nobody's way."""
    try:
        return run_job(tenant_id, job_id, seconds=_TURN_SECONDS)
    except Exception as error:  # noqa: BLE001 - whatever it is, the other jobs have their turn
        log_failure(f"Bulk action {job_id} of tenant {tenant_id} stopped", error)
        connection.close_if_unusable_or_obsolete()
        return False


@shared_task(name="contacts.delete_old_imports")
def delete_old_rows() -> None:
    """Delete the files and rows of imports that have been kept long enough."""
    delete_old_imports()


def _run(tenant_id: UUID, import_id: UUID) -> None:
    """Run an import; one that fails is left to a later round and stands in nobody's way."""
    try:
        run_import(tenant_id, import_id)
    except Exception as error:  # noqa: BLE001 - whatever it is, the other imports have their turn
        log_failure(f"Import {import_id} of tenant {tenant_id} stopped", error)
        connection.close_if_unusable_or_obsolete()


@shared_task(name="contacts.wipe_field")
def wipe_field(tenant_id: str, field_id: str) -> None:
    """Take the values of a deleted field out of the contacts, some at a time, and then the field."""
    wiping = True
    while wiping:
        with tenant_scope(UUID(tenant_id), durable=True):
            field = ContactField.objects.filter(id=field_id, deleted_at__isnull=False).first()
            wiping = field is not None and wipe_some(field)


@shared_task(name="contacts.wipe_deleted_fields")
def wipe_deleted_fields() -> None:
    """Go on with deleted fields whose task was lost."""
    with all_tenants("find deleted fields"):
        deleted = ContactField.objects.filter(deleted_at__isnull=False).order_by("deleted_at")
        found = list(deleted.values_list("tenant_id", "id")[:_AT_ONCE])
    for tenant_id, field_id in found:
        wipe_field(str(tenant_id), str(field_id))
