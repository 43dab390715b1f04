"""Driving an import: check, import and undo go over its rows in ranges, each its own transaction, resumable after the
worker dies."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db.models import Max, Q, QuerySet, Sum
from django.utils import timezone

from common.failpoints import failpoint
from common.planner import refresh_statistics
from common.unique import AlreadyThere, unique
from consent.models import ConsentRecord, ConsentState
from contacts.importing import progress
from contacts.importing.applying import apply_range
from contacts.importing.chunks import chunks
from contacts.importing.decoding import FileProblem, Row
from contacts.importing.files import table_of
from contacts.importing.limits import limits
from contacts.importing.loaders import in_parallel
from contacts.importing.opt_outs import record_opt_outs, who_opted_out
from contacts.importing.staging import StagedRow, count_outcomes, find_repeated, reader_of, stage, to_stage
from contacts.importing.undoing import finish_undo, undo_range
from contacts.importing.warnings import find_warnings
from contacts.models import Contact, ContactImport, ContactTag, ImportRange, ImportRow, ListMember
from tenants.audit import record
from tenants.scope import tenant_scope

__all__ = ["run_import"]

CHECK_ROWS: Final = 20_000
IMPORT_ROWS: Final = 20_000
"""At the end of a range the tenant's revocation lock is shared; more rows would keep a STOP waiting longer."""
UNDO_ROWS: Final = 2_000
"""While a range is undone that lock is held alone."""
LOADERS: Final = 2
OPT_OUTS_AT_ONCE: Final = 20
_FIRST_ROW: Final = 2
"""The header is row 1."""


@dataclass(frozen=True, slots=True)
class _Range:
    first: int
    last: int


def run_import(tenant_id: UUID, import_id: UUID) -> None:
    """Do the work that is due on an import, whichever it is, to its end.

    Does nothing when another worker is on it or nothing is due. A check that was to be followed by the import without
    asking is.
    """
    while True:
        with tenant_scope(tenant_id, durable=True):
            job = progress.claim(import_id)
        if job is None:
            return
        work = {
            ContactImport.Status.CHECKING: _check,
            ContactImport.Status.IMPORTING: _import,
            ContactImport.Status.UNDOING: _undo,
        }[ContactImport.Status(job.status)]
        if not work(job):
            return


# --- Check --------------------------------------------------------------------------------------------------------


def _check(job: ContactImport) -> bool:
    """Read the file, store its rows and say what each will become; False when another worker has taken over."""
    with tenant_scope(job.tenant.id):
        done = _done(job, ImportRange.Work.CHECK).aggregate(last=Max("last_row"), rows=Sum("rows"))
    try:
        with tenant_scope(job.tenant.id):
            table = table_of(job)
        if not in_parallel(lambda chunk: _stage(job, chunk), _chunks(job, table.rows(), done["last"] or 0), loaders=1):
            return False
    except FileProblem as problem:
        with tenant_scope(job.tenant.id, durable=True):
            progress.fail(job, str(problem))
        return False
    refresh_statistics(ImportRow)
    with tenant_scope(job.tenant.id, durable=True):
        return _finish_check(job)


def _chunks(job: ContactImport, rows: Iterator[Row], done: int) -> Iterator[list[StagedRow]]:
    """The rows behind the last one stored, read; the database stores some while the next are read."""
    reader, bounds = reader_of(job), limits(job.tenant)
    rest = (row for row in rows if row.number > done) if done else rows
    for chunk in chunks((to_stage(row, reader) for row in rest), CHECK_ROWS):
        bounds.check_rows(chunk[-1].number - 1)
        yield chunk


def _stage(job: ContactImport, chunk: list[StagedRow]) -> bool:
    rows = _Range(chunk[0].number, chunk[-1].number)
    return _do_range(job, ImportRange.Work.CHECK, rows, len(chunk), lambda: stage(job, chunk))


def _finish_check(job: ContactImport) -> bool:
    job = progress.hold(job)
    if job.status != ContactImport.Status.CHECKING:
        return False
    done = _done(job, ImportRange.Work.CHECK).aggregate(last=Max("last_row"), rows=Sum("rows"))
    job.last_row, job.rows_total = done["last"] or 0, done["rows"] or 0
    job.counts = find_repeated(job)
    job.warnings = find_warnings(job)
    go_on = job.without_asking
    job.status = ContactImport.Status.IMPORTING if go_on else ContactImport.Status.CHECKED
    progress.begin_anew(job)
    job.save()
    record("import.checked", target=job, after={**job.counts, "warnings": [each["sign"] for each in job.warnings]})
    return go_on


