"""Sub-accounts of the platform's own account at Twilio."""

from django.db import models
from django.utils import timezone

from messaging.models.sender import ProviderAccount
from tenants.owned import TenantForeignKey, TenantOwned

__all__ = ["Subaccount"]


class Subaccount(TenantOwned):
    """Says that a provider account was created by the platform, and follows what becomes of its tenant."""

    class Status(models.TextChoices):
        ACTIVE = "active", "Active"
        SUSPENDED = "suspended", "Suspended"

    provider_account = TenantForeignKey(ProviderAccount, on_delete=models.CASCADE, related_name="+")
    status = models.CharField(max_length=12, choices=Status, default=Status.ACTIVE)
    """What Twilio was last told. What somebody changed there stays as it is until the tenant's own state changes."""
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta(TenantOwned.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant"], name="subaccount_one_per_tenant")]

    def __str__(self) -> str:
        return f"Sub-account of {self.tenant_id}"
