"""For how long consent counts: as long as a tenant lets it, and no longer than a law says of consent that is implied."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone

from consent.models.records import ConsentRecord
from consent.purposes import Purpose
from tenants.owned import TenantOwned

__all__ = ["ConsentExpiry", "ImpliedConsentLaw"]

_MONTHS = [MinValueValidator(1), MaxValueValidator(120)]


class ConsentExpiry(TenantOwned):
    """After how many months a tenant lets consent to one kind of text end. Without a row it does not end."""

    purpose = models.CharField(max_length=14, choices=Purpose)
    months = models.PositiveSmallIntegerField(validators=_MONTHS)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta(TenantOwned.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "purpose"], name="consent_expiry_once")]

    def __str__(self) -> str:
        return f"“{self.get_purpose_display()}”"


class ImpliedConsentLaw(models.Model):
    """How long consent to offers counts that a country infers from something else than an agreement. Belongs to the
    platform. A law that changes gets a new row, and the old one its end."""

    jurisdiction = models.CharField(max_length=2, help_text="A country, such as CA.")
    name = models.CharField(max_length=80)
    law = models.TextField()
    basis = models.CharField("inferred from", max_length=20, choices=ConsentRecord.Source)
    months = models.PositiveSmallIntegerField("counts for so many months", validators=_MONTHS)
    certainty = models.CharField(max_length=40)
    sources = models.TextField()
    notes = models.TextField(blank=True)
    effective_from = models.DateField(null=True, blank=True, help_text="The first day; empty: always.")
    effective_until = models.DateField(null=True, blank=True, help_text="The first day without it; empty: for ever.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["jurisdiction", "basis", "effective_from", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["jurisdiction", "basis", "effective_from"],
                nulls_distinct=False,
                name="implied_consent_law_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.jurisdiction} {self.get_basis_display()}"
