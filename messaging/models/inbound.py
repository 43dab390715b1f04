"""Incoming messages."""

from django.db import models
from django.utils import timezone

from contacts.models import Contact
from messaging.models.sender import ProviderAccount, Sender
from tenants.owned import TenantForeignKey, TenantOwned

__all__ = ["InboundMessage"]


class InboundMessage(TenantOwned):
    """A text that a person sent to one of the tenant's senders, stored before anything else happens."""

    class Intent(models.TextChoices):
        OPT_OUT = "opt_out", "Opt-out"
        OPT_IN = "opt_in", "Opt-in"
        HELP = "help", "Help"
        OTHER = "other", "Message"

    provider_account = TenantForeignKey(ProviderAccount, on_delete=models.PROTECT, related_name="+")
    provider_message_id = models.CharField(max_length=64)
    sender = TenantForeignKey(Sender, on_delete=models.PROTECT, related_name="+")
    """The tenant's number it was sent to."""
    number = models.CharField(max_length=16)
    """The person's number."""
    contact = TenantForeignKey(Contact, on_delete=models.SET_NULL, null=True, related_name="+")
    body = models.TextField(blank=True)
    media_count = models.PositiveSmallIntegerField(default=0)
    intent = models.CharField(max_length=8, choices=Intent, default=Intent.OTHER)
    certain = models.BooleanField(default=True)
    """False: it may be an opt-out, so a person has to look."""
    payload = models.JSONField(default=dict)
    received_at = models.DateTimeField(default=timezone.now)
    handled_at = models.DateTimeField(null=True)
    """When the handlers had their turn; the opt-out itself is acted on at once, before this."""

    class Meta(TenantOwned.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant", "provider_account", "provider_message_id"], name="inbound_once")
        ]
        indexes = [
            models.Index(fields=["tenant", "number", "received_at"], name="inbound_thread"),
            models.Index(fields=["tenant", "received_at"], name="inbound_newest"),
            models.Index(fields=["received_at"], condition=models.Q(handled_at=None), name="inbound_to_handle"),
        ]

    def __str__(self) -> str:
        return f"{self.intent} text"
