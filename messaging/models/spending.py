"""What a tenant lets a month of texts cost, and what the month has cost so far."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from tenants.owned import TenantOwned

__all__ = ["SHARES", "MonthSpend", "SpendLimit"]

SHARES = 16
"""A month's sum is kept in so many rows, so that workers who count at once do not wait for one another."""


class SpendLimit(TenantOwned):
    """One row for each tenant that has a limit; millionths of the unit of the currency of its ``PartPrice``."""

    micros = models.PositiveBigIntegerField(validators=[MinValueValidator(1_000_000), MaxValueValidator(10**15)])
    changed_at = models.DateTimeField(auto_now=True)

    class Meta(TenantOwned.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant"], name="spend_limit_once")]

    def __str__(self) -> str:
        return f"{self.micros / 1_000_000:,.2f}"


class MonthSpend(TenantOwned):
    """One share of what was handed over to providers in a month of the tenant's calendar."""

    month = models.DateField()
    """Its first day."""
    share = models.PositiveSmallIntegerField()
    parts = models.PositiveBigIntegerField(default=0)
    micros = models.PositiveBigIntegerField(default=0)
    """At the price of a part when each was handed over; 0 as long as there was none."""

    class Meta(TenantOwned.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "month", "share"], name="month_spend_once")]

    def __str__(self) -> str:
        return f"{self.month:%Y-%m}: {self.parts} parts"
