"""One row of a file: read into a person, or rejected with the reason."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from common.calling_codes import check_country
from common.formulas import plain_cell
from common.phone_numbers import NumberProblem, parse, plain_mobile
from common.places import zone_named
from contacts.fields import FieldType, ValueProblem, read
from contacts.importing.columns import EVIDENCE, FIELDS
from contacts.importing.consent_words import Said, said
from contacts.importing.dates import how_dates_are_read, read_moment

__all__ = ["Person", "Rejected", "RowReader", "read_row"]

MAX_VALUE_LENGTH: Final = 500
_NAME_LENGTH: Final = 80
_LENGTHS: Final = {
    "first_name": _NAME_LENGTH,
    "last_name": _NAME_LENGTH,
    "full_name": 2 * _NAME_LENGTH,
    "email": 254,
    "language": 10,
    "wording": 2_000,
    "page": 2_000,
}
_UNREAD: Final = "\N{REPLACEMENT CHARACTER}"
"""What stands where the file could not be decoded, in this program or in one before it."""
_EARLIEST: Final = datetime(1990, 1, 1, tzinfo=UTC)
"""Nobody agreed to texts before there were any; such a date is a slip of the keyboard or of a program."""
_AHEAD: Final = timedelta(days=1)
"""Today may have begun elsewhere already."""


class Rejected(ValueError):
    """The row cannot be imported; the message says why and what to do."""


@dataclass(slots=True)
class Person:
    """What a row says about one person. ``said`` is None when the file has no column about agreement: a row that ends
    before it, or leaves it empty, is a no."""

    number: str
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    language: str = ""
    timezone: str = ""
    fields: dict[str, str] = field(default_factory=dict)
    said: Said | None = None
    consent_at: datetime | None = None
    evidence: dict[str, str] = field(default_factory=dict)


_TEXT: Final = FieldType()
_ANYWHERE: Final[frozenset[str]] = frozenset()
_NO_TYPES: Final[Mapping[str, FieldType]] = {}

_FLOAT: Final = re.compile(r"(?<=[0-9])[.,]0+$")
"""What spreadsheets put behind a number that they take for a sum: 2025550123.0."""
_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


class RowReader:
    """Reads the rows of one file: what its columns mean is worked out once."""

    def __init__(
        self,
        columns: Sequence[str],
        country: str,
        types: Mapping[str, FieldType] = _NO_TYPES,
        countries: frozenset[str] = _ANYWHERE,
    ) -> None:
        """``types`` are those of the tenant's own fields; ``countries`` those whose numbers are taken, any if empty."""
        self._countries = countries
        self._columns = columns
        self._types = {name: kind for name, kind in types.items() if kind != _TEXT}
        self.kinds = {name: kind.kind for name, kind in types.items()}
        self._country = country
        self._used = [
            (place, name, _LENGTHS.get(name, MAX_VALUE_LENGTH), name in FIELDS)
            for place, name in enumerate(columns)
            if name
        ]
        self._asked = [(columns.index(name), name) for name in ("opted_out", "consent") if name in columns]
        self._evidence = [name for name in EVIDENCE if name in columns]

    def read(self, cells: Sequence[str]) -> Person:
        """The person in a row; raises ``Rejected``."""
        known, extra = self._values(cells)
        first, last = _names(known)
        own = _own_values(extra, self._types, self._country) if self._types else extra
        number = self._number(known.get("number", ""))
        if self._countries:
            _check_country(number, self._countries)
        person = Person(number, first, last, fields=own)
        if "email" in known:
            person.email = _email(known["email"])
        if "language" in known:
            person.language = known["language"].lower()
        if "timezone" in known:
            person.timezone = _timezone(known["timezone"])
        if self._asked:
            person.said = _agreement(known, self._columns)
        if "consent_at" in known:
            person.consent_at = _date(known["consent_at"], self._country)
        if self._evidence:
            person.evidence = {name: known[name] for name in self._evidence if name in known}
        return person

    def answer(self, cells: Sequence[str]) -> tuple[Said | None, str, str]:
        """What the row says about agreement whatever else is wrong with it, in which words, and its number.

        None without a number that can be read. The strictest column counts; in a column of opt-outs a yes is an
        opt-out, and a no says nothing.
        """
        if not self._asked:
            return None, "", ""
        strictest, words = Said.YES, ""
        for place, name in self._asked:
            cell = plain_cell(cells[place]) if place < len(cells) else ""
            answer = said(cell)
            if name == "opted_out":
                answer = Said.STOP if answer in (Said.YES, Said.STOP) else Said.YES
            if answer is Said.STOP:
                strictest, words = Said.STOP, cell
                break
            if answer is Said.NO:
                strictest, words = Said.NO, cell
        place = self._columns.index("number")
        try:
            number = self._number(plain_cell(cells[place]) if place < len(cells) else "")
        except Rejected:
            return None, "", ""
        return strictest, words, number

    def _number(self, text: str) -> str:
        try:
            return plain_mobile(text, self._country) or parse(_FLOAT.sub("", text), self._country).e164
        except NumberProblem as problem:
            raise Rejected(str(problem)) from None

    def _values(self, cells: Sequence[str]) -> tuple[dict[str, str], dict[str, str]]:
        """The columns' values without those that are empty; further values apart."""
        known: dict[str, str] = {}
        extra: dict[str, str] = {}
        width = len(cells)
        if width > len(self._columns) and any(cell.strip() for cell in cells[len(self._columns) :]):
            raise Rejected(f"The row has {width} cells, the header {len(self._columns)}. Check for a stray separator.")
        for place, name, limit, is_field in self._used:
            if place >= width:
                break
            value = cells[place].strip()
            if value[:1] == "'":
                value = plain_cell(value)
            if not value:
                continue
            if len(value) > limit or "\x00" in value or not value.isascii():
                _check(name, value, limit)
            if is_field:
                known[name] = value
            else:
                extra[name] = value
        return known, extra


