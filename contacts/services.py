"""What can be done with contacts, lists, tags and import files."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from itertools import islice
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from common.phone_numbers import NumberProblem, parse
from common.tasks import enqueue_on_commit
from common.unique import AlreadyThere, unique
from consent.purposes import PURPOSES_WITH_CONSENT
from contacts.importing.columns import FIELDS, guess_columns, is_number, may_be_about_consent
from contacts.importing.decoding import FileProblem, read_table
from contacts.models import (
    Contact,
    ContactImport,
    ContactList,
    ContactTag,
    ImportFile,
    ListMember,
    Tag,
)
from contacts.querysets import search_key
from contacts.tasks import import_rows
from tenants.models import Tenant

__all__ = [
    "add_to_list",
    "create_contact",
    "create_list",
    "delete_list",
    "get_or_create_tag",
    "remove_from_list",
    "rename_list",
    "start_import",
    "tag_contact",
    "update_contact",
    "upload_import",
]


def create_contact(*, tenant: Tenant, number: str, values: Mapping[str, str]) -> Contact:
    """Add a person by number; raises ``ValidationError`` for a bad number or one that is known already."""
    try:
        e164 = parse(number, tenant.country).e164
    except NumberProblem as problem:
        raise ValidationError({"number": str(problem)}) from None
    known = ValidationError({"number": "A contact with this number exists already."})
    if Contact.objects.filter(number=e164).exists():
        raise known
    try:
        with unique():
            return _save(Contact(number=e164), values)
    except AlreadyThere:
        raise known from None


def update_contact(*, contact: Contact, values: Mapping[str, str]) -> Contact:
    """Change a contact's names and details; the number is the person's identity and stays."""
    return _save(contact, values)


def _save(contact: Contact, values: Mapping[str, str]) -> Contact:
    for name in ("first_name", "last_name", "email", "language", "timezone"):
        if name in values:
            setattr(contact, name, values[name].strip())
    contact.first_key, contact.last_key = search_key(contact.first_name), search_key(contact.last_name)
    contact.updated_at = timezone.now()
    contact.full_clean(exclude=["tenant", "first_key", "last_key", "fields"])
    contact.save()
    return contact


def create_list(*, name: str) -> ContactList:
    """Make a list; raises ``ValidationError`` when the name is taken or empty."""
    return _save_list(ContactList(), name)


def rename_list(*, contact_list: ContactList, name: str) -> None:
    """Give a list another name; raises ``ValidationError`` when it is taken or empty."""
    _save_list(contact_list, name)


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
    ListMember.objects.filter(contact_list=contact_list).delete()
    contact_list.delete()


def get_or_create_tag(*, name: str) -> Tag:
    """The tag with this name, in any letter case."""
    clean = " ".join(name.split())[:40]
    if not clean:
        raise ValidationError({"tag": "Give the tag a name."})
    found = Tag.objects.filter(name__iexact=clean).first()
    return found or Tag.objects.get_or_create(name=clean)[0]


def add_to_list(*, contact: Contact, contact_list: ContactList) -> None:
    """Put a contact into a list; again is no error."""
    ListMember.objects.get_or_create(contact=contact, contact_list=contact_list)


def remove_from_list(*, contact: Contact, contact_list: ContactList) -> None:
    """Take a contact out of a list."""
    ListMember.objects.filter(contact=contact, contact_list=contact_list).delete()


def tag_contact(*, contact: Contact, tag: Tag) -> None:
    """Put a tag on a contact; again is no error."""
    ContactTag.objects.get_or_create(contact=contact, tag=tag)


@transaction.atomic
def upload_import(*, tenant: Tenant, file_name: str, content: bytes, user_id: UUID | None) -> ContactImport:
    """Keep an uploaded file and guess its columns; raises ``FileProblem`` when it cannot be read."""
    table = read_table(content)
    if any(is_number(title, tenant.country) for title in table.header):
        raise FileProblem(
            "The first row looks like a person. Put a row with the names of the columns above it, such as name, phone."
        )
    samples = [row.cells for row in islice(table.rows(), 50)]
    if not samples:
        raise FileProblem("The file has column names but no rows.")
    job = ContactImport.objects.create(
        file_name=file_name[-200:] or "contacts.csv",
        sha256=hashlib.sha256(content).hexdigest(),
        columns=guess_columns(table.header, samples, tenant.country),
        rows_total=sum(1 for _ in table.rows()),
        created_by_id=user_id,
    )
    ImportFile.objects.create(contact_import=job, content=content)
    return job


def start_import(
    *,
    job: ContactImport,
    columns: Sequence[str],
    basis: str,
    purposes: Collection[str],
    consent_note: str = "",
    contact_list: ContactList | None = None,
    tag: Tag | None = None,
    by_caller: bool = False,
) -> None:
    """Begin an uploaded import with the choices made; raises ``ValidationError`` by field.

    A worker runs it, unless the caller will (``by_caller``) with ``run_import``.
    """
    if job.status != ContactImport.Status.UPLOADED:
        raise ValidationError("This import has been started already.")
    job.columns = list(columns)
    job.basis = basis
    job.purposes = [purpose for purpose in PURPOSES_WITH_CONSENT if purpose in purposes]
    job.consent_note = consent_note.strip()
    job.contact_list = contact_list
    job.tag = tag
    _check_choices(job)
    job.status = ContactImport.Status.QUEUED
    job.save()
    if not by_caller:
        enqueue_on_commit(import_rows, str(job.tenant_id), str(job.id))


def _check_choices(job: ContactImport) -> None:
    if job.columns.count("number") != 1:
        raise ValidationError({"columns": "Choose exactly one column as the phone number."})
    known = [name for name in job.columns if name]
    if len(known) != len(set(known)):
        raise ValidationError({"columns": "Two columns fill the same field. Choose another field for one of them."})
    unread = [name for name in known if name not in FIELDS and may_be_about_consent(name)]
    if unread:
        raise ValidationError(
            {
                "columns": f"The column “{unread[0].replace('_', ' ')}” looks as if it said who may be texted. Choose what "
                "it says: “Agreed to texts” or “Opted out”. If it says neither, leave it out."
            }
        )
    if job.basis not in ContactImport.Basis.values:
        raise ValidationError({"basis": "Say how these people agreed to be texted."})
    if job.basis != ContactImport.Basis.NONE and not job.purposes:
        raise ValidationError({"purposes": "Say what they agreed to receive."})
    unproven = [purpose for purpose in job.purposes if not job.may_prove(purpose)]
    if unproven and job.basis != ContactImport.Basis.NONE:
        raise ValidationError(
            {"purposes": "Offers need agreement in writing: a web form, a signed paper form or a texted keyword."}
        )
    if job.basis == ContactImport.Basis.NONE:
        job.purposes = []
