"""What a STOP ends, as far as a tenant may choose."""

from django.db import models

from consent.purposes import Purpose
from tenants.owned import TenantOwned

__all__ = ["OptOutRules"]


class OptOutRules(TenantOwned):
    """One row for each tenant that chose. Without a row a STOP ends everything, and nobody is asked anything."""

    class Keep(models.TextChoices):
        """What the confirmation of an opt-out may offer to go on with."""

        NOTHING = "", "Nothing: every text ends"
        REMINDER = Purpose.REMINDER.value, "Appointment reminders"
        TRANSACTIONAL = Purpose.TRANSACTIONAL.value, "News about orders and bookings"

    keep = models.CharField(max_length=14, choices=Keep, blank=True, default=Keep.NOTHING)
    offers_alone = models.BooleanField(default=False)
    """A STOP that answers an offer ends offers alone, as long as the law lets it (``settings.REVOKE_ALL_FROM``)."""
    changed_at = models.DateTimeField(auto_now=True)

    class Meta(TenantOwned.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant"], name="opt_out_rules_once")]

    def __str__(self) -> str:
        return "what a STOP ends"
