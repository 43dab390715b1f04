"""Mails to people who work in a tenant, or are asked to."""

from uuid import UUID

from common.tasks import enqueue_on_commit
from tenants.models import OutgoingMail
from tenants.tasks import send_mails

__all__ = ["mail"]


def mail(*, kind: OutgoingMail.Kind, address: str, about_id: UUID | None = None) -> None:
    """Send a mail soon after this transaction commits."""
    OutgoingMail.objects.create(kind=kind, address=address, about_id=about_id)
    enqueue_on_commit(send_mails)