def read_row(
    cells: Sequence[str],
    columns: Sequence[str],
    default_country: str,
    types: Mapping[str, FieldType] = _NO_TYPES,
    countries: frozenset[str] = _ANYWHERE,
) -> Person:
    """Read one row by its columns' meaning; raises ``Rejected``."""
    return RowReader(columns, default_country, types, countries).read(cells)


def _check_country(number: str, countries: frozenset[str]) -> None:
    try:
        check_country(number, countries)
    except NumberProblem as problem:
        raise Rejected(str(problem)) from None


def _own_values(values: Mapping[str, str], types: Mapping[str, FieldType], country: str) -> dict[str, str]:
    own: dict[str, str] = {}
    for name, value in values.items():
        try:
            own[name] = read(value, types[name], country) if name in types else value
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


def _names(known: Mapping[str, str]) -> tuple[str, str]:
    """First and last name; a full name is split when there is neither."""
    first, last = known.get("first_name", ""), known.get("last_name", "")
    return (first, last) if first or last or "full_name" not in known else _split(known["full_name"])


def _split(full: str) -> tuple[str, str]:
    """First and last name: split at the first blank, or the other way round at a comma."""
    first, _, last = full.partition(" ")
    if "," in full:
        # "Lee, Amy", as clinics and registers write it.
        last, _, first = full.partition(",")
    first, last = first.strip(), last.strip()
    for name in (first, last):
        _check("full_name", name, _NAME_LENGTH)
    return first, last


def _email(text: str) -> str:
    if not _EMAIL.fullmatch(text):
        raise Rejected("The e-mail address is not valid. Correct it or leave it empty.")
    return text.lower()


def _timezone(text: str) -> str:
    zone = zone_named(text)
    if text and not zone:
        raise Rejected("The time zone is unknown. Use a name such as America/New_York or leave it empty.")
    return zone


def _agreement(values: Mapping[str, str], columns: Sequence[str]) -> Said:
    """What the row's columns say; what cannot be told costs the row."""
    out = said(values.get("opted_out", "")) if "opted_out" in columns else Said.NO
    if out is None:
        raise Rejected("“Opted out” must be yes or no.")
    if out is not Said.NO:
        return Said.STOP
    agreed = said(values.get("consent", "")) if "consent" in columns else Said.YES
    if agreed is None:
        raise Rejected("“Agreed to texts” must be yes or no, or “unsubscribed” for somebody who opted out.")
    return agreed


def _date(text: str, country: str) -> datetime:
    moment = read_moment(text, country)
    if moment is None:
        raise Rejected(f"The date they agreed cannot be read. {how_dates_are_read(country)} Write it as 2026-03-31.")
    if moment < _EARLIEST:
        raise Rejected("The date they agreed is before 1990. Correct it or leave it empty.")
    if moment > datetime.now(UTC) + _AHEAD:
        raise Rejected("The date they agreed lies in the future. Correct it or leave it empty.")
    return moment
