"""The pieces of an exported file: written chunk by chunk with the job's checkpoint, read one at a time, kept a day."""

import csv
import io
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import timedelta
from typing import IO, Final
from uuid import UUID

from django.utils import timezone

from contacts.exporting.columns import titles
from contacts.exporting.rows import rows_of
from contacts.models import ContactJob, ContactJobRow, ExportPiece
from tenants.models import Tenant
from tenants.scope import all_tenants, current_tenant_id, tenant_scope

__all__ = ["KEPT_FOR", "delete_old", "forget_people", "pieces", "replace_pieces", "write_piece"]

KEPT_FOR: Final = timedelta(hours=24)
_AT_ONCE: Final = 100
_PIECE_BYTES: Final = 1_000_000


def write_piece(job: ContactJob, contact_ids: Collection[UUID]) -> Collection[UUID]:
    """Write these people behind those who are in the file already; the first piece begins with the head."""
    keys: Sequence[str] = job.parameters["columns"]
    tenant = Tenant.objects.get(id=current_tenant_id())
    if job.rows_done == 0:
        # The mark tells spreadsheet programs that the file is UTF-8.
        _store(job, 0, "\ufeff", [titles(keys)])
    _store(job, job.rows_done + 1, "", rows_of(tenant, contact_ids, keys))
    return contact_ids


def _store(job: ContactJob, position: int, start: str, rows: Iterable[Sequence[str]]) -> None:
    text = io.StringIO()
    text.write(start)
    csv.writer(text).writerows(rows)
    ExportPiece.objects.create(job=job, position=position, content=text.getvalue().encode())


def replace_pieces(job: ContactJob, file: IO[bytes]) -> None:
    """Keep this file instead of the pieces."""
    ExportPiece.objects.filter(job=job).delete()
    position = 0
    while content := file.read(_PIECE_BYTES):
        ExportPiece.objects.create(job=job, position=position, content=content)
        position += 1


def pieces(tenant_id: UUID, job_id: UUID) -> Iterator[bytes]:
    """The file, piece by piece, each read in a transaction of its own: it is sent when the request's is over."""
    position = -1
    while True:
        with tenant_scope(tenant_id):
            piece = ExportPiece.objects.filter(job_id=job_id, position__gt=position).order_by("position").first()
        if piece is None:
            return
        position = piece.position
        yield bytes(piece.content)


def forget_people(contact_ids: Collection[UUID]) -> None:
    """Delete the files that these people stand in: they are erased."""
    jobs = ContactJobRow.objects.filter(contact_id__in=list(contact_ids), job__kind=ContactJob.Kind.EXPORT)
    ExportPiece.objects.filter(job_id__in=list(jobs.order_by().values_list("job_id", flat=True).distinct())).delete()


def delete_old() -> None:
    """Delete files that have been kept long enough, and what was written for exports that never came to their end."""
    before = timezone.now() - KEPT_FOR
    ended = (ContactJob.Status.FAILED, ContactJob.Status.CANCELLED)
    with all_tenants("find exported files to delete"):
        rows = ExportPiece.objects.filter(position__lte=0)
        old = rows.filter(job__finished_at__lt=before) | rows.filter(job__status__in=ended)
        found = list(old.values_list("tenant_id", "job_id")[:_AT_ONCE])
    for tenant_id, job_id in found:
        with tenant_scope(tenant_id):
            ExportPiece.objects.filter(job_id=job_id).delete()
