"""Who has been asked to join a tenant."""

from datetime import timedelta
from typing import Final

from django.db import models
from django.utils.timezone import now

from tenants.models.user import User
from tenants.owned import TenantOwned
from tenants.permissions import Role

__all__ = ["INVITATION_LIFETIME", "Invitation"]

INVITATION_LIFETIME: Final = timedelta(days=7)


class Invitation(TenantOwned):
    """One e-mail address asked to join. Open until it is accepted, revoked or past ``expires_at``.

    Two secrets open it, and of both only the hash is stored. Whoever invites sees the first, so it proves nothing about
    the mailbox; the second is made when the mail is sent and stands in the mail alone, so whoever has it reads that
    mailbox.
    """

    email = models.EmailField(max_length=254)
    role = models.CharField(max_length=10, choices=Role)
    only_assigned = models.BooleanField(default=False)
    """They will see only the conversations that are assigned to them."""
    shown_hash = models.CharField(max_length=64, editable=False)
    mailed_hash = models.CharField(max_length=64, blank=True, editable=False)
    invited_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    created_at = models.DateTimeField(default=now, editable=False)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, editable=False)
    revoked_at = models.DateTimeField(null=True, editable=False)

    class Meta(TenantOwned.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "email"],
                condition=models.Q(accepted_at=None, revoked_at=None),
                name="invitation_open_once",
            )
        ]

    def __str__(self) -> str:
        return self.email

    @property
    def usable(self) -> bool:
        """Whether its link still works."""
        return self.accepted_at is None and self.revoked_at is None and self.expires_at > now()
