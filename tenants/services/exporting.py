"""An export of everything a tenant has."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final
from uuid import UUID

from django.core.exceptions import ValidationError
from django.utils.timezone import now

from common.tasks import enqueue_on_commit
from common.unique import AlreadyThere, unique
from tenants.audit import record
from tenants.export import pieces_of
from tenants.models import Tenant, TenantExport, User
from tenants.tasks import export_tenants

__all__ = ["EXPORTS_PER_DAY", "ask_export", "open_export"]

EXPORTS_PER_DAY: Final = 3


def ask_export(*, tenant: Tenant, user: User) -> TenantExport:
    """Write everything into a file, in the background. Raises ``ValidationError`` while one is being written."""
    today = TenantExport.objects.filter(created_at__gt=now() - timedelta(hours=24))
    if today.count() >= EXPORTS_PER_DAY:
        raise ValidationError(f"{EXPORTS_PER_DAY} exports in 24 hours are enough. Go on tomorrow.")
    try:
        with unique():
            export = TenantExport.objects.create(created_by=user)
    except AlreadyThere:
        raise ValidationError("An export is being written already.") from None
    record("tenant.export_asked", target=tenant)
    enqueue_on_commit(export_tenants)
    return export


def open_export(*, tenant: Tenant, export_id: UUID) -> tuple[TenantExport, Iterator[bytes]]:
    """The file of a finished export, piece by piece. Raises ``TenantExport.DoesNotExist`` when there is none any more."""
    export = TenantExport.objects.get(id=export_id, status=TenantExport.Status.DONE, expires_at__gt=now())
    record("tenant.export_downloaded", target=tenant)
    return export, pieces_of(tenant.id, export.id)
