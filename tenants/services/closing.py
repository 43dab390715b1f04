"""Deleting a tenant, after a time in which every owner can change their mind."""

from datetime import timedelta
from typing import Final

from django.core.exceptions import ValidationError
from django.utils.timezone import now

from tenants.audit import record
from tenants.models import OutgoingMail, Tenant
from tenants.services.trial import mail_owners

__all__ = ["WAITING_TIME", "ask_deletion", "cancel_deletion"]

WAITING_TIME: Final = timedelta(days=14)
"""Between the wish to delete an account and its deletion."""


def ask_deletion(*, tenant: Tenant, typed_name: str) -> None:
    """Delete the tenant after ``WAITING_TIME``; nothing is sent from now on. Raises ``ValidationError``."""
    if typed_name.strip() != tenant.name:
        raise ValidationError({"typed_name": "This is not the name of the business. Type it as it stands above."})
    changed = Tenant.objects.filter(id=tenant.id, deletion_due_at=None).update(deletion_due_at=now() + WAITING_TIME)
    if changed:
        record("tenant.deletion_asked", target=tenant)
        mail_owners(kind=OutgoingMail.Kind.DELETION_ASKED)


def cancel_deletion(*, tenant: Tenant) -> None:
    """Keep the tenant after all. Raises ``ValidationError`` when its time is over: then things may be gone already."""
    due = Tenant.objects.select_for_update().get(id=tenant.id).deletion_due_at
    if due is None:
        return
    if due <= now():
        raise ValidationError("The waiting time is over, and the deletion has begun.")
    Tenant.objects.filter(id=tenant.id).update(deletion_due_at=None)
    record("tenant.deletion_cancelled", target=tenant)
    mail_owners(kind=OutgoingMail.Kind.DELETION_CANCELLED)
