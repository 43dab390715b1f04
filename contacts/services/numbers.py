"""What can be done with a person's numbers. Consent belongs to a number, so none of this changes who may be texted."""

from typing import Final

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from common.calling_codes import check_country
from common.phone_numbers import NumberProblem, parse
from consent.erasure import recognise
from contacts.models import Contact, ContactNumber
from contacts.number_lock import hold_exclusively
from tenants.audit import record
from tenants.models import Tenant

__all__ = ["MAX_FURTHER_NUMBERS", "add_number", "prefer_number", "remove_number"]

MAX_FURTHER_NUMBERS: Final = 20


@transaction.atomic
def add_number(*, tenant: Tenant, contact: Contact, number: str, label: str = "") -> ContactNumber:
    """Give a person a further number; raises ``ValidationError`` for a bad one or one that somebody has already."""
    try:
        e164 = parse(number, tenant.country).e164
        check_country(e164, tenant.countries)
    except NumberProblem as problem:
        raise ValidationError({"number": str(problem)}) from None
    _alone_with(contact)
    owner = Contact.objects.owners([e164]).get(e164)
    if owner is not None:
        who = "This person" if owner == contact else str(owner)
        raise ValidationError({"number": f"{who} has this number already. A number belongs to one person."})
    if ContactNumber.objects.filter(contact=contact).count() >= MAX_FURTHER_NUMBERS:
        raise ValidationError({"number": f"A person can have {MAX_FURTHER_NUMBERS} further numbers. Remove one first."})
    further = ContactNumber(contact=contact, number=e164, label=" ".join(label.split()))
    further.full_clean(exclude=["tenant", "contact"])
    further.save()
    recognise([e164])
    record("contact.number_added", target=contact, target_name="")
    return further


@transaction.atomic
def prefer_number(*, further: ContactNumber) -> Contact:
    """Text this number from now on; the one preferred before becomes a further number."""
    contact = _alone_with(further.contact)
    # Asked again under the lock: two people may press two buttons at the same moment.
    further = _still_there(further)
    before, contact.number = contact.number, further.number
    contact.updated_at = timezone.now()
    further.number, further.label = before, ""
    further.save(update_fields=["number", "label"])
    contact.save(update_fields=["number", "updated_at"])
    record("contact.number_preferred", target=contact, target_name="")
    return contact


@transaction.atomic
def remove_number(*, further: ContactNumber) -> None:
    """Take a further number from a person. Its texts and what was agreed with it are kept by number."""
    contact = _alone_with(further.contact)
    _still_there(further).delete()
    record("contact.number_removed", target=contact, target_name="")


def _alone_with(contact: Contact) -> Contact:
    """The contact, locked, with nobody else giving numbers away until the transaction ends."""
    hold_exclusively()
    found = Contact.objects.select_for_update(of=("self",)).filter(id=contact.id).first()
    if found is None:
        raise ValidationError("This contact was deleted meanwhile.")
    return found


def _still_there(further: ContactNumber) -> ContactNumber:
    found = ContactNumber.objects.filter(id=further.id, number=further.number).first()
    if found is None:
        raise ValidationError("Somebody changed this person's numbers meanwhile. Look at them again.")
    return found
