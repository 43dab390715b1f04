"""For how long the evidence of consent that is over is kept."""

from typing import Final

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from tenants.owned import TenantOwned

__all__ = ["EvidenceRetention"]


class EvidenceRetention(TenantOwned):
    """How many years a tenant keeps it, and how far the sweep of today got. Without a row: ``USUAL_YEARS``."""

    USUAL_YEARS: Final = 5
    """16 CFR 310.5 (Telemarketing Sales Rule) asks for five years; so nobody may choose less."""
    MOST_YEARS: Final = 30

    years = models.PositiveSmallIntegerField(
        default=USUAL_YEARS, validators=[MinValueValidator(USUAL_YEARS), MaxValueValidator(MOST_YEARS)]
    )
    swept_on = models.DateField(null=True, blank=True, editable=False)
    """The last day (UTC) on which everything was looked at."""
    swept_to = models.UUIDField(null=True, blank=True, editable=False)
    """The record up to which the sweep under way has come."""

    class Meta(TenantOwned.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant"], name="evidence_retention_once")]

    def __str__(self) -> str:
        return f"{self.years} years"
