"""Dates as people write them in files. Which of 03 and 04 is the month depends on the country."""

import re
from datetime import UTC, date, datetime
from typing import Final

__all__ = ["how_dates_are_read", "is_month_first", "read_moment", "write_date"]

_MONTH_FIRST: Final = frozenset({"US", "AS", "GU", "MP", "PR", "UM", "VI", "FM", "MH", "PW", "PA", "PH"})
"""The United States with their territories, and the few others that write the month before the day (Unicode CLDR)."""
_YEAR_FIRST: Final = frozenset("BT CA CN HU IR JP KP KR LT MN SE TW ZA".split())
_POINTS: Final = frozenset(
    "AL AM AT AZ BA BG BY CH CZ DE DK EE FI GE HR IS KZ LI LV ME MK NO PL RO RS RU SI SK TR UA".split()
)
"""Where points stand between the numbers of a date, as in 31.3.2026 (Unicode CLDR)."""

_NUMERIC: Final = re.compile(
    r"(?P<first>[0-9]{1,4})(?P<mark>[./-])(?P<second>[0-9]{1,2})(?P=mark)(?P<third>[0-9]{1,4})"
    r"(?:[ T]+(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<seconds>[0-9]{2}))?)?"
)
_CENTURY_TURN: Final = 69
"""Years of two digits below it are 20xx, the others 19xx (POSIX)."""


def is_month_first(country: str) -> bool:
    """Whether people in the country (ISO 3166) write the month before the day."""
    return country in _MONTH_FIRST


def how_dates_are_read(country: str) -> str:
    """One sentence for the people whose file it is."""
    read_as = "March 4, 2026" if is_month_first(country) else "3 April 2026"
    return f"A date such as 03/04/2026 is read as {read_as}."


def write_date(day: date, country: str) -> str:
    """A date in numbers as people in the country write it, in whichever language."""
    if country in _YEAR_FIRST:
        return day.isoformat()
    if is_month_first(country):
        return f"{day.month}/{day.day}/{day.year}"
    mark = "." if country in _POINTS else "/"
    return f"{day.day}{mark}{day.month}{mark}{day.year}"


def read_moment(text: str, country: str) -> datetime | None:
    """The moment a text names, in UTC unless it says otherwise; None when it names none.

    Between full stops the day comes first everywhere; between strokes the country decides; a year in front is ISO.
    """
    numeric = _NUMERIC.fullmatch(text)
    try:
        moment = (
            _from_numbers(numeric, month_first=is_month_first(country)) if numeric else datetime.fromisoformat(text)
        )
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _from_numbers(found: re.Match[str], *, month_first: bool) -> datetime:
    first, second, third = found["first"], found["second"], found["third"]
    if len(first) == 4:
        year, month, day = first, second, third
    elif month_first and found["mark"] != ".":
        month, day, year = first, second, third
    else:
        day, month, year = first, second, third
    hour, minute, seconds = (int(found[part] or 0) for part in ("hour", "minute", "seconds"))
    return datetime(_year(year), int(month), int(day), hour, minute, seconds, tzinfo=UTC)


def _year(digits: str) -> int:
    year = int(digits)
    if len(digits) != 2:
        return year
    return year + (2000 if year < _CENTURY_TURN else 1900)
