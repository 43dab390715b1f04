"""The kinds of a contact's own fields: reading what people type, showing it, ordering it. Pure, for pages and files.

A value is kept as one canonical text in ``Contact.fields``:

    text    as typed, without outer blanks
    number  a plain decimal such as -1234.5
    date    ISO 8601 such as 2026-03-31
    yes_no  yes or no
    choice  one of the field's choices, as it is spelled there

``read`` takes a file's cell in about a microsecond once it has seen its like; imports call it per cell with the
``FieldType`` of the column (``ContactField.type``) and put ``key_of`` of the result into the index of values.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import Final

from contacts.folding import KEY_LENGTH, fold
from contacts.importing.dates import how_dates_are_read, read_moment

__all__ = [
    "CHOICE_LENGTH",
    "MAX_CHOICES",
    "VALUE_LENGTH",
    "FieldType",
    "Kind",
    "ValueProblem",
    "key_of",
    "read",
    "shown",
    "typed",
]

VALUE_LENGTH: Final = 500
CHOICE_LENGTH: Final = 60
MAX_CHOICES: Final = 100
_WHOLE_DIGITS: Final = 15
_DECIMALS: Final = 6
_EARLIEST_YEAR: Final = 1800
_LATEST_YEAR: Final = 2200


class Kind(StrEnum):
    """What a field holds."""

    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    YES_NO = "yes_no"
    CHOICE = "choice"


class ValueProblem(ValueError):
    """The text is no value of the kind; the message says what to write instead."""


@dataclass(frozen=True, slots=True)
class FieldType:
    """A kind, with the choices of a choice field."""

    kind: Kind = Kind.TEXT
    choices: tuple[str, ...] = ()


@lru_cache(maxsize=65_536)
def read(text: str, field: FieldType, country: str) -> str:
    """The canonical value of what somebody typed in a country (ISO 3166); empty for nothing.

    Raises ``ValueProblem``.
    """
    text = text.strip()
    if not text:
        return ""
    if "\x00" in text:
        raise ValueProblem("This contains a character that cannot be stored. Type it again.")
    if len(text) > VALUE_LENGTH:
        raise ValueProblem(f"This is too long: {len(text)} characters of at most {VALUE_LENGTH}.")
    match field.kind:
        case Kind.NUMBER:
            return _read_number(text, country)
        case Kind.DATE:
            return _read_date(text, country)
        case Kind.YES_NO:
            return _read_yes_no(text)
        case Kind.CHOICE:
            return _read_choice(text, field.choices)
        case _:
            return text


def shown(value: str, kind: Kind) -> str:
    """A canonical value as pages show it; one of another kind, from before, as it is."""
    if kind == Kind.YES_NO:
        return {"yes": "Yes", "no": "No"}.get(value, value)
    if kind == Kind.NUMBER and _CANONICAL_NUMBER.fullmatch(value):
        return f"{Decimal(value):,f}"
    if kind == Kind.DATE:
        try:
            day = date.fromisoformat(value)
        except ValueError:
            return value
        return f"{day:%B} {day.day}, {day.year}"
    return value


def typed(value: str, kind: Kind, country: str) -> str:
    """A canonical value as somebody in the country would type it: what an input holds before it is changed."""
    if kind == Kind.NUMBER and country not in _DECIMAL_POINT and _CANONICAL_NUMBER.fullmatch(value):
        return value.replace(".", ",")
    return value


def key_of(value: str, kind: Kind) -> str:
    """A text that sorts, byte by byte, as the values do; empty for a value that has no place in the order.

    Texts and choices are compared without case, accents and signs (unless there is nothing else); the keys of equal
    values are equal.
    """
    if kind == Kind.NUMBER:
        return _number_key(value)
    if kind == Kind.DATE:
        return value
    return fold(value) or value[:KEY_LENGTH]


# --- Numbers --------------------------------------------------------------------------------------------------------

_BLANKS: Final = re.compile(r"[\s'\u2019]")
_MONEY: Final = re.compile(r"^[$€£¥]|[$€£¥%]$")
_PLAIN: Final = re.compile(r"(?P<sign>[-+]?)(?P<whole>[0-9]*)(?:\.(?P<part>[0-9]*))?")
_GROUPED: Final = re.compile(r"[-+]?[0-9]{1,3}(?:(?P<mark>[.,])[0-9]{3})(?:(?P=mark)[0-9]{3})*")
_CANONICAL_NUMBER: Final = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
_DECIMAL_POINT: Final = frozenset(
    "US CA GB IE AU NZ IN PK BD LK NP MY SG PH HK TW TH JP KR CN IL MX GT HN NI SV PA DO PR JM TT BS BB BZ GU VI AS MP "
    "KE NG GH UG TZ ZW BW MT CH LI AG AI BM DM GD KN KY LC MS SX TC VC VG".split()
)
"""Where 1,234 is a thousand and more; elsewhere the comma stands before the decimals (Unicode CLDR)."""


def _read_number(text: str, country: str) -> str:
    problem = ValueProblem("This is not a number. Write digits only, such as 1234.5.")
    plain = _BLANKS.sub("", "".join(str(int(c)) if c.isdecimal() else c for c in text)).replace("\u2212", "-")
    plain = _MONEY.sub("", plain)
    found = _PLAIN.fullmatch(_with_point(plain, country))
    if found is None or not (found["whole"] or found["part"]):
        raise problem
    whole, part = found["whole"].lstrip("0") or "0", (found["part"] or "").rstrip("0")
    if len(whole) > _WHOLE_DIGITS or len(part) > _DECIMALS:
        raise ValueProblem(f"Use at most {_WHOLE_DIGITS} digits, and {_DECIMALS} behind the decimal point.")
    number = f"{whole}.{part}" if part else whole
    return f"-{number}" if found["sign"] == "-" and number != "0" else number


def _with_point(text: str, country: str) -> str:
    """The number with a decimal point and without marks between thousands."""
    point, comma = text.rfind("."), text.rfind(",")
    if point >= 0 and comma >= 0:
        decimal, mark = (".", ",") if point > comma else (",", ".")
        whole, _, part = text.rpartition(decimal)
        if decimal in whole or not _GROUPED.fullmatch(whole):
            return "?"
        return f"{whole.replace(mark, '')}.{part}"
    used = "." if point >= 0 else "," if comma >= 0 else ""
    if not used:
        return text
    decimal_here = "." if country in _DECIMAL_POINT else ","
    grouped = _GROUPED.fullmatch(text)
    if text.count(used) > 1 or (grouped and used != decimal_here and not text.lstrip("+-").startswith("0")):
        return text.replace(used, "") if grouped else "?"
    return text.replace(",", ".")


def _number_key(value: str) -> str:
    found = _PLAIN.fullmatch(value)
    if found is None or not found["whole"]:
        return ""
    digits = found["whole"].zfill(_WHOLE_DIGITS) + (found["part"] or "").ljust(_DECIMALS, "0")
    if found["sign"] == "-":
        return "-" + digits.translate(_COMPLEMENT)
    return "0" + digits


_COMPLEMENT: Final = str.maketrans("0123456789", "9876543210")
"""Of negative numbers the one with the larger digits comes first. "-" sorts before "0"."""

# --- Dates, yes and no, choices -------------------------------------------------------------------------------------


def _read_date(text: str, country: str) -> str:
    moment = read_moment(text, country)
    if moment is None:
        raise ValueProblem(f"This is not a date. {how_dates_are_read(country)} Write it as 2026-03-31.")
    if not _EARLIEST_YEAR <= moment.year <= _LATEST_YEAR:
        raise ValueProblem(f"Use a year from {_EARLIEST_YEAR} to {_LATEST_YEAR}.")
    return moment.date().isoformat()


_YES: Final = frozenset("yes y true t 1 x on ok si sí oui ja sim da ✓ ✔".split())
_NO: Final = frozenset("no n false f 0 off non nein não nee".split())


def _read_yes_no(text: str) -> str:
    word = text.casefold()
    if word in _YES:
        return "yes"
    if word in _NO:
        return "no"
    raise ValueProblem("Write yes or no.")


def _read_choice(text: str, choices: Sequence[str]) -> str:
    if text in choices:
        return text
    key = fold(text)
    for choice in choices:
        if fold(choice) == key and (key or choice.strip() == text):
            return choice
    named = ", ".join(choices[:10])
    raise ValueProblem(f"Choose one of: {named}{' …' if len(choices) > 10 else ''}.")
