"""The rejected rows of an import as a file that can be corrected and uploaded again."""

from collections.abc import Iterator

from contacts.importing.decoding import read_table
from contacts.models import ContactImport, ImportFile, ImportRow

__all__ = ["rejected_rows", "safe_cell"]

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


def rejected_rows(job: ContactImport) -> Iterator[list[str]]:
    """The header with two more columns, then each rejected row with its number and its problem."""
    header = read_table(bytes(ImportFile.objects.get(contact_import=job).content)).header
    yield [*header, "row", "problem"]
    rows = ImportRow.objects.filter(contact_import=job, outcome=ImportRow.Outcome.REJECTED).order_by("row_number")
    for row in rows.iterator(chunk_size=2000):
        cells = [*(row.cells or []), *[""] * len(header)][: max(len(header), len(row.cells or []))]
        yield [*(safe_cell(cell) for cell in cells), str(row.row_number), row.problem]


def safe_cell(text: str) -> str:
    """A cell that no spreadsheet program takes for a formula (OWASP ASVS 1.2.10); phone numbers stay as they are."""
    if text.startswith(_FORMULA_STARTS) and not _is_signed_digits(text):
        return "'" + text
    return text


def _is_signed_digits(text: str) -> bool:
    return text[1:].replace(" ", "").isdigit() and text[:1] == "+"
