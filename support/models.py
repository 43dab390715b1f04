"""Conversations: one thread per person, over all of the tenant's senders."""

from django.db import models
from django.utils import timezone

from contacts.models import Contact
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

    class Meta(TenantOwned.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "number"], name="conversation_once_per_number")]
        indexes = [
            models.Index(fields=["tenant", "-last_at"], name="conversation_newest"),
            models.Index(fields=["tenant"], condition=models.Q(unread_count__gt=0), name="conversation_unread"),
        ]

    def __str__(self) -> str:
        return self.preview
