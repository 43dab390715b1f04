"""From the bytes of a CSV file to rows of cells, whatever program saved it. Of a file only a piece is in memory."""

import codecs
import csv
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice, takewhile
from typing import Final

from common.formulas import plain_cell
from contacts.importing.limits import FileProblem, limits
from contacts.importing.records import MAX_LINE_CHARACTERS, MAX_LINES_PER_ROW, is_open_after, records
from contacts.importing.survey import Survey

__all__ = [
    "MAX_COLUMNS",
    "MAX_LINE_CHARACTERS",
    "FileProblem",
    "Row",
    "Table",
    "check_beginning",
    "open_table",
    "read_table",
]

MAX_COLUMNS: Final = 200
MAX_TITLE_CHARACTERS: Final = 200

_LONGEST_LINE: Final = 4_000_000
"""Of a line this long the rest is dropped, in pieces; the row is too long anyway, but its opt-out is still looked for."""
_LONGEST_HEADER: Final = 4 * MAX_LINE_CHARACTERS
"""In bytes, in whatever encoding."""
_DELIMITERS: Final = (",", ";", "\t", "|")
_NAMED_DELIMITER: Final = re.compile(r'"?sep=([^\w\s"]|\t)"?\s*', re.IGNORECASE)
"""A first line by which a file tells Excel how its cells are separated."""
_QUOTED: Final = re.compile(r'"[^"]*"')


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its number as a spreadsheet counts (the header is row 1), its cells, and why it cannot be read."""

    number: int
    cells: list[str]
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A file's header and a way to its rows."""

    header: list[str]
    delimiter: str
    open: Callable[[], Iterator[str]]
    """The lines below the header, from the beginning each time."""

    def rows(self) -> Iterator[Row]:
        """The rows below the header; empty lines are skipped."""
        found = records(self.open(), self.delimiter, len(self.header))
        for number, (cells, problem) in enumerate(found, start=2):
            if problem or (any(cells) and any(cell.strip() for cell in cells)):
                yield Row(number, cells, problem)


def read_table(content: bytes) -> Table:
    """The table in a file that is in memory; raises ``FileProblem``."""
    survey = Survey(limits())
    survey.take(content)
    return open_table(lambda: [content], survey.finish())


def check_beginning(content: bytes, encoding: str) -> None:
    """Raises ``FileProblem`` for a header that nobody can use, before the rest of a large file is stored."""
    if len(content) >= _LONGEST_HEADER and content.strip(b"\0\r\n\t "):
        open_table(lambda: [content], encoding)


def open_table(pieces: Callable[[], Iterable[bytes]], encoding: str) -> Table:
    """Split off the header of a file; raises ``FileProblem``. ``pieces`` begins at the front each time."""
    lines = _lines(_texts(pieces(), encoding))
    dropped, first = _first_with_text(lines)
    named = _NAMED_DELIMITER.fullmatch(first)
    if named:
        more, first = _first_with_text(lines)
        dropped += 1 + more
    if not first:
        raise FileProblem("The file is empty.")
    if len(first) > MAX_LINE_CHARACTERS:
        raise FileProblem(
            f"The first row cannot be read. It must hold the names of the columns, at most {MAX_COLUMNS} of them."
        )
    below_it = takewhile(lambda line: len(line) <= MAX_LINE_CHARACTERS, islice(lines, MAX_LINES_PER_ROW - 1))
    top = [first, *below_it]
    height = _header_height(top, named[1] if named else "")
    title = "\n".join(top[:height])
    delimiter = named[1] if named else _delimiter(title)

    def below() -> Iterator[str]:
        return islice(_lines(_texts(pieces(), encoding)), dropped + height, None)

    return Table(header=_header(title, delimiter), delimiter=delimiter, open=below)


def _texts(pieces: Iterable[bytes], encoding: str) -> Iterator[str]:
    """The text; U+FFFD stands for what could not be decoded, and costs its row later."""
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    for piece in pieces:
        yield decoder.decode(piece)
    yield decoder.decode(b"", final=True)


def _lines(texts: Iterable[str]) -> Iterator[str]:
    """The lines, however they end. ``str.splitlines`` would also break at characters that belong to cells."""
    rest, ends_with_return = "", False
    for text in texts:
        if ends_with_return:
            text = "\r" + text
        ends_with_return = text.endswith("\r")
        if ends_with_return:
            text = text[:-1]
        if "\r" in text:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        first, *others = text.split("\n")
        if len(rest) < _LONGEST_LINE:
            rest += first
        if others:
            yield rest
            rest = others.pop()
            yield from others
    yield rest
    if ends_with_return:
        yield ""


def _first_with_text(lines: Iterator[str]) -> tuple[int, str]:
    """How many empty lines come first, and the line behind them; an empty one at the end."""
    for count, line in enumerate(lines):
        if line.strip():
            return count, line
    return 0, ""


def _header(title: str, delimiter: str) -> list[str]:
    try:
        # A title over several lines is one line to whoever reads it.
        header = [" ".join(plain_cell(cell).split()) for cell in next(csv.reader([title], delimiter=delimiter), [])]
    except csv.Error:
        raise FileProblem("The first row cannot be read. It must hold the names of the columns.") from None
    if len(header) > MAX_COLUMNS:
        raise FileProblem(f"The file has {len(header)} columns. Keep at most {MAX_COLUMNS} of them.")
    if "\x00" in title:
        raise FileProblem("The first row contains a NUL character, which cannot be stored. Remove it.")
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


def _delimiter(header: str) -> str:
    """The mark that separates the titles; those inside quotes separate nothing."""
    bare = _QUOTED.sub("", header)
    return max(_DELIMITERS, key=bare.count) if any(mark in bare for mark in _DELIMITERS) else ","
