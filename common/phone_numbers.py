"""Phone numbers: every number is stored and compared in E.164 (ITU-T), without extension.

``parse`` accepts what people type; it folds full-width and Arabic-Indic digits, so that one person has one
identity (and one suppression) whatever the spelling.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberType

__all__ = ["NumberProblem", "PhoneNumber", "is_e164", "parse", "reading_format"]

MAX_TYPED_LENGTH: Final = 40
"""Longer input is no phone number; refusing it early keeps parsing cheap."""

_ONE: Final = frozenset(phonenumbers.COUNTRY_CODE_TO_REGION_CODE[1])
"""Countries whose numbers begin with +1."""

_USUAL_SPELLING: Final = re.compile(
    r"(?:(?P<plus>\+)1|1)?[-. ]?(?P<national>\(?[0-9]{3}\)?[-. ]?[0-9]{3}[-. ]?[0-9]{4})"
)


def _us_national_pattern() -> re.Pattern[str]:
    """The library's own pattern of a US number; one that matches nothing should it ever have none."""
    metadata = phonenumbers.PhoneMetadata.metadata_for_region("US", None)
    described = metadata.mobile if metadata else None
    pattern = described.national_number_pattern if described else None
    return re.compile(pattern or r"(?!)")


_US_NATIONAL: Final = _us_national_pattern()

_CANNOT_TEXT: Final = {
    PhoneNumberType.PREMIUM_RATE: "is a premium-rate number, which cannot be texted",
    PhoneNumberType.SHARED_COST: "is a shared-cost number, which cannot be texted",
    PhoneNumberType.PAGER: "is a pager",
    PhoneNumberType.UAN: "is a company number, which cannot be texted",
    PhoneNumberType.VOICEMAIL: "is a voicemail number",
}


class NumberProblem(ValueError):
    """The text is no number that can be texted; the message says why, for the person who typed it."""


@dataclass(frozen=True, slots=True)
class PhoneNumber:
    """A valid number: ``e164`` such as ``+12025550123``, ``country`` as ISO 3166 (``""`` if it has none)."""

    e164: str
    country: str


@lru_cache(maxsize=8192)
def parse(typed: str, default_country: str) -> PhoneNumber:
    """Read a number as typed in ``default_country`` (ISO 3166 alpha-2); raises ``NumberProblem``."""
    text = typed.strip()
    if not text:
        raise NumberProblem("The phone number is empty.")
    if len(text) > MAX_TYPED_LENGTH:
        raise NumberProblem("This is too long for a phone number.")
    return _plain_us_number(text, default_country) or _parse(text, default_country)


def _plain_us_number(text: str, default_country: str) -> PhoneNumber | None:
    """A United States number in a usual spelling, judged by the library's own pattern; many times as fast as asking it.

    Whatever is not plainly one (other countries of the numbering plan included) is left to the library.
    """
    spelled = _USUAL_SPELLING.fullmatch(text)
    if spelled is None or (spelled["plus"] is None and default_country not in _ONE):
        return None
    national = "".join(filter(str.isdecimal, spelled["national"]))
    return PhoneNumber(f"+1{national}", "US") if _US_NATIONAL.fullmatch(national) else None


def _parse(text: str, default_country: str) -> PhoneNumber:
    try:
        number = phonenumbers.parse(text, default_country)
    except NumberParseException:
        raise NumberProblem(
            "This is not a phone number. Write it with its area code, for example (202) 555-0123, "
            "or with + and the country code."
        ) from None
    if not phonenumbers.is_valid_number(number):
        raise NumberProblem("No such number can exist: check the digits and the area code.")
    problem = _CANNOT_TEXT.get(phonenumbers.number_type(number))
    if problem:
        raise NumberProblem(f"This {problem}.")
    number.extension = None
    return PhoneNumber(
        e164=phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164),
        country=phonenumbers.region_code_for_number(number) or "",
    )


def is_e164(text: str) -> bool:
    """Whether the text is already a number in E.164: a plus sign and 7 to 15 ASCII digits."""
    digits = text[1:]
    return text[:1] == "+" and 7 <= len(digits) <= 15 and digits.isascii() and digits.isdigit()


def reading_format(e164: str) -> str:
    """The number as people write it: national for +1, international otherwise; other text is returned as it is."""
    if not is_e164(e164):
        return e164
    try:
        number = phonenumbers.parse(e164)
    except NumberParseException:
        return e164
    style = (
        phonenumbers.PhoneNumberFormat.NATIONAL
        if number.country_code == 1
        else phonenumbers.PhoneNumberFormat.INTERNATIONAL
    )
    return phonenumbers.format_number(number, style)
