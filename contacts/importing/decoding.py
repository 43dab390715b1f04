"""From the bytes of a CSV file to rows of cells, whatever program saved it."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

__all__ = ["MAX_FILE_BYTES", "MAX_LINE_CHARACTERS", "FileProblem", "Table", "read_table"]

MAX_FILE_BYTES: Final = 50 * 1024 * 1024
MAX_LINE_CHARACTERS: Final = 32_768
MAX_COLUMNS: Final = 200
MAX_LINES_PER_ROW: Final = 20
"""A quoted cell may contain line breaks; more than this means that a quote was never closed."""

_DELIMITERS: Final = (",", ";", "\t", "|")
_BOMS: Final = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_SPREADSHEET_MAGIC: Final = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")


class FileProblem(ValueError):
    """The file as a whole cannot be read; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its number as a spreadsheet counts (the header is row 1), its cells, or why it cannot be read."""

    number: int
    cells: list[str]
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A file's header and the text of its rows."""

    header: list[str]
    delimiter: str
    lines: list[str]

    def rows(self) -> Iterator[Row]:
        """The rows below the header; empty lines are skipped."""
        number = 1
        for record, problem in _records(self.lines):
            number += 1
            if problem:
                yield Row(number, [record[:200]], problem)
                continue
            try:
                cells = _cells(record, self.delimiter)
            except csv.Error:
                yield Row(number, [record[:200]], "This row cannot be read. Check its quotation marks and line breaks.")
                continue
            if any(cell.strip() for cell in cells):
                yield Row(number, cells)


def read_table(content: bytes) -> Table:
    """Decode a file and split off its header; raises ``FileProblem``."""
    text = _text(content)
    # str.splitlines would also break at characters that belong to cells, such as U+2028.
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    while lines and not lines[0].strip():
        lines.pop(0)
    if not lines:
        raise FileProblem("The file is empty.")
    delimiter = _delimiter(lines[0])
    return Table(header=_header(lines[0], delimiter), delimiter=delimiter, lines=lines[1:])


def _text(content: bytes) -> str:
    if len(content) > MAX_FILE_BYTES:
        raise FileProblem(
            f"The file is larger than {MAX_FILE_BYTES // 1024 // 1024} MB. Split it and import the parts."
        )
    if content.startswith(_SPREADSHEET_MAGIC):
        raise FileProblem(
            "This is a spreadsheet. In your spreadsheet program choose Save as > CSV, and upload that file."
        )
    text = _decode(content)
    if _is_binary(text):
        raise FileProblem(
            "This is not a text file. In your spreadsheet program choose Save as > CSV, and upload that file."
        )
    return text


def _header(line: str, delimiter: str) -> list[str]:
    try:
        header = [cell.strip() for cell in _cells(line, delimiter)]
    except csv.Error:
        raise FileProblem("The first row cannot be read. It must hold the names of the columns.") from None
    if len(header) > MAX_COLUMNS:
        raise FileProblem(f"The file has {len(header)} columns. Keep at most {MAX_COLUMNS} of them.")
    if not any(header):
        raise FileProblem("The first row is empty. It must hold the names of the columns.")
    return header


def _decode(content: bytes) -> str:
    for bom, codec in _BOMS:
        if content.startswith(bom):
            return _strictly(content, codec)
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        # Spreadsheet programs on Windows save the Western European code page.
        return content.decode("cp1252", errors="replace")


def _strictly(content: bytes, codec: str) -> str:
    try:
        return content.decode(codec)
    except UnicodeDecodeError:
        raise FileProblem("The file is damaged: its text cannot be decoded. Save it again as CSV (UTF-8).") from None


def _is_binary(text: str) -> bool:
    """Whether the beginning looks like a picture or a program: a good share of it are control characters."""
    beginning = text[:4096]
    controls = sum(character < " " and character not in "\t\r\n" for character in beginning)
    return controls > len(beginning) // 20 + 1


def _delimiter(header: str) -> str:
    return max(_DELIMITERS, key=header.count) if any(mark in header for mark in _DELIMITERS) else ","


def _cells(record: str, delimiter: str) -> list[str]:
    return next(csv.reader([record], delimiter=delimiter), [])


def _records(lines: list[str]) -> Iterator[tuple[str, str]]:
    """Join the lines of quoted cells; a quote that is never closed costs its own line, not the rest of the file."""
    position = 0
    while position < len(lines):
        line = lines[position]
        position += 1
        if len(line) > MAX_LINE_CHARACTERS:
            yield line, "The row is too long. Check for a missing line break or quote."
        elif line.count('"') % 2 == 0:
            yield line, ""
        else:
            end = _closing_line(lines, position)
            if end is None:
                yield line, "A quotation mark in this row is not closed. Remove it or add the missing one."
            else:
                yield "\n".join([line, *lines[position : end + 1]]), ""
                position = end + 1


def _closing_line(lines: list[str], start: int) -> int | None:
    for offset, line in enumerate(lines[start : start + MAX_LINES_PER_ROW]):
        if line.count('"') % 2 == 1:
            return start + offset
    return None
