"""The time zones that are noted with the people behind some numbers."""

from collections.abc import Collection

from contacts.models import Contact, ContactNumber

__all__ = ["noted_zones"]


def noted_zones(numbers: Collection[str]) -> dict[str, str]:
    """The noted zone by number, preferred or further, where there is one: two queries, whatever the count."""
    preferred = Contact.objects.filter(number__among=numbers).exclude(timezone="")
    further = ContactNumber.objects.filter(number__among=numbers).exclude(contact__timezone="")
    return {
        **dict(further.values_list("number", "contact__timezone")),
        **dict(preferred.values_list("number", "timezone")),
    }
