"""Erasing a person for good."""

from django.core.exceptions import ValidationError
from django.db import transaction

from contacts.erasure import erase
from contacts.models import Contact
from tenants.audit import record

__all__ = ["CONFIRMATION", "erase_contact"]

CONFIRMATION = "ERASE"
"""What has to be typed: nothing of it can be brought back."""


@transaction.atomic
def erase_contact(*, contact: Contact, typed: str) -> None:
    """Erase a person everywhere; raises ``ValidationError`` unless the word was typed."""
    if typed.strip().upper() != CONFIRMATION:
        raise ValidationError({"typed": f"Type {CONFIRMATION} to go ahead."})
    if erase([contact.id]):
        record("contact.erased", target=contact, target_name="")
