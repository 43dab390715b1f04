"""One row of a file: read into a person, or rejected with the reason."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import available_timezones

from common.calling_codes import check_country
from common.formulas import plain_cell
from common.phone_numbers import NumberProblem, parse
from contacts.fields import FieldType, ValueProblem, read
from contacts.importing.columns import FIELDS
from contacts.importing.consent_words import Said, said
from contacts.importing.dates import how_dates_are_read, read_moment

__all__ = ["Person", "Rejected", "read_row"]

MAX_VALUE_LENGTH: Final = 500
_NAME_LENGTH: Final = 80
_LENGTHS: Final = {
    "first_name": _NAME_LENGTH,
    "last_name": _NAME_LENGTH,
    "full_name": 2 * _NAME_LENGTH,
    "email": 254,
    "language": 10,
}
_UNREAD: Final = "\N{REPLACEMENT CHARACTER}"
"""What stands where the file could not be decoded, in this program or in one before it."""
_EARLIEST: Final = datetime(1990, 1, 1, tzinfo=UTC)
"""Nobody agreed to texts before there were any; such a date is a slip of the keyboard or of a program."""
_AHEAD: Final = timedelta(days=1)
"""Today may have begun elsewhere already."""
_ZONES: Final = available_timezones()


class Rejected(ValueError):
    """The row cannot be imported; the message says why and what to do."""


@dataclass(slots=True)
class Person:
    """What a row says about one person. ``consented`` is None when the file has no such column: a row that ends before
    it, or leaves it empty, is a no."""

    number: str
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    language: str = ""
    timezone: str = ""
    fields: dict[str, str] = field(default_factory=dict)
    consented: bool | None = None
    consent_at: datetime | None = None


_TEXT: Final = FieldType()
_ANYWHERE: Final[frozenset[str]] = frozenset()
_NO_TYPES: Final[Mapping[str, FieldType]] = {}

_FLOAT: Final = re.compile(r"(?<=[0-9])[.,]0+$")
"""What spreadsheets put behind a number that they take for a sum: 2025550123.0."""


def read_row(
    cells: Sequence[str],
    columns: Sequence[str],
    default_country: str,
    types: Mapping[str, FieldType] = _NO_TYPES,
    countries: frozenset[str] = _ANYWHERE,
) -> Person:
    """Read one row by its columns' meaning; raises ``Rejected``. ``types`` are those of the tenant's own fields.

    ``countries`` are those whose numbers are taken; none given means any.
    """
    values, extra = _values(cells, columns)
    try:
        number = parse(_FLOAT.sub("", values.get("number", "")), default_country).e164
        if countries:
            check_country(number, countries)
    except NumberProblem as problem:
        raise Rejected(str(problem)) from None
    first, last = _names(values)
    return Person(
        number=number,
        first_name=first,
        last_name=last,
        email=_email(values.get("email", "")),
        language=values.get("language", "").lower(),
        timezone=_timezone(values.get("timezone", "")),
        fields=_own_values(extra, types, default_country),
        consented=_consented(values, columns),
        consent_at=_date(values.get("consent_at", ""), default_country),
    )


def _values(cells: Sequence[str], columns: Sequence[str]) -> tuple[dict[str, str], dict[str, str]]:
    known: dict[str, str] = {}
    extra: dict[str, str] = {}
    if len(cells) > len(columns) and any(cell.strip() for cell in cells[len(columns) :]):
        raise Rejected(f"The row has {len(cells)} cells, the header {len(columns)}. Check for a stray separator.")
    for name, cell in zip(columns, cells, strict=False):
        if not name:
            continue
        value = plain_cell(cell)
        _check(name, value, _LENGTHS.get(name, MAX_VALUE_LENGTH))
        if name in FIELDS:
            known[name] = value
        elif value:
            extra[name] = value
    return known, extra


def _own_values(values: Mapping[str, str], types: Mapping[str, FieldType], country: str) -> dict[str, str]:
    own: dict[str, str] = {}
    for name, value in values.items():
        try:
            own[name] = read(value, types.get(name, _TEXT), country)
        except ValueProblem as problem:
            raise Rejected(f"“{name.replace('_', ' ').capitalize()}”: {problem}") from None
    return own


def _check(name: str, value: str, limit: int) -> None:
    """Refuse what cannot be stored. Some letters become two in lower case, as which names and languages are kept."""
    if "\x00" in value:
        raise Rejected("The row contains a NUL character, which cannot be stored. Remove it.")
    length = len(value)
    if not value.isascii():
        length = max(length, len(value.lower()))
        if _UNREAD in value:
            raise Rejected(
                f"“{FIELDS.get(name, name)}” has a character that cannot be read: {_UNREAD}. Write it again."
            )
    if length > limit:
        raise Rejected(f"“{FIELDS.get(name, name)}” is too long ({length} characters).")


def _names(values: Mapping[str, str]) -> tuple[str, str]:
    """First and last name; a full name is split at its first blank when there is neither."""
    first, last = values.get("first_name", ""), values.get("last_name", "")
    if not first and not last:
        full = values.get("full_name", "")
        first, _, last = full.partition(" ")
        if "," in full:
            # "Lee, Amy", as clinics and registers write it.
            last, _, first = full.partition(",")
        first, last = first.strip(), last.strip()
        for name in (first, last):
            _check("full_name", name, _NAME_LENGTH)
    return first, last


def _email(text: str) -> str:
    if text and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", text):
        raise Rejected("The e-mail address is not valid. Correct it or leave it empty.")
    return text.lower()


def _timezone(text: str) -> str:
    if text and text not in _ZONES:
        raise Rejected("The time zone is unknown. Use a name such as America/New_York or leave it empty.")
    return text


def _consented(values: Mapping[str, str], columns: Sequence[str]) -> bool | None:
    """What the row's columns say about agreement; None without such a column."""
    if "opted_out" in columns and _opted_out(values.get("opted_out", "")):
        return False
    return _agreed(values.get("consent", "")) if "consent" in columns else None


def _opted_out(text: str) -> bool:
    answer = said(text)
    if answer is None:
        raise Rejected("“Opted out” must be yes or no.")
    return answer is not Said.NO


def _agreed(text: str) -> bool:
    answer = said(text)
    if answer is None:
        raise Rejected("“Agreed to texts” must be yes or no, or “unsubscribed” for somebody who opted out.")
    return answer is Said.YES


def _date(text: str, country: str) -> datetime | None:
    if not text:
        return None
    moment = read_moment(text, country)
    if moment is None:
        raise Rejected(f"The date they agreed cannot be read. {how_dates_are_read(country)} Write it as 2026-03-31.")
    if moment < _EARLIEST:
        raise Rejected("The date they agreed is before 1990. Correct it or leave it empty.")
    if moment > datetime.now(UTC) + _AHEAD:
        raise Rejected("The date they agreed lies in the future. Correct it or leave it empty.")
    return moment
