"""Reading lists of numbers as they are pasted or uploaded: on each line a number, of those that changed hands perhaps
with a day. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

from common.phone_numbers import NumberProblem, parse
from contacts.importing.dates import read_moment

__all__ = ["MOST_BYTES", "MOST_LINES", "BadLine", "ChangedList", "read_list", "read_numbers"]

MOST_LINES: Final = 50_000
MOST_BYTES: Final = 2_000_000

_BETWEEN: Final = re.compile(r"[,;\t|]")
_EXPECTED: Final = "Write a number, a comma and a day, such as +12025550123, 2026-03-31."


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that was left out, and why."""

    number: int
    text: str
    problem: str


@dataclass(frozen=True, slots=True)
class ChangedList:
    """The numbers with the day on which they changed hands, and the lines that were left out."""

    changes: list[tuple[str, date]]
    bad: list[BadLine]


def read_list(text: str, *, country: str, usual_day: date, today: date) -> ChangedList:
    """Read every line. ``usual_day`` is meant where a line names none; a first line without digits is a header."""
    changes: list[tuple[str, date]] = []
    bad: list[BadLine] = []
    for number, line in _lines(text):
        try:
            changes.append(_read(line, country, usual_day, today))
        except ValueError as problem:
            bad.append(BadLine(number, line[:80], str(problem)))
    return ChangedList(changes, bad)


def read_numbers(text: str, *, country: str) -> tuple[list[str], list[BadLine]]:
    """The numbers of a list that names nothing else that counts, each once, and the lines that were left out."""
    numbers: list[str] = []
    bad: list[BadLine] = []
    for number, line in _lines(text):
        try:
            numbers.append(parse(_cells(line)[0], country).e164)
        except NumberProblem as problem:
            bad.append(BadLine(number, line[:80], str(problem)))
    return list(dict.fromkeys(numbers)), bad


def _lines(text: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text.lstrip("\ufeff").splitlines(), start=1):
        is_header = number == 1 and not any(letter.isdigit() for letter in line)
        if line.strip() and not is_header:
            yield number, line.strip()


def _read(line: str, country: str, usual_day: date, today: date) -> tuple[str, date]:
    cells = _cells(line)
    if len(cells) > 2 and any(cells[2:]):
        raise ValueError(_EXPECTED)
    try:
        number = parse(cells[0], country).e164
    except NumberProblem as problem:
        raise ValueError(str(problem)) from None
    day = _day(cells[1], country) if len(cells) > 1 and cells[1] else usual_day
    if day > today:
        raise ValueError("This day is still to come.")
    return number, day


def _cells(line: str) -> list[str]:
    return [cell.strip().strip("\"'").strip() for cell in _BETWEEN.split(line)]


def _day(text: str, country: str) -> date:
    moment = read_moment(text, country)
    if moment is None:
        raise ValueError(f"“{text[:30]}” is no day. {_EXPECTED}")
    return moment.date()
