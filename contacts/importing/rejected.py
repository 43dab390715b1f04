"""The rejected rows of an import as a file that can be corrected and uploaded again."""

from collections.abc import Iterator
from typing import Final

from common.formulas import safe_cell
from contacts.models import ContactImport, ImportRow

__all__ = ["MAX_WORKBOOK_ROWS", "rejected_rows"]

MAX_WORKBOOK_ROWS: Final = 20_000
"""A workbook takes a second for so many; who has more is better off with CSV."""


def rejected_rows(job: ContactImport) -> Iterator[list[str]]:
    """The header with two more columns, then each rejected row with its number and its problem."""
    yield [*map(safe_cell, job.header), "row", "problem"]
    rows = ImportRow.objects.filter(contact_import_id=job.id, outcome=ImportRow.Outcome.REJECTED)
    width = len(job.header)
    for row in rows.order_by("row_number").iterator(chunk_size=2000):
        cells = [*(row.cells or []), *[""] * width][: max(width, len(row.cells or []))]
        yield [*map(safe_cell, cells), str(row.row_number), row.problem]
