"""What carriers demand before a number may text: registrations of the brand, the campaign or the number."""

from django.db import models
from django.utils import timezone

from messaging.models.sender import Sender
from tenants.owned import TenantForeignKey, TenantOwned

__all__ = ["SenderRegistration"]


class SenderRegistration(TenantOwned):
    """One registration of a tenant with the carriers, kept by the platform's admins.

    draft -> submitted -> approved | rejected; approved -> expired
    """

    class Kind(models.TextChoices):
        BRAND = "brand", "Brand (10DLC)"
        CAMPAIGN = "campaign", "Campaign (10DLC)"
        TOLL_FREE = "toll_free", "Toll-free verification"
        SHORT_CODE = "short_code", "Short code"
        SENDER_NAME = "sender_name", "Name as a sender"

    class Status(models.TextChoices):
        DRAFT = "draft", "Being prepared"
        SUBMITTED = "submitted", "Submitted"
        APPROVED = "approved", "Approved"
        REJECTED = "rejected", "Rejected"
        EXPIRED = "expired", "Expired"

    kind = models.CharField(max_length=12, choices=Kind)
    sender = TenantForeignKey(Sender, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    """The number it is for; a brand is for all of them."""
    status = models.CharField(max_length=10, choices=Status, default=Status.DRAFT)
    reference = models.CharField(max_length=80, blank=True)
    """Its id at the registry or the provider."""
    reason = models.CharField("reason for a rejection", max_length=300, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True, editable=False)

    class Meta(TenantOwned.Meta):
        indexes = [models.Index(fields=["tenant", "sender"], name="registration_sender")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.get_status_display().lower()}"
