"""What a provider has on record, beside what is known here."""

from django.db import models
from django.utils import timezone

from messaging.models.message import Message
from messaging.models.sender import ProviderAccount
from tenants.owned import TenantForeignKey, TenantOwned

__all__ = ["RecordComparison", "RecoveredText"]


class RecordComparison(TenantOwned):
    """An account's texts of some time, compared both ways: what one of the two does not know is counted and named.

    Texts that are only at the provider were sent outside of this platform, or before its database was restored.
    """

    class Cause(models.TextChoices):
        NIGHTLY = "nightly", "Nightly"
        RESTORE = "restore", "After a restore"

    provider_account = TenantForeignKey(ProviderAccount, on_delete=models.CASCADE, related_name="+")
    cause = models.CharField(max_length=8, choices=Cause)
    since = models.DateTimeField()
    until = models.DateTimeField()
    at_provider = models.PositiveIntegerField(default=0)
    """Texts that the provider sent in this time."""
    only_at_provider = models.PositiveIntegerField(default=0)
    only_here = models.PositiveIntegerField(default=0)
    """Attempts that count as accepted and are not on the provider's record."""
    receipts_missed = models.PositiveIntegerField(default=0)
    """Texts of which the provider knew more than its receipts had told."""
    inbound_missed = models.PositiveIntegerField(default=0)
    """Texts from people whose callback never came; they were taken in."""
    examples = models.JSONField(default=dict)
    """Some of the provider's message ids of each kind of difference."""
    problem = models.CharField(max_length=80, blank=True)
    """Why it could not be finished; it is tried again."""
    created_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)

    class Meta(TenantOwned.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "provider_account", "cause", "since"], name="record_comparison_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_cause_display()} comparison"


class RecoveredText(TenantOwned):
    """A text that was sent after the moment to which the database was restored, so that nothing here knows of it.

    When the same text to the same number is to be handed over again, it is taken for this one and not sent.
    """

    provider_account = TenantForeignKey(ProviderAccount, on_delete=models.CASCADE, related_name="+")
    provider_message_id = models.CharField(max_length=64)
    number = models.CharField(max_length=16)
    body = models.TextField()
    provider_status = models.CharField(max_length=24)
    status = models.CharField(max_length=12, blank=True)
    error_code = models.CharField(max_length=24, blank=True)
    sent_at = models.DateTimeField()
    message = TenantForeignKey(Message, on_delete=models.SET_NULL, null=True, related_name="+")
    """The message that it turned out to be."""

    class Meta(TenantOwned.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "provider_account", "provider_message_id"], name="recovered_text_once"
            )
        ]
        indexes = [
            models.Index(fields=["tenant", "number"], condition=models.Q(message=None), name="recovered_text_open")
        ]

    def __str__(self) -> str:
        return "recovered text"
