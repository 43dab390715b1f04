"""Mails on their way out."""

from django.db import models
from django.utils.timezone import now

from tenants.owned import TenantOwned

__all__ = ["OutgoingMail"]


class OutgoingMail(TenantOwned):
    """One mail to send. The text is made when it is sent, from what is true by then.

    waiting (``sent_at`` and ``dropped_at`` empty) -> sent | dropped (nothing left to say, or tried too often)
    """

    class Kind(models.TextChoices):
        INVITATION = "invitation", "Invitation"
        DELETION_ASKED = "deletion_asked", "Deletion asked for"
        DELETION_CANCELLED = "deletion_cancelled", "Deletion cancelled"
        EXPORT_READY = "export_ready", "Export ready"
        HANDED_OVER = "handed_over", "Handed over"
        APPROVED = "approved", "Approved"
        REFUSED = "refused", "Not approved"
        CHECKPOINT = "checkpoint", "Checkpoint of the consent ledger"

    kind = models.CharField(max_length=20, choices=Kind)
    address = models.EmailField(max_length=254)
    about_id = models.UUIDField(null=True)
    """The row it is about, such as the invitation."""
    created_at = models.DateTimeField(default=now, editable=False)
    due_at = models.DateTimeField(default=now)
    tries = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True)
    dropped_at = models.DateTimeField(null=True)

    class Meta(TenantOwned.Meta):
        indexes = [
            models.Index(fields=["due_at"], condition=models.Q(sent_at=None, dropped_at=None), name="mail_due"),
            models.Index(fields=["tenant", "kind", "created_at"], name="mail_by_kind"),
        ]

    def __str__(self) -> str:
        return self.kind
