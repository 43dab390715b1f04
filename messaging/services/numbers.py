"""What staff do about numbers: text a marked one again, note those that changed hands, say what a part costs."""

from collections.abc import Sequence
from datetime import date, datetime, time
from uuid import UUID

from django.db import transaction

from consent import number_marks
from consent.changed_numbers import Change, note_changes
from consent.models import ChangedNumber, ConsentRecord, ConsentState, NumberMark
from consent.revocation_lock import hold_exclusively
from consent.services import opt_out_many
from contacts.models import Contact
from messaging.models import PartPrice
from tenants.audit import record
from tenants.models import Tenant

__all__ = ["note_changed_numbers", "opt_out_list", "set_part_price", "try_number_again"]


def try_number_again(*, mark: NumberMark) -> bool:
    """Let texts go to a marked number again; False when nothing keeps them back any more."""
    return number_marks.try_again(number=mark.number, about=Contact.objects.by_number(mark.number).first())


@transaction.atomic
def note_changed_numbers(*, tenant: Tenant, changes: Sequence[tuple[str, date]]) -> int:
    """Let consent from before these days count no more; returns for how many numbers that is new.

    Kept are only numbers that consent is on record for: of the others there is nothing that could end. No text goes
    on the former owner's consent once this is committed.
    """
    hold_exclusively()
    known = set(
        ConsentState.objects.filter(number__among=[number for number, _ in changes]).values_list("number", flat=True)
    )
    noted = note_changes(
        [
            Change(number, day, datetime.combine(day, time(), tzinfo=tenant.zone))
            for number, day in changes
            if number in known
        ],
        source=ChangedNumber.Source.LIST,
    )
    record("number.list_noted", after={"numbers_in_the_list": len(changes), "consent_ended": noted})
    return noted


@transaction.atomic
def opt_out_list(*, numbers: Sequence[str], note: str, user_id: UUID) -> int:
    """End all texts to these numbers, contacts or not; returns how many got them until now. ``note``: where it was said."""
    new = opt_out_many(
        numbers=numbers,
        source=ConsentRecord.Source.STAFF,
        evidence={"recorded_on": "list", "list": note},
        actor_id=user_id,
    )
    record("consent.list_opted_out", after={"numbers_in_the_list": len(numbers), "opted_out": len(new), "list": note})
    return len(new)


def set_part_price(*, micros: int, currency: str) -> PartPrice:
    """Say what a part costs, in millionths of the currency's unit."""
    price = PartPrice.objects.first() or PartPrice(micros=micros)
    before = str(price) if PartPrice.objects.exists() else None
    price.micros, price.currency = micros, currency
    price.full_clean()
    price.save()
    record("number.price_changed", target=price, target_name="", before={"part": before}, after={"part": str(price)})
    return price
