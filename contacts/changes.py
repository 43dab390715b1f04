"""Noting on a contact's timeline what was done with it."""

from contacts.models import Contact, ContactChange
from tenants.audit import current_actor

__all__ = ["note_change"]


def note_change(contact: Contact, kind: ContactChange.Kind, name: str = "") -> None:
    """Note that the current actor did this with the contact."""
    ContactChange.objects.create(contact=contact, kind=kind, name=name, actor_id=current_actor().user_id)
