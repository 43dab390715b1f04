"""What a part costs a tenant at its provider, for figures on pages: bills come from the provider."""

from decimal import Decimal

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from tenants.owned import TenantOwned

__all__ = ["PartPrice"]


class PartPrice(TenantOwned):
    """One row for each tenant that entered it; money is in millionths of the currency's unit."""

    micros = models.PositiveIntegerField(validators=[MinValueValidator(1), MaxValueValidator(10_000_000)])
    currency = models.CharField(max_length=3, default="USD")
    changed_at = models.DateTimeField(auto_now=True)

    class Meta(TenantOwned.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant"], name="part_price_once")]

    def __str__(self) -> str:
        return self.in_words(1)

    def in_words(self, parts: int) -> str:
        """What so many parts cost: "USD 12.34"; a small sum keeps what would be rounded away."""
        amount = Decimal(parts * self.micros) / 1_000_000
        return f"{self.currency} {amount:,.2f}" if amount >= 1 else f"{self.currency} {amount.normalize():f}"

    @property
    def amount(self) -> str:
        """The price of one part as it is typed."""
        return f"{(Decimal(self.micros) / 1_000_000).normalize():f}"
