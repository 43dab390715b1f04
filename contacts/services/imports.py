"""What can be done with an import file."""

import hashlib
from collections.abc import Collection, Sequence
from itertools import islice
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction

from common.tasks import enqueue_on_commit
from consent.purposes import PURPOSES_WITH_CONSENT
from contacts.importing.columns import FIELDS, guess_columns, is_number, may_be_about_consent
from contacts.importing.decoding import FileProblem, read_table
from contacts.models import ContactImport, ContactList, ImportFile, Tag
from contacts.services.fields import ensure_fields
from contacts.tasks import import_rows
from tenants.audit import record
from tenants.models import Tenant

__all__ = ["start_import", "upload_import"]


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
    record("import.uploaded", target=job, after={"rows": job.rows_total})
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
    try:
        ensure_fields(names=[name for name in columns if name and name not in FIELDS])
    except ValidationError as error:
        raise ValidationError({"columns": error.messages}) from None
    job.status = ContactImport.Status.QUEUED
    job.save()
    record("import.started", target=job, after=_choices(job))
    if not by_caller:
        enqueue_on_commit(import_rows, str(job.tenant_id), str(job.id))


def _choices(job: ContactImport) -> dict[str, object]:
    return {
        "columns": [name for name in job.columns if name],
        "basis": job.basis,
        "purposes": job.purposes,
        "list": job.contact_list.name if job.contact_list else None,
        "tag": job.tag.name if job.tag else None,
    }


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
