"""The columns an export can have."""

from collections.abc import Collection, Mapping
from typing import Final

from consent.purposes import PURPOSES_WITH_CONSENT, Purpose
from contacts.importing.columns import NOT_IMPORTED, custom_name
from contacts.models import ContactField

__all__ = ["USUAL", "choices", "titles"]

_DETAILS: Final[Mapping[str, str]] = {
    "number": "Phone number",
    "first_name": "First name",
    "last_name": "Last name",
    "email": "E-mail",
    "language": "Language",
    "timezone": "Time zone",
}
_FURTHER: Final[Mapping[str, str]] = {
    "numbers": "Further numbers",
    "tags": "Tags",
    "lists": "Lists",
    "suppressed": "Opted out of everything since",
    "added": "Added",
    "archived": "Archived since",
}
USUAL: Final = (*_DETAILS, "tags", "lists", "suppressed")
"""Chosen unless told; with them the tenant's own fields."""


def choices() -> list[tuple[str, str]]:
    """Every column by its key, with the words for it."""
    own = [(f"field:{field.key}", field.label) for field in _own_fields()]
    consent = [(f"consent:{purpose.value}", f"Consent: {purpose.label.lower()}") for purpose in PURPOSES_WITH_CONSENT]
    return [*_DETAILS.items(), *own, *_FURTHER.items(), *consent]


def titles(keys: Collection[str]) -> list[str]:
    """The heads of the columns; an import of the file knows those that it can take back, and leaves the others out."""
    labels = {field.key: field.label for field in _own_fields()}
    found: list[str] = []
    for key in keys:
        kind, _, name = key.partition(":")
        if key in _DETAILS:
            found.append(_DETAILS[key])
        elif kind == "field":
            label = labels.get(name, name)
            found.append(label if custom_name(label) == name else name)
        elif kind == "consent":
            what = f"Consent to {Purpose(name).label.lower()}"
            found += [f"{each} {NOT_IMPORTED}" for each in (what, f"{what}: since", f"{what}: how")]
        else:
            found.append(f"{_FURTHER[key]} {NOT_IMPORTED}")
    return found


def _own_fields() -> list[ContactField]:
    return list(ContactField.objects.filter(deleted_at=None).order_by("position", "id"))
