"""How often people may be texted: by law, which the platform's admins keep, and by each tenant's own policy."""

from datetime import date
from typing import Final

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone

from consent.purposes import Purpose
from tenants.owned import TenantOwned

__all__ = ["LONGEST_WINDOW_HOURS", "FrequencyLaw", "PurposePolicy"]

LONGEST_WINDOW_HOURS: Final = 30 * 24
"""Nothing older is looked at when texts are counted (``messaging.pipeline.frequency``)."""

_HOURS: Final = [MinValueValidator(1), MaxValueValidator(LONGEST_WINDOW_HOURS)]
_TEXTS: Final = [MinValueValidator(1), MaxValueValidator(100)]


class FrequencyLaw(models.Model):
    """How many offers a jurisdiction allows in a rolling window, for some time. Belongs to the platform. A law that
    changes gets a new row, and the old one its end: what a message was decided by can be read later."""

    jurisdiction = models.CharField(max_length=6, help_text="Such as US-FL.")
    name = models.CharField(max_length=80)
    law = models.TextField()
    texts = models.PositiveSmallIntegerField("offers at most", validators=_TEXTS)
    hours = models.PositiveSmallIntegerField("in so many hours", default=24, validators=_HOURS)
    certainty = models.CharField(max_length=40)
    sources = models.TextField()
    notes = models.TextField(blank=True)
    effective_from = models.DateField(null=True, blank=True, help_text="The first day; empty: always.")
    effective_until = models.DateField(null=True, blank=True, help_text="The first day without it; empty: for ever.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["jurisdiction", "effective_from", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["jurisdiction", "effective_from"], nulls_distinct=False, name="frequency_law_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.jurisdiction} {self.name}"

    def clean(self) -> None:
        self.jurisdiction = self.jurisdiction.strip().upper()
        if self.effective_from and self.effective_from >= (self.effective_until or date.max):
            raise ValidationError({"effective_until": "It ends before it begins."})


class PurposePolicy(TenantOwned):
    """How often a tenant texts people for one purpose. Without a row the default holds (``consent.frequency_limits``)."""

    purpose = models.CharField(max_length=14, choices=Purpose)
    obeys = models.BooleanField(default=False)
    """Whether texts of the purpose keep to the limit."""
    texts = models.PositiveSmallIntegerField(validators=_TEXTS)
    hours = models.PositiveSmallIntegerField(validators=_HOURS)
    counts = models.BooleanField(default=False)
    """Whether texts of the purpose fill the windows of the tenant's limits, their own and those of other purposes."""
    changed_at = models.DateTimeField(auto_now=True)

    class Meta(TenantOwned.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "purpose"], name="purpose_policy_once")]

    def __str__(self) -> str:
        return f"“{self.get_purpose_display()}”"
