"""What can be done with the notes on a contact."""

from uuid import UUID

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone

from contacts.models import Contact, ContactNote
from contacts.models.notes import NOTE_LENGTH
from tenants.audit import record

__all__ = ["add_note", "delete_note", "edit_note"]


@transaction.atomic
def add_note(*, contact: Contact, body: str, author_id: UUID | None) -> ContactNote:
    """Write a note on a person; raises ``ValidationError`` when it is empty or too long."""
    note = _checked(ContactNote(contact=contact, author_id=author_id), body)
    note.save()
    record("note.added", target=contact, target_name="", after={"note": note.id})
    return note


@transaction.atomic
def edit_note(*, note: ContactNote, body: str, user_id: UUID, may_change_all: bool) -> None:
    """Change a note: one's own, or anybody's with ``may_change_all``."""
    _demand(note, user_id, may_change_all=may_change_all)
    _checked(note, body)
    note.edited_at = timezone.now()
    note.save(update_fields=["body", "edited_at"])
    record("note.edited", target=note.contact, target_name="", after={"note": note.id})


@transaction.atomic
def delete_note(*, note: ContactNote, user_id: UUID, may_change_all: bool) -> None:
    """Delete a note: one's own, or anybody's with ``may_change_all``."""
    _demand(note, user_id, may_change_all=may_change_all)
    record("note.deleted", target=note.contact, target_name="", before={"note": note.id})
    note.delete()


def _demand(note: ContactNote, user_id: UUID, *, may_change_all: bool) -> None:
    if not may_change_all and note.author_id != user_id:
        raise PermissionDenied("Only whoever wrote this note, a manager or an owner can change it.")


def _checked(note: ContactNote, body: str) -> ContactNote:
    note.body = body.strip()
    if not note.body:
        raise ValidationError({"body": "Write something first."})
    if len(note.body) > NOTE_LENGTH:
        raise ValidationError({"body": f"A note can have at most {NOTE_LENGTH:,} characters."})
    return note
