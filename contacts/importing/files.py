"""Uploaded files, stored in pieces and read back piece by piece: no process ever holds a whole one."""

from collections.abc import Iterable, Iterator
from typing import Final

from contacts.importing.decoding import Table, check_beginning, open_table
from contacts.importing.survey import Survey
from contacts.models import ContactImport, ImportFilePart
from tenants.scope import tenant_scope

__all__ = ["PART_BYTES", "store", "table_of"]

PART_BYTES: Final = 1024 * 1024


def store(job: ContactImport, pieces: Iterable[bytes], survey: Survey) -> None:
    """Keep a file's pieces, each as it comes; raises ``FileProblem`` for one that cannot be imported."""
    position = 0
    for piece in pieces:
        for start in range(0, len(piece), PART_BYTES):
            content = piece[start : start + PART_BYTES]
            survey.take(content)
            if position == 0:
                check_beginning(content, survey.encoding_by_mark or "utf-8")
            ImportFilePart.objects.create(contact_import=job, position=position, content=content)
            position += 1


def table_of(job: ContactImport) -> Table:
    """The stored file of an import."""
    return open_table(lambda: _pieces(job), job.encoding)


def _pieces(job: ContactImport) -> Iterator[bytes]:
    """Each piece by a query of its own, in a transaction of its own unless one is open."""
    position = 0
    while True:
        with tenant_scope(job.tenant.id):
            part = ImportFilePart.objects.filter(contact_import=job, position=position).first()
        if part is None:
            return
        yield bytes(part.content)
        position += 1
