"""What can be done with an import file."""

import hashlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from tempfile import NamedTemporaryFile
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction

from common.tasks import enqueue_on_commit
from consent.purposes import PURPOSES_WITH_CONSENT
from contacts.importing import progress
from contacts.importing.columns import FIELDS, guess_columns, is_number, may_be_about_consent
from contacts.importing.decoding import FileProblem
from contacts.importing.files import store, table_of
from contacts.importing.limits import Limits, limits
from contacts.importing.review import none_waits_any_more
from contacts.importing.survey import Survey
from contacts.importing.workbooks import Workbook, is_archive
from contacts.models import ContactImport, ContactList, ImportColumns, ImportFilePart, ImportRange, ImportRow, Tag
from contacts.services.fields import ensure_fields
from contacts.services.import_review import ask_for_review
from contacts.tasks import run_import_task
from tenants.audit import record
from tenants.models import Tenant

__all__ = ["check_import", "confirm_import", "delete_import", "start_import", "undo_import", "upload_import"]

_SAMPLES = 50
_ORIGINALS = 20
"""Among so many earlier imports with the same columns the original of a corrected file is looked for."""


@transaction.atomic
def upload_import(
    *, tenant: Tenant, file_name: str, content: bytes | Iterable[bytes], user_id: UUID | None
) -> ContactImport:
    """Keep an uploaded file and guess its columns; raises ``FileProblem`` when it cannot be read.

    ``content`` may come in pieces; no more than some of them are in memory at a time.
    """
    bounds = limits(tenant)
    _check_unfinished(bounds)
    job = ContactImport.objects.create(file_name=file_name[-200:] or "contacts.csv", created_by_id=user_id)
    _keep(job, iter([content] if isinstance(content, bytes) else content), survey := Survey(bounds), bounds)
    table = table_of(job)
    if any(is_number(title, tenant.country) for title in table.header):
        raise FileProblem(
            "The first row looks like a person. Put a row with the names of the columns above it, such as name, phone."
        )
    samples = [row.cells for row in islice(table.rows(), _SAMPLES)]
    if not samples:
        raise FileProblem("The file has column names but no rows.")
    job.header = table.header
    job.columns = guess_columns(table.header, samples, tenant.country)
    _remember(job)
    _recognise_correction(job, samples)
    job.rows_total = len(samples) if len(samples) < _SAMPLES else max(survey.lines - 1, _SAMPLES)
    job.save()
    record("import.uploaded", target=job, after={"rows": job.rows_total})
    return job


def _keep(job: ContactImport, pieces: Iterator[bytes], survey: Survey, bounds: Limits) -> None:
    """Store a text file as it is, and of a workbook the sheet that is read."""
    first = next(pieces, b"")
    if not first:
        raise FileProblem("The file is empty.")
    if not is_archive(first):
        store(job, chain([first], pieces), survey)
        job.encoding, job.sha256 = survey.finish(), survey.sha256
        return
    with NamedTemporaryFile(suffix=".xlsx") as file:
        digest = hashlib.sha256()
        for piece in chain([first], pieces):
            bounds.check_bytes(file.tell() + len(piece))
            digest.update(piece)
            file.write(piece)
        file.flush()
        workbook = Workbook(Path(file.name))
        store(job, workbook.csv(), survey)
    job.encoding, job.sha256, job.sheet = survey.finish(), digest.hexdigest(), workbook.sheet


def _check_unfinished(bounds: Limits) -> None:
    unfinished = ContactImport.objects.exclude(
        status__in=[ContactImport.Status.DONE, ContactImport.Status.FAILED, ContactImport.Status.UNDONE]
    )
    if unfinished[: bounds.unfinished].count() >= bounds.unfinished:
        waiting = "1 file waits" if bounds.unfinished == 1 else f"{bounds.unfinished} files wait"
        raise FileProblem(
            f"{waiting} to be imported already, which is the most for your account. Import or delete some first."
        )


def _remember(job: ContactImport) -> None:
    """Propose the columns as they were chosen for a file with this header before."""
    known = ImportColumns.objects.filter(signature=_signature(job.header)).first()
    if known and len(known.columns) == len(job.header):
        job.columns, job.columns_remembered = known.columns, True


