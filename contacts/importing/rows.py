"""One row of a file: read into a person, or rejected with the reason."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final
from zoneinfo import available_timezones

from common.phone_numbers import NumberProblem, parse
from contacts.importing.columns import FIELDS

__all__ = ["Person", "Rejected", "read_row"]

MAX_VALUE_LENGTH: Final = 500
_LENGTHS: Final = {"first_name": 80, "last_name": 80, "full_name": 160, "email": 254, "language": 10}
_YES: Final = frozenset(
    {"yes", "y", "true", "t", "1", "x", "on", "ok", "agreed", "opted in", "subscribed", "si", "sí", "oui", "ja"}
)
_NO: Final = frozenset(
    {"", "no", "n", "false", "f", "0", "off", "opted out", "unsubscribed", "non", "nein", "none", "-"}
)
_DATES: Final = (
    "%Y-%m-%d",
    "%m/%d/%Y",
    "%m/%d/%y",
    "%d.%m.%Y",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%d %H:%M",
    "%m/%d/%Y %H:%M",
)
_ZONES: Final = available_timezones()


class Rejected(ValueError):
    """The row cannot be imported; the message says why and what to do."""


@dataclass(slots=True)
class Person:
    """What a row says about one person. ``consented`` is None when the file has no such column."""

    number: str
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    language: str = ""
    timezone: str = ""
    fields: dict[str, str] = field(default_factory=dict)
    consented: bool | None = None
    consent_at: datetime | None = None


def read_row(cells: Sequence[str], columns: Sequence[str], default_country: str) -> Person:
    """Read one row by its columns' meaning; raises ``Rejected``."""
    values, extra = _values(cells, columns)
    try:
        number = parse(values.get("number", ""), default_country).e164
    except NumberProblem as problem:
        raise Rejected(str(problem)) from None
    first, last = values.get("first_name", ""), values.get("last_name", "")
    if not first and not last:
        first, _, last = values.get("full_name", "").partition(" ")
    return Person(
        number=number,
        first_name=first[:80],
        last_name=last.strip()[:80],
        email=_email(values.get("email", "")),
        language=values.get("language", "").lower(),
        timezone=_timezone(values.get("timezone", "")),
        fields=extra,
        consented=_yes_or_no(values["consent"]) if "consent" in values else None,
        consent_at=_date(values.get("consent_at", "")),
    )


def _values(cells: Sequence[str], columns: Sequence[str]) -> tuple[dict[str, str], dict[str, str]]:
    known: dict[str, str] = {}
    extra: dict[str, str] = {}
    if len(cells) > len(columns) and any(cell.strip() for cell in cells[len(columns) :]):
        raise Rejected(f"The row has {len(cells)} cells, the header {len(columns)}. Check for a stray separator.")
    for name, cell in zip(columns, cells, strict=False):
        if not name:
            continue
        value = cell.strip()
        if "\x00" in value:
            raise Rejected("The row contains a NUL character, which cannot be stored. Remove it.")
        if len(value) > _LENGTHS.get(name, MAX_VALUE_LENGTH):
            raise Rejected(f"“{FIELDS.get(name, name)}” is too long ({len(value)} characters).")
        if name in FIELDS:
            known[name] = value
        elif value:
            extra[name] = value
    return known, extra


def _email(text: str) -> str:
    if text and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", text):
        raise Rejected("The e-mail address is not valid. Correct it or leave it empty.")
    return text.lower()


def _timezone(text: str) -> str:
    if text and text not in _ZONES:
        raise Rejected("The time zone is unknown. Use a name such as America/New_York or leave it empty.")
    return text


def _yes_or_no(text: str) -> bool:
    word = text.lower()
    if word in _YES:
        return True
    if word in _NO:
        return False
    raise Rejected("“Agreed to texts” must be yes or no.")


def _date(text: str) -> datetime | None:
    if not text:
        return None
    moment = _moment(text)
    if moment is None:
        raise Rejected("The date they agreed cannot be read. Write it as 2026-03-31.")
    if moment > datetime.now(UTC):
        raise Rejected("The date they agreed lies in the future.")
    return moment


def _moment(text: str) -> datetime | None:
    for pattern in _DATES:
        try:
            return datetime.strptime(text, pattern).replace(tzinfo=UTC)
        except ValueError:
            continue
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
