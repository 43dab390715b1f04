"""From the bytes of a CSV file to rows of cells, whatever program saved it."""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from common.formulas import plain_cell
from contacts.importing.records import MAX_LINE_CHARACTERS, MAX_LINES_PER_ROW, is_open_after, records

__all__ = ["MAX_FILE_BYTES", "MAX_LINE_CHARACTERS", "FileProblem", "Row", "Table", "read_table"]

MAX_FILE_BYTES: Final = 50 * 1024 * 1024
MAX_COLUMNS: Final = 200
MAX_LINES: Final = 1_000_000
MAX_TITLE_CHARACTERS: Final = 200

_DELIMITERS: Final = (",", ";", "\t", "|")
_BOMS: Final = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_SPREADSHEET_MAGIC: Final = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
_NAMED_DELIMITER: Final = re.compile(r'"?sep=([^\w\s"]|\t)"?\s*', re.IGNORECASE)
"""A first line by which a file tells Excel how its cells are separated."""
_QUOTED: Final = re.compile(r'"[^"]*"')
_ALL_BUT_ASCII: Final = bytes(range(0x80, 0x100))


class FileProblem(ValueError):
    """The file as a whole cannot be read; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its number as a spreadsheet counts (the header is row 1), its cells, and why it cannot be read."""

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
        found = records(self.lines, self.delimiter, len(self.header))
        for number, (cells, problem) in enumerate(found, start=2):
            if problem or any(cell.strip() for cell in cells):
                yield Row(number, cells, problem)


def read_table(content: bytes) -> Table:
    """Decode a file and split off its header; raises ``FileProblem``."""
    text = _text(content)
    # str.splitlines would also break at characters that belong to cells, such as U+2028.
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if text.count("\n") > MAX_LINES:
        raise FileProblem(f"The file has more than {MAX_LINES:,} lines. Split it and import the parts.")
    lines = text.split("\n")
    _drop_empty(lines)
    named = _NAMED_DELIMITER.fullmatch(lines[0]) if lines else None
    if named:
        _drop_empty(lines, start=1)
    if not lines:
        raise FileProblem("The file is empty.")
    height = _header_height(lines, named[1] if named else "")
    title = "\n".join(lines[:height])
    delimiter = named[1] if named else _delimiter(title)
    return Table(header=_header(title, delimiter), delimiter=delimiter, lines=lines[height:])


def _drop_empty(lines: list[str], start: int = 0) -> None:
    """Drop so many lines, and the empty ones behind them."""
    while start < len(lines) and not lines[start].strip():
        start += 1
    del lines[:start]


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


def _header(title: str, delimiter: str) -> list[str]:
    try:
        # A title over several lines is one line to whoever reads it.
        header = [" ".join(plain_cell(cell).split()) for cell in next(csv.reader([title], delimiter=delimiter), [])]
    except csv.Error:
        raise FileProblem("The first row cannot be read. It must hold the names of the columns.") from None
    if len(header) > MAX_COLUMNS:
        raise FileProblem(f"The file has {len(header)} columns. Keep at most {MAX_COLUMNS} of them.")
    if any(len(title) > MAX_TITLE_CHARACTERS for title in header):
        raise FileProblem(f"The name of a column is longer than {MAX_TITLE_CHARACTERS} characters. Shorten it.")
    if not any(header):
        raise FileProblem("The first row is empty. It must hold the names of the columns.")
    return header


def _header_height(lines: list[str], delimiter: str) -> int:
    """Over how many lines the header goes: a quoted title may contain line breaks."""
    if not any(is_open_after(lines[0], mark) for mark in delimiter or _DELIMITERS):
        return 1
    quotes = 0
    for height, line in enumerate(lines[:MAX_LINES_PER_ROW], start=1):
        quotes += line.count('"')
        if quotes % 2 == 0:
            return height
    return 1


def _decode(content: bytes) -> str:
    """The text; U+FFFD stands for what could not be decoded, and costs its row later."""
    for bom, codec in _BOMS:
        if content.startswith(bom):
            return content.decode(codec, errors="replace") if codec == "utf-8-sig" else _strictly(content, codec)
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        text = content.decode("utf-8", errors="replace")
        # Spreadsheet programs on Windows save the Western European code page.
        return text if _is_damaged_utf8(content, text) else content.decode("cp1252", errors="replace")


def _is_damaged_utf8(content: bytes, text: str) -> bool:
    """Whether the file is UTF-8 in spite of some wrong bytes: letters of a code page hardly ever make good sequences."""
    wrong = text.count("\N{REPLACEMENT CHARACTER}")
    good = len(text) - len(content.translate(None, _ALL_BUT_ASCII)) - wrong
    return good >= wrong


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
    """The mark that separates the titles; those inside quotes separate nothing."""
    bare = _QUOTED.sub("", header)
    return max(_DELIMITERS, key=bare.count) if any(mark in bare for mark in _DELIMITERS) else ","
