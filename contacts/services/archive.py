"""Setting a contact aside, and taking it up again."""

from django.db import transaction

from contacts.archive import archive, unarchive
from contacts.changes import note_change
from contacts.models import Contact, ContactChange
from tenants.audit import record

__all__ = ["archive_contact", "unarchive_contact"]


@transaction.atomic
def archive_contact(*, contact: Contact) -> None:
    """Set a person aside: out of lists, searches, audiences and new campaigns; again is no error.

    What is planned already is blocked by the gate when it would be handed over.
    """
    if archive([contact.id]):
        note_change(contact, ContactChange.Kind.ARCHIVED)
        record("contact.archived", target=contact, target_name="")


@transaction.atomic
def unarchive_contact(*, contact: Contact) -> None:
    """Take a person out of the archive, into the lists they were in."""
    if unarchive([contact.id]):
        note_change(contact, ContactChange.Kind.UNARCHIVED)
        record("contact.unarchived", target=contact, target_name="")
