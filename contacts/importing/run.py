"""Driving an import to its end: in chunks, each its own transaction, resumable after the worker dies."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import islice
from typing import Final
from uuid import UUID

from django.db.models import F, Q
from django.utils import timezone

from common.planner import refresh_statistics
from consent.models import ConsentRecord, ConsentState
from contacts.importing.decoding import FileProblem, Row, Table, read_table
from contacts.importing.load import ReadRow, load_chunk
from contacts.importing.rows import Rejected, read_row
from contacts.models import Contact, ContactImport, ContactTag, ImportFile, ImportRow, ListMember
from tenants.scope import tenant_scope

__all__ = ["run_import"]

CHUNK_ROWS: Final = 2_000
LEASE: Final = timedelta(seconds=60)
"""Longer than a chunk takes; a worker that died is replaced after it."""


def run_import(tenant_id: UUID, import_id: UUID) -> None:
    """Import the rest of the file. Does nothing when another worker is on it or it is finished."""
    with tenant_scope(tenant_id, durable=True):
        table = _claim(import_id)
        job = ContactImport.objects.select_related("tenant").filter(id=import_id).first()
    if table is None or job is None:
        return
    done = job.rows_done
    rows = islice(table.rows(), done, None)
    while chunk := list(islice(rows, CHUNK_ROWS)):
        with tenant_scope(tenant_id, durable=True):
            if not _load(import_id, chunk, done):
                return
        done += len(chunk)
    refresh_statistics(Contact, ListMember, ContactTag, ImportRow, ConsentRecord, ConsentState)
    with tenant_scope(tenant_id, durable=True):
        _finish(import_id)


def _claim(import_id: UUID) -> Table | None:
    now = timezone.now()
    free = Q(status=ContactImport.Status.QUEUED) | Q(status=ContactImport.Status.RUNNING, leased_until__lt=now)
    taken = ContactImport.objects.filter(free, id=import_id).update(
        status=ContactImport.Status.RUNNING, leased_until=now + LEASE
    )
    if not taken:
        return None
    try:
        return read_table(bytes(ImportFile.objects.get(contact_import_id=import_id).content))
    except FileProblem as problem:
        ContactImport.objects.filter(id=import_id).update(
            status=ContactImport.Status.FAILED, problem=str(problem), finished_at=now
        )
        return None


def _load(import_id: UUID, chunk: Sequence[Row], done: int) -> bool:
    """Load one chunk and move the checkpoint, together or not at all; False when another worker has taken over."""
    job = ContactImport.objects.select_for_update().select_related("tenant").get(id=import_id)
    if job.status != ContactImport.Status.RUNNING or job.rows_done != done:
        return False
    read = list(_read(chunk, job))
    for outcome, count in load_chunk(job, read).items():
        job.counts[outcome] = job.counts.get(outcome, 0) + count
    job.rows_done += len(chunk)
    job.leased_until = timezone.now() + LEASE
    job.save(update_fields=["counts", "rows_done", "leased_until"])
    return True


def _read(chunk: Sequence[Row], job: ContactImport) -> Iterator[ReadRow]:
    for row in chunk:
        if row.problem:
            yield ReadRow(row.number, None, row.problem, row.cells)
            continue
        try:
            yield ReadRow(row.number, read_row(row.cells, job.columns, job.tenant.country))
        except Rejected as problem:
            yield ReadRow(row.number, None, str(problem), row.cells)


def _finish(import_id: UUID) -> None:
    ContactImport.objects.filter(id=import_id, status=ContactImport.Status.RUNNING).update(
        status=ContactImport.Status.DONE, finished_at=timezone.now(), rows_total=F("rows_done"), leased_until=None
    )