# --- Import -------------------------------------------------------------------------------------------------------


def _import(job: ContactImport) -> bool:
    """Make contacts and consent of the checked rows."""
    if not _record_opt_outs(job):
        return False
    if not in_parallel(
        lambda rows: _apply(job, rows), _ranges(job, ImportRange.Work.IMPORT, IMPORT_ROWS), loaders=LOADERS
    ):
        return False
    refresh_statistics(Contact, ListMember, ContactTag, ImportRow, ConsentRecord, ConsentState)
    with tenant_scope(job.tenant.id, durable=True):
        job = progress.hold(job)
        if job.status != ContactImport.Status.IMPORTING:
            return False
        job.status, job.finished_at, job.leased_until = ContactImport.Status.DONE, timezone.now(), None
        job.rows_done, job.counts = job.rows_total, count_outcomes(job)
        job.save()
        record("import.finished", target=job, after=job.counts)
    return True


def _record_opt_outs(job: ContactImport) -> bool:
    """Record who opted out by the file's own words, before anything else."""
    if not {"consent", "opted_out"} & set(job.columns):
        return True
    with tenant_scope(job.tenant.id):
        found = who_opted_out(job)
    for start in range(0, len(found), OPT_OUTS_AT_ONCE):
        with tenant_scope(job.tenant.id, durable=True):
            if not progress.renew(job):
                return False
            if record_opt_outs(job, found[start : start + OPT_OUTS_AT_ONCE]):
                progress.got_on(job)
    return True


def _apply(job: ContactImport, rows: _Range) -> bool:
    return _do_range(
        job, ImportRange.Work.IMPORT, rows, rows.last - rows.first + 1, lambda: apply_range(job, rows.first, rows.last)
    )


# --- Undo ---------------------------------------------------------------------------------------------------------


def _undo(job: ContactImport) -> bool:
    """Take back what the import did."""
    if not in_parallel(
        lambda rows: _do_range(
            job, ImportRange.Work.UNDO, rows, rows.last - rows.first + 1, lambda: undo_range(job, rows.first, rows.last)
        ),
        _ranges(job, ImportRange.Work.UNDO, UNDO_ROWS),
        loaders=1,
    ):
        return False
    with tenant_scope(job.tenant.id, durable=True):
        job = progress.hold(job)
        if job.status == ContactImport.Status.UNDOING:
            record("import.undone", target=job, after=finish_undo(job))
    return True


# --- Ranges -------------------------------------------------------------------------------------------------------


def _ranges(job: ContactImport, work: str, size: int) -> Iterator[_Range]:
    """What lies between the ranges that are done. They begin at the same rows whoever asks."""
    with tenant_scope(job.tenant.id):
        done = list(_done(job, work).order_by("first_row").values_list("first_row", "last_row"))
    place = _FIRST_ROW
    for first, last in [*done, (job.last_row + 1, job.last_row)]:
        for begin in range(place, first, size):
            yield _Range(begin, min(begin + size, first) - 1)
        place = max(place, last + 1)


def _do_range(job: ContactImport, work: str, rows: _Range, count: int, do: Callable[[], object]) -> bool:
    """Do the work on a range and mark it as done, together or not at all. False when the import is not to go on."""
    with tenant_scope(job.tenant.id, durable=True):
        if not progress.renew(job):
            return False
    with tenant_scope(job.tenant.id, durable=True):
        try:
            with unique():
                # A worker that lost its lease may still be on it: this waits for its end, and then it is done.
                ImportRange.objects.create(
                    contact_import=job, work=work, first_row=rows.first, last_row=rows.last, rows=count
                )
        except AlreadyThere:
            return True
        do()
    failpoint("after_import_range")
    with tenant_scope(job.tenant.id, durable=True):
        progress.got_on(job, rows=count)
    return True


def _done(job: ContactImport, work: str) -> QuerySet[ImportRange]:
    return ImportRange.objects.filter(Q(contact_import=job, work=work))