def _recognise_correction(job: ContactImport, samples: Sequence[Sequence[str]]) -> None:
    """A file of rejected rows, corrected, takes over what was said about the import that they come from."""
    header: list[str] = job.header[:-2]
    if job.header[-2:] != ["row", "problem"]:
        return
    numbers = {int(cells[-2]) for cells in samples if len(cells) == len(job.header) and cells[-2].isdecimal()}
    done = ContactImport.objects.filter(status=ContactImport.Status.DONE, header=header).order_by("-created_at")
    for original in done[:_ORIGINALS]:
        rejected = ImportRow.objects.filter(contact_import=original, outcome=ImportRow.Outcome.REJECTED)
        if numbers and rejected.filter(row_number__in=numbers).count() == len(numbers):
            job.corrects = original
            job.columns = [*original.columns, "", ""]
            for name in ("basis", "purposes", "consent_note", "contact_list", "tag"):
                setattr(job, name, getattr(original, name))
            return


def _signature(header: Sequence[str]) -> str:
    return hashlib.sha256("\x1f".join(title.casefold() for title in header).encode()).hexdigest()


@transaction.atomic
def check_import(
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
    """Check an uploaded file with the choices made: each row is told what it will become, and nothing is imported.

    Raises ``ValidationError`` by field. A worker does it, unless the caller will (``by_caller``) with ``run_import``.
    The choices may be changed until the import is confirmed.
    """
    if job.status not in (ContactImport.Status.UPLOADED, ContactImport.Status.CHECKED):
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
    _forget_rows(job)
    job.status = ContactImport.Status.CHECKING
    progress.begin_anew(job)
    job.save()
    ImportColumns.objects.update_or_create(signature=_signature(job.header), defaults={"columns": job.columns})
    record("import.started", target=job, after=_choices(job))
    if not by_caller:
        enqueue_on_commit(run_import_task, str(job.tenant_id), str(job.id))


def _forget_rows(job: ContactImport) -> None:
    """Of a check with other choices nothing stays."""
    ImportRow.objects.filter(contact_import_id=job.id).delete()
    ImportRange.objects.filter(contact_import=job).delete()


@transaction.atomic
def start_import(*, job: ContactImport, by_caller: bool = False, **choices: object) -> None:
    """Check an uploaded file and import it without asking in between; for the command line and other programs.

    Takes the choices of ``check_import``.
    """
    job.without_asking = True
    check_import(job=job, by_caller=by_caller, **choices)  # type: ignore[arg-type]


@transaction.atomic
def confirm_import(*, job: ContactImport, accepts_warnings: bool = False, by_caller: bool = False) -> None:
    """Import a checked file. Raises ``ValidationError`` when it has signs of a bought list that nobody vouched for.

    In trial such a file waits for the platform's admins: whoever vouches for it asks them to look at it.
    """
    job = progress.hold(job)
    if job.status != ContactImport.Status.CHECKED:
        raise ValidationError("This import has been started already.")
    if job.warnings and not accepts_warnings:
        raise ValidationError(
            {"accepts_warnings": "Say that these people gave their numbers to you, or delete the file."}
        )
    if job.needs_review:
        ask_for_review(job=job)
        return
    job.status = ContactImport.Status.IMPORTING
    job.save(update_fields=["status"])
    record("import.confirmed", target=job, after={"vouched_for": [each["sign"] for each in job.warnings]})
    if not by_caller:
        enqueue_on_commit(run_import_task, str(job.tenant_id), str(job.id))


@transaction.atomic
def undo_import(*, job: ContactImport, by_caller: bool = False) -> None:
    """Take back what an import did; raises ``ValidationError`` when it is too late or was done already."""
    job = progress.hold(job)
    if job.undo_until is None:
        raise ValidationError("This import cannot be undone: it is too long ago, or has been undone already.")
    job.status = ContactImport.Status.UNDOING
    progress.begin_anew(job)
    job.save()
    record("import.undo_started", target=job)
    if not by_caller:
        enqueue_on_commit(run_import_task, str(job.tenant_id), str(job.id))


@transaction.atomic
def delete_import(*, job: ContactImport) -> None:
    """Delete a file that has not been imported, and what was read from it."""
    job = progress.hold(job)
    if job.status not in (ContactImport.Status.UPLOADED, ContactImport.Status.CHECKED):
        raise ValidationError("Only a file that has not been imported can be deleted.")
    record("import.deleted", target=job)
    _forget_rows(job)
    ImportFilePart.objects.filter(contact_import=job).delete()
    ContactImport.objects.filter(id=job.id).delete()
    if job.review_asked_at:
        none_waits_any_more()


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
