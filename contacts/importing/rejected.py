"""The rejected rows of an import as a file that can be corrected and uploaded again."""

from collections.abc import Iterator

from common.formulas import safe_cell
from contacts.importing.decoding import read_table
from contacts.models import ContactImport, ImportFile, ImportRow

__all__ = ["rejected_rows"]


def rejected_rows(job: ContactImport) -> Iterator[list[str]]:
    """The header with two more columns, then each rejected row with its number and its problem."""
    header = read_table(bytes(ImportFile.objects.get(contact_import=job).content)).header
    yield [*map(safe_cell, header), "row", "problem"]
    rows = ImportRow.objects.filter(contact_import=job, outcome=ImportRow.Outcome.REJECTED).order_by("row_number")
    for row in rows.iterator(chunk_size=2000):
        cells = [*(row.cells or []), *[""] * len(header)][: max(len(header), len(row.cells or []))]
        yield [*map(safe_cell, cells), str(row.row_number), row.problem]
