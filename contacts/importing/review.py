"""The mark on a tenant by which platform admins find that one of its files waits for them."""

from contacts.models import ContactImport
from tenants.models import Tenant
from tenants.scope import current_tenant_id

__all__ = ["none_waits_any_more"]


def none_waits_any_more() -> None:
    """Take the mark off the tenant, unless another of its files waits."""
    waiting = ContactImport.objects.filter(status=ContactImport.Status.CHECKED, released_at=None)
    if not waiting.exclude(review_asked_at=None).exists():
        Tenant.objects.filter(id=current_tenant_id()).update(import_review_asked_at=None)
