"""Which numbers people have who are contacts."""

from collections.abc import Collection

from contacts.models import Contact, ContactNumber

__all__ = ["numbers_in_use"]


def numbers_in_use(numbers: Collection[str]) -> set[str]:
    """Those of the numbers that a contact of the active tenant has, as the preferred or as a further one."""
    preferred = Contact.objects.filter(number__in=numbers).values_list("number", flat=True)
    further = ContactNumber.objects.filter(number__in=numbers).values_list("number", flat=True)
    return {*preferred, *further}
