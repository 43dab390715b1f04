"""What the contacts behind some numbers tell the gate: a noted time zone, and whether they are archived."""

from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import Q

from contacts.models import Contact, ContactNumber

__all__ = ["Standing", "standing_among"]


@dataclass(frozen=True, slots=True)
class Standing:
    """Of a contact of whom either is true."""

    timezone: str
    archived: bool


def standing_among(numbers: Collection[str]) -> dict[str, Standing]:
    """By number, preferred or further, of those of whom there is anything to tell: three queries at most."""
    found: dict[str, Standing] = {}
    if ContactNumber.objects.exists():
        further = ContactNumber.objects.filter(
            ~Q(contact__timezone="") | Q(contact__archived_at__isnull=False), number__among=numbers
        )
        for number, zone, archived_at in further.values_list("number", "contact__timezone", "contact__archived_at"):
            found[number] = Standing(zone, archived_at is not None)
    preferred = Contact.objects.filter(~Q(timezone="") | Q(archived_at__isnull=False), number__among=numbers)
    for number, zone, archived_at in preferred.values_list("number", "timezone", "archived_at"):
        found[number] = Standing(zone, archived_at is not None)
    return found
