"""Conversations: one thread per person, over all of the tenant's senders."""

from typing import Any
from uuid import UUID

from django.db import models
from django.utils import timezone

from contacts.models import Contact
from tenants.models import Membership
from tenants.owned import TenantForeignKey, TenantOwned

__all__ = ["Conversation"]


class Conversation(TenantOwned):
    """The thread with one number. Its texts are the tenant's messages and inbound messages of that number."""

    number = models.CharField(max_length=16)
    contact = TenantForeignKey(Contact, on_delete=models.SET_NULL, null=True, related_name="+")
    unread_count = models.PositiveIntegerField(default=0)
    needs_review = models.BooleanField(default=False)
    """A text may have been an opt-out: a person has to decide."""
    preview = models.CharField(max_length=120, blank=True)
    last_at = models.DateTimeField(default=timezone.now)
    closed_at = models.DateTimeField(null=True)
    assigned_to = TenantForeignKey(Membership, on_delete=models.SET_NULL, null=True, related_name="+")
    """Who takes care of it; nobody in particular when empty."""

    class Meta(TenantOwned.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "number"], name="conversation_once_per_number")]
        indexes = [
            models.Index(fields=["tenant", "-last_at"], name="conversation_newest"),
            models.Index(fields=["tenant", "assigned_to", "-last_at"], name="conversation_assigned"),
            models.Index(fields=["tenant"], condition=models.Q(unread_count__gt=0), name="conversation_unread"),
            models.Index(
                fields=["tenant", "last_at", "id"],
                condition=models.Q(needs_review=True),
                name="conversation_to_review",
            ),
        ]

    @classmethod
    def seen_by(cls, rows: models.QuerySet[Any], member_id: UUID) -> models.QuerySet[Any]:
        """Those assigned to the member."""
        return rows.filter(assigned_to_id=member_id)

    def __str__(self) -> str:
        return self.preview
