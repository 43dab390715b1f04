"""What can be done with one contact."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from common.calling_codes import check_country
from common.phone_numbers import NumberProblem, parse
from common.unique import AlreadyThere, unique
from consent.erasure import recognise
from contacts.folding import fold
from contacts.models import Contact
from contacts.number_lock import share
from contacts.services.fields import read_values
from contacts.values import refresh_values
from contacts.zones import ZoneSource
from tenants.audit import record
from tenants.models import Tenant

__all__ = ["create_contact", "note_wrote", "update_contact"]

_NONE: Final[Mapping[str, str]] = {}


@transaction.atomic
def create_contact(
    *, tenant: Tenant, number: str, values: Mapping[str, str], fields: Mapping[str, str] = _NONE
) -> Contact:
    """Add a person by number; raises ``ValidationError`` for a bad number or one that is known already.

    ``fields`` are canonical values of the tenant's own fields, by key.
    """
    try:
        e164 = parse(number, tenant.country).e164
        check_country(e164, tenant.countries)
    except NumberProblem as problem:
        raise ValidationError({"number": str(problem)}) from None
    share()
    known = ValidationError({"number": "A contact with this number exists already."})
    if Contact.objects.by_number(e164).exists():
        raise known
    try:
        with unique():
            contact, _ = _save(Contact(number=e164), values, fields)
    except AlreadyThere:
        raise known from None
    recognise([e164])
    record("contact.added", target=contact, target_name="")
    return contact


@transaction.atomic
def update_contact(*, contact: Contact, values: Mapping[str, str], fields: Mapping[str, str] = _NONE) -> Contact:
    """Change a contact's details and own fields; those not named stay, their numbers have services of their own."""
    contact, changed = _save(contact, values, fields)
    if changed:
        record("contact.changed", target=contact, target_name="", after={"fields": changed})
    return contact


def note_wrote(*, contact_id: UUID, at: datetime) -> None:
    """The person wrote; an older text that comes late changes nothing."""
    older = Q(last_inbound_at=None) | Q(last_inbound_at__lt=at)
    Contact.objects.filter(older, id=contact_id).update(last_inbound_at=at)


def _save(contact: Contact, values: Mapping[str, str], fields: Mapping[str, str]) -> tuple[Contact, list[str]]:
    """The contact and the names of the details that changed."""
    changed = []
    for name in ("first_name", "last_name", "email", "language", "timezone"):
        if name in values and getattr(contact, name) != values[name].strip():
            setattr(contact, name, values[name].strip())
            changed.append(name)
    if "timezone" in changed:
        contact.timezone_source = ZoneSource.STAFF if contact.timezone else ""
    contact.email = contact.email.lower()
    contact.first_key, contact.last_key = fold(contact.first_name), fold(contact.last_name)
    own = {key: value for key, value in {**contact.fields, **read_values(fields)}.items() if value}
    changed_fields = [key for key in fields if own.get(key, "") != contact.fields.get(key, "")]
    contact.fields = own
    contact.updated_at = timezone.now()
    contact.full_clean(exclude=["tenant", "first_key", "last_key", "fields"])
    contact.save()
    if changed_fields:
        refresh_values([contact.id])
    return contact, changed + changed_fields
