"""What can be done with lists and tags."""

from django.core.exceptions import ValidationError
from django.db import transaction

from common.unique import AlreadyThere, unique
from contacts.changes import note_change
from contacts.models import Contact, ContactChange, ContactImport, ContactList, ContactTag, ListMember, Tag
from tenants.audit import record

__all__ = [
    "add_to_list",
    "create_list",
    "delete_list",
    "get_or_create_tag",
    "remove_from_list",
    "rename_list",
    "tag_contact",
    "untag_contact",
]


def create_list(*, name: str) -> ContactList:
    """Make a list; raises ``ValidationError`` when the name is taken or empty."""
    contact_list = _save_list(ContactList(), name)
    record("list.created", target=contact_list)
    return contact_list


def rename_list(*, contact_list: ContactList, name: str) -> None:
    """Give a list another name; raises ``ValidationError`` when it is taken or empty."""
    before = contact_list.name
    _save_list(contact_list, name)
    if before != contact_list.name:
        record("list.renamed", target=contact_list, before={"name": before}, after={"name": contact_list.name})


def _save_list(contact_list: ContactList, name: str) -> ContactList:
    contact_list.name = name.strip()
    contact_list.full_clean(exclude=["tenant"])
    taken = ValidationError({"name": "There is a list with this name already."})
    if ContactList.objects.filter(name__iexact=contact_list.name).exclude(id=contact_list.id).exists():
        raise taken
    try:
        with unique():
            contact_list.save(update_fields=None if contact_list._state.adding else ["name"])
    except AlreadyThere:
        raise taken from None
    return contact_list


def delete_list(*, contact_list: ContactList) -> None:
    """Delete a list, not its contacts; one that an import names stays, because it is part of that record."""
    if ContactImport.objects.filter(contact_list=contact_list).exists():
        raise ValidationError("An import put contacts into this list, so it stays as part of that record.")
    record("list.deleted", target=contact_list)
    ListMember.objects.filter(contact_list=contact_list).delete()
    contact_list.delete()


def get_or_create_tag(*, name: str) -> Tag:
    """The tag with this name, in any letter case."""
    clean = " ".join(name.split())[:40]
    if not clean:
        raise ValidationError({"tag": "Give the tag a name."})
    found = Tag.objects.filter(name__iexact=clean).first()
    if found:
        return found
    tag, is_new = Tag.objects.get_or_create(name=clean)
    if is_new:
        record("tag.created", target=tag)
    return tag


@transaction.atomic
def add_to_list(*, contact: Contact, contact_list: ContactList) -> None:
    """Put a contact into a list; again is no error."""
    if ListMember.objects.get_or_create(contact=contact, contact_list=contact_list)[1]:
        note_change(contact, ContactChange.Kind.LISTED, contact_list.name)
        record("contact.list_added", target=contact, target_name="", after={"list": contact_list.name})


@transaction.atomic
def remove_from_list(*, contact: Contact, contact_list: ContactList) -> None:
    """Take a contact out of a list."""
    if ListMember.objects.filter(contact=contact, contact_list=contact_list).delete()[0]:
        note_change(contact, ContactChange.Kind.UNLISTED, contact_list.name)
        record("contact.list_removed", target=contact, target_name="", before={"list": contact_list.name})


@transaction.atomic
def tag_contact(*, contact: Contact, tag: Tag) -> None:
    """Put a tag on a contact; again is no error."""
    if ContactTag.objects.get_or_create(contact=contact, tag=tag)[1]:
        note_change(contact, ContactChange.Kind.TAGGED, tag.name)
        record("contact.tagged", target=contact, target_name="", after={"tag": tag.name})


@transaction.atomic
def untag_contact(*, contact: Contact, tag: Tag) -> None:
    """Take a tag off a contact."""
    if ContactTag.objects.filter(contact=contact, tag=tag).delete()[0]:
        note_change(contact, ContactChange.Kind.UNTAGGED, tag.name)
        record("contact.untagged", target=contact, target_name="", before={"tag": tag.name})
