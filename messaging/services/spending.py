"""What staff decide about money."""

from django.core.exceptions import ValidationError
from django.db import transaction

from messaging.models import PartPrice, SpendLimit
from tenants.audit import record

__all__ = ["set_spend_limit"]


@transaction.atomic
def set_spend_limit(*, micros: int | None) -> None:
    """Let a month cost so much, in millionths of the currency of the price of a part; None: as much as it does.

    Raises ``ValidationError`` while there is no price, and for what is no such sum.
    """
    price, limit = PartPrice.objects.first(), SpendLimit.objects.first()
    before = str(limit) if limit else None
    if micros is None:
        if limit:
            record("number.spend_limit_changed", target_name="", before={"month": before}, after={"month": None})
            limit.delete()
        return
    if price is None:
        raise ValidationError("Say first what a part costs.")
    limit = limit or SpendLimit()
    limit.micros = micros
    limit.full_clean()
    limit.save()
    after = {"month": f"{price.currency} {limit}"}
    record("number.spend_limit_changed", target=limit, target_name="", before={"month": before}, after=after)
