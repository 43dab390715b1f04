"""The numbers of a messaging service, as far as its texts have shown them."""

from django.db import models
from django.utils import timezone

from messaging.models.sender import Sender
from tenants.owned import TenantForeignKey, TenantOwned

__all__ = ["ServiceNumber"]


class ServiceNumber(TenantOwned):
    """A number that a text of the service came from or went to. The provider chooses it, so only callbacks tell."""

    service = TenantForeignKey(Sender, on_delete=models.CASCADE, related_name="numbers")
    number = models.CharField(max_length=16)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta(TenantOwned.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "service", "number"], name="service_number_once")]

    def __str__(self) -> str:
        return self.number
