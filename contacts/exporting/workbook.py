"""The pieces of a CSV file as an Excel workbook, row by row: the memory it takes does not grow with the file."""

import csv
import io
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import IO, Final

from openpyxl import Workbook
from openpyxl.cell import Cell, WriteOnlyCell
from openpyxl.worksheet._write_only import WriteOnlyWorksheet

__all__ = ["XLSX_TYPE", "workbook_of", "workbook_of_rows"]

XLSX_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

_CELL_CHARACTERS: Final = 32_767
_NOT_IN_XML: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


@contextmanager
def workbook_of(pieces: Iterable[bytes], go_on: Callable[[], bool]) -> Iterator[IO[bytes] | None]:
    """A temporary file with the workbook; None when ``go_on``, asked before each piece, says that nobody wants it."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Contacts")
    for piece in pieces:
        if not go_on():
            book.close()
            yield None
            return
        text = piece.decode().removeprefix("\ufeff")
        for row in csv.reader(io.StringIO(text, newline="")):
            sheet.append([_text(sheet, cell) for cell in row])
    with _saved(book) as file:
        yield file


@contextmanager
def workbook_of_rows(rows: Iterable[Sequence[str]], *, title: str) -> Iterator[IO[bytes]]:
    """A temporary file with a workbook of these rows."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet(title)
    for row in rows:
        sheet.append([_text(sheet, cell) for cell in row])
    with _saved(book) as file:
        yield file


@contextmanager
def _saved(book: Workbook) -> Iterator[IO[bytes]]:
    with tempfile.TemporaryFile() as file:
        book.save(file)
        file.seek(0)
        yield file


def _text(sheet: WriteOnlyWorksheet, value: str) -> Cell:
    """A cell that is text whatever is in it: never a formula, a number or a date."""
    cell: Cell = WriteOnlyCell(sheet, value="")
    cell.value = _NOT_IN_XML.sub("\N{REPLACEMENT CHARACTER}", value)[:_CELL_CHARACTERS]
    cell.data_type = "s"
    return cell
