"""Driving an import to its end: in chunks, each its own transaction, resumable after the worker dies."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from typing import Final, TypeVar
from uuid import UUID

from django.db import DataError
from django.db.models import F, Q
from django.utils import timezone

from common.planner import refresh_statistics
from consent.models import ConsentRecord, ConsentState
from contacts.importing.decoding import FileProblem, Row, Table, read_table
from contacts.importing.load import ReadRow, load_chunk
from contacts.importing.refusals import Refusals, find_refusals, record_opt_outs
from contacts.importing.rows import Rejected, read_row
from contacts.models import Contact, ContactField, ContactImport, ContactTag, ImportFile, ImportRow, ListMember
from tenants.scope import tenant_scope

__all__ = ["run_import"]

ItemT = TypeVar("ItemT")

CHUNK_ROWS: Final = 1_000
"""At the end of a chunk the tenant's revocation lock is held; more rows would keep a STOP waiting longer."""
OPT_OUTS_AT_ONCE: Final = 20
_GROWTH: Final = 4
"""The planner is told of the rows of an import whenever they have become so many times as many."""
LEASE: Final = timedelta(seconds=60)
"""Longer than a chunk takes; a worker that died is replaced after it."""
MAX_TRIES: Final = 5
"""So often may workers begin without getting on before the import is given up."""

_GIVEN_UP: Final = (
    "The import did not get past row {row} in {tries} tries. The file is not at fault. Wait ten minutes, and tell your "
    "support if it happens again."
)
_CANNOT_BE_STORED: Final = "This row cannot be stored. Check it for unusual characters, or type it again."


@dataclass(frozen=True, slots=True)
class _Work:
    """A claimed import, its file, and who says no in it."""

    tenant_id: UUID
    job: ContactImport
    table: Table
    refusals: Refusals


def run_import(tenant_id: UUID, import_id: UUID) -> None:
    """Import the rest of the file. Does nothing when another worker is on it or it is finished."""
    with tenant_scope(tenant_id, durable=True):
        job = _claim(import_id)
        table = _read_file(job) if job else None
    if job is None or table is None:
        return
    work = _Work(tenant_id, job, table, find_refusals(table.rows(), job.columns, job.tenant.country))
    if _record_opt_outs(work) and _load_rest(work):
        refresh_statistics(Contact, ListMember, ContactTag, ImportRow, ConsentRecord, ConsentState)
        with tenant_scope(tenant_id, durable=True):
            _finish(import_id)


def _claim(import_id: UUID) -> ContactImport | None:
    now = timezone.now()
    free = Q(status=ContactImport.Status.QUEUED) | Q(status=ContactImport.Status.RUNNING, leased_until__lt=now)
    taken = ContactImport.objects.filter(free, id=import_id).update(
        status=ContactImport.Status.RUNNING, leased_until=now + LEASE, tries=F("tries") + 1
    )
    if not taken:
        return None
    job = ContactImport.objects.select_related("tenant").get(id=import_id)
    if job.tries > MAX_TRIES:
        _fail(job, _GIVEN_UP.format(row=f"{job.rows_done + 1:,}", tries=MAX_TRIES))
        return None
    return job


def _read_file(job: ContactImport) -> Table | None:
    try:
        return read_table(bytes(ImportFile.objects.get(contact_import=job).content))
    except FileProblem as problem:
        _fail(job, str(problem))
        return None


def _fail(job: ContactImport, problem: str) -> None:
    ContactImport.objects.filter(id=job.id).update(
        status=ContactImport.Status.FAILED, problem=problem, finished_at=timezone.now(), leased_until=None
    )


def _record_opt_outs(work: _Work) -> bool:
    """Record who opted out by the file's own words, before anything else; False when another worker has taken over."""
    for some in _chunks(work.refusals.opt_outs.values(), OPT_OUTS_AT_ONCE):
        with tenant_scope(work.tenant_id, durable=True):
            job = ContactImport.objects.filter(
                id=work.job.id, status=ContactImport.Status.RUNNING, rows_done=work.job.rows_done
            )
            if not job.update(leased_until=timezone.now() + LEASE):
                return False
            if record_opt_outs(work.job, some):
                job.update(tries=0)
    return True


def _load_rest(work: _Work) -> bool:
    """Load the rows behind the checkpoint; False when another worker has taken over."""
    done, analysed = work.job.rows_done, 0
    for chunk in _chunks(islice(work.table.rows(), done, None), CHUNK_ROWS):
        if not _load_or_halve(work, chunk, done):
            return False
        done += len(chunk)
        if done >= _GROWTH * analysed:
            # Each chunk is compared with the rows before it, which the planner takes for few until it is told.
            refresh_statistics(ImportRow)
            analysed = done
    return True


def _load_or_halve(work: _Work, chunk: Sequence[Row], done: int) -> bool:
    """Load a chunk in a transaction of its own; one that the database refuses is halved down to the row at fault."""
    try:
        with tenant_scope(work.tenant_id, durable=True):
            return _load(work, chunk, done)
    except DataError:
        if len(chunk) == 1 and chunk[0].problem:
            raise
    if len(chunk) == 1:
        return _load_or_halve(work, [Row(chunk[0].number, chunk[0].cells, _CANNOT_BE_STORED)], done)
    middle = len(chunk) // 2
    return _load_or_halve(work, chunk[:middle], done) and _load_or_halve(work, chunk[middle:], done + middle)


def _load(work: _Work, chunk: Sequence[Row], done: int) -> bool:
    """Load one chunk and move the checkpoint, together or not at all; False when another worker has taken over."""
    # The tenant's row stays free: whoever inserts a row of the tenant needs it too.
    job = ContactImport.objects.select_for_update(of=("self",)).select_related("tenant").get(id=work.job.id)
    if job.status != ContactImport.Status.RUNNING or job.rows_done != done:
        return False
    read = list(_read(chunk, job))
    for outcome, count in load_chunk(job, read, work.refusals.numbers).items():
        job.counts[outcome] = job.counts.get(outcome, 0) + count
    job.rows_done += len(chunk)
    job.leased_until = timezone.now() + LEASE
    job.tries = 0
    job.save(update_fields=["counts", "rows_done", "leased_until", "tries"])
    return True


def _read(chunk: Sequence[Row], job: ContactImport) -> Iterator[ReadRow]:
    own = ContactField.objects.filter(key__in=job.columns, deleted_at=None)
    types = {field.key: field.type for field in own}
    for row in chunk:
        if row.problem:
            yield ReadRow(row.number, None, row.problem, row.cells)
            continue
        try:
            yield ReadRow(row.number, read_row(row.cells, job.columns, job.tenant.country, types, job.tenant.countries))
        except Rejected as problem:
            yield ReadRow(row.number, None, str(problem), row.cells)


def _finish(import_id: UUID) -> None:
    ContactImport.objects.filter(id=import_id, status=ContactImport.Status.RUNNING).update(
        status=ContactImport.Status.DONE, finished_at=timezone.now(), rows_total=F("rows_done"), leased_until=None
    )


def _chunks(items: Iterable[ItemT], size: int) -> Iterator[list[ItemT]]:
    rest = iter(items)
    while chunk := list(islice(rest, size)):
        yield chunk
