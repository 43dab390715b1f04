"""What a tenant asks of its texts of one purpose: how people must have agreed, where the way out stands, no repeats."""

from typing import Final

from django.core.validators import MaxValueValidator
from django.db import models

from consent.purposes import Purpose
from tenants.owned import TenantOwned

__all__ = ["LONGEST_REPEAT_HOURS", "PurposeRules"]

LONGEST_REPEAT_HOURS: Final = 7 * 24
"""So far back is looked for the same words at most."""


class PurposeRules(TenantOwned):
    """One row for each purpose that was changed. Without a row the default holds (``consent.purpose_rules``)."""

    class Agreement(models.TextChoices):
        """How a person must have agreed."""

        LAW = "law", "As the law where they live asks"
        EXPRESS = "express", "Spoken or in writing"
        WRITTEN = "written", "In writing"

    class Footer(models.TextChoices):
        """Which automated and mass texts end with the way out. The first text to a person always does."""

        ALWAYS = "always", "Every text"
        CHOSEN = "chosen", "As chosen with each campaign"
        FIRST = "first", "Only the first text to a person"

    purpose = models.CharField(max_length=14, choices=Purpose)
    agreement = models.CharField(max_length=8, choices=Agreement, default=Agreement.LAW)
    footer = models.CharField(max_length=8, choices=Footer, default=Footer.ALWAYS)
    repeat_hours = models.PositiveSmallIntegerField(default=0, validators=[MaxValueValidator(LONGEST_REPEAT_HOURS)])
    """For so long the very same words do not go to a person again; 0: they may."""
    changed_at = models.DateTimeField(auto_now=True)

    class Meta(TenantOwned.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "purpose"], name="purpose_rules_once")]

    def __str__(self) -> str:
        return f"“{self.get_purpose_display()}”"
