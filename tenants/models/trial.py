"""What a tenant in trial may do: how many texts, to which numbers."""

from django.db import models
from django.db.models import Q
from django.utils.timezone import now

from tenants.models.tenant import Membership
from tenants.owned import TenantForeignKey, TenantOwned

__all__ = ["TrialDay", "TrialNumber"]


class TrialDay(TenantOwned):
    """How many texts a tenant in trial has handed over on one day, in its own zone."""

    day = models.DateField()
    text_count = models.PositiveIntegerField(default=0)

    class Meta(TenantOwned.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "day"], name="trial_day_once")]

    def __str__(self) -> str:
        return str(self.day)


class TrialNumber(TenantOwned):
    """A number that a tenant in trial may text: a member's own, once they have confirmed it, or a guest's.

    A member confirms by answering a text. A code that comes by text would prove nothing here: colleagues read every text
    that goes out.
    """

    number = models.CharField(max_length=16)
    member = TenantForeignKey(Membership, on_delete=models.CASCADE, null=True, related_name="+")
    """Null for a guest, whom the owner has typed in."""
    asked_at = models.DateTimeField(null=True)
    """When the question whether it is theirs went out last."""
    confirmed_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=now, editable=False)

    class Meta(TenantOwned.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant", "number"], name="trial_number_once"),
            models.UniqueConstraint(
                fields=["tenant", "member"], condition=Q(member__isnull=False), name="trial_number_of_member_once"
            ),
        ]

    def __str__(self) -> str:
        return "Guest" if self.member_id is None else "Own number"
