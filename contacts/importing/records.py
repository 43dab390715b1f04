"""From the lines of a CSV file to records: a quoted cell may go over several lines, a stray quote costs its own row.

A quotation mark opens a cell only where the cell begins; elsewhere (5" nails) it is a character like any other.
"""

import csv
import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from enum import Enum
from itertools import islice, takewhile
from typing import Final

__all__ = ["MAX_KEPT_CHARACTERS", "MAX_LINES_PER_ROW", "MAX_LINE_CHARACTERS", "Record", "is_open_after", "records"]

MAX_LINE_CHARACTERS: Final = 32_768
MAX_LINES_PER_ROW: Final = 20
"""A quoted cell may contain line breaks; more than this means that a quote was never closed."""
MAX_KEPT_CHARACTERS: Final = 2_000
"""Of a cell that is handed back. More than a cell may hold, so that one cut short is not taken for whole."""
_MAX_KEPT_CELLS: Final = 200

_TOO_LONG: Final = "The row is too long. Check for a missing line break or quote."
_NOT_CLOSED: Final = "A quotation mark in this row is not closed. Remove it or add the missing one."
_JOINS_ROWS: Final = (
    "Quotation marks join this row with the ones next to it. Remove the marks, or write each row on one line."
)
_UNREADABLE: Final = "This row cannot be read. Check its quotation marks and line breaks."

_NUMBER_LIKE: Final = re.compile(r"[\s\"'(]*\+?[0-9](?:[\s().\-/]*[0-9]){6,14}[\s\"']*")

Record = tuple[list[str], str]
"""The cells, and why the row cannot be read or an empty string."""


class _After(Enum):
    """Where a line ends: outside quotes, inside a quoted cell, or behind one that did not end with its quote."""

    OUTSIDE = 0
    INSIDE = 1
    BROKEN = 2


def records(lines: Iterable[str], delimiter: str, columns: int) -> Iterator[Record]:
    """The records of a table with so many columns."""
    source = _Lines(lines)
    for line in source:
        if len(line) > MAX_LINE_CHARACTERS:
            yield _kept(line, delimiter), _TOO_LONG
        elif '"' not in line:
            yield line.split(delimiter), ""
        elif not is_open_after(line, delimiter):
            yield _parsed(line, delimiter)
        else:
            ahead = source.ahead(MAX_LINES_PER_ROW)
            count = _end_of_cell(ahead, delimiter)
            if count is None:
                yield _kept(line, delimiter), _NOT_CLOSED
            else:
                source.skip(count)
                yield from _joined([line, *ahead[:count]], delimiter, columns)


class _Lines:
    """Lines of which some can be looked at before they are taken."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._rest = iter(lines)
        self._seen: deque[str] = deque()

    def __iter__(self) -> Iterator[str]:
        while True:
            if self._seen:
                yield self._seen.popleft()
            else:
                line = next(self._rest, None)
                if line is None:
                    return
                yield line

    def ahead(self, count: int) -> list[str]:
        """The next lines, which stay to be taken; fewer where one is too long to be part of a row."""
        while len(self._seen) < count and not self._ends_with_long_line():
            line = next(self._rest, None)
            if line is None:
                break
            self._seen.append(line)
        return list(takewhile(lambda line: len(line) <= MAX_LINE_CHARACTERS, islice(self._seen, count)))

    def _ends_with_long_line(self) -> bool:
        return bool(self._seen) and len(self._seen[-1]) > MAX_LINE_CHARACTERS

    def skip(self, count: int) -> None:
        """Take some of the lines that were looked at."""
        for _ in range(count):
            self._seen.popleft()


def is_open_after(line: str, delimiter: str) -> bool:
    """Whether a quoted cell goes on behind the line."""
    return _after(line, delimiter, inside=False) is _After.INSIDE


def _after(line: str, delimiter: str, *, inside: bool) -> _After:
    at, continued = 0, inside
    if not inside and line.startswith('"'):
        at, inside = 1, True
    while True:
        if inside:
            at = _closing_quote(line, at)
            if at < 0:
                return _After.INSIDE
            if continued and line[at : at + 1] not in ("", delimiter):
                return _After.BROKEN
        opening = line.find(f'{delimiter}"', at)
        if opening < 0:
            return _After.OUTSIDE
        at, inside, continued = opening + 2, True, False


def _closing_quote(line: str, at: int) -> int:
    """The place behind the quote that closes a cell; doubled quotes are part of it. -1 when there is none."""
    while True:
        at = line.find('"', at) + 1
        if at == 0:
            return -1
        if line[at : at + 1] != '"':
            return at
        at += 1


def _end_of_cell(ahead: Sequence[str], delimiter: str) -> int | None:
    """With how many of the lines ahead an opened cell's record ends; None when it does not end properly."""
    for count, line in enumerate(ahead, start=1):
        state = _after(line, delimiter, inside=True)
        if state is _After.OUTSIDE:
            return count
        if state is _After.BROKEN:
            return None
    return None


def _joined(parts: list[str], delimiter: str, columns: int) -> Iterator[Record]:
    """One record of several lines, or each line by itself when the quotes swallowed whole rows."""
    cells, problem = _parsed("\n".join(parts), delimiter)
    if not problem and (len(cells) > columns or _look_like_rows(parts, delimiter, columns)):
        yield from ((_kept(part, delimiter), _JOINS_ROWS) for part in parts)
    else:
        yield cells, problem


def _look_like_rows(parts: list[str], delimiter: str, columns: int) -> bool:
    """Whether the lines are rows themselves: as many cells as the header, and a phone number in a later one."""
    if columns < 2 or parts[0].count(delimiter) != columns - 1:
        return False
    rows = (part.split(delimiter) for part in parts[1:])
    return any(len(row) == columns and any(map(_NUMBER_LIKE.fullmatch, row)) for row in rows)


def _parsed(text: str, delimiter: str) -> Record:
    try:
        return next(csv.reader([text], delimiter=delimiter), []), ""
    except csv.Error:
        return _kept(text, delimiter), _UNREADABLE


def _kept(text: str, delimiter: str) -> list[str]:
    """The cells of an unreadable row, to be handed back."""
    return [cell[:MAX_KEPT_CHARACTERS] for cell in text.split(delimiter, _MAX_KEPT_CELLS)]
