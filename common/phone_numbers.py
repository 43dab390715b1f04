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

__all__ = ["NumberProblem", "PhoneNumber", "is_e164", "parse", "plain_mobile", "reading_format"]

MAX_TYPED_LENGTH: Final = 40
"""Longer input is no phone number; refusing it early keeps parsing cheap."""

_SPELLED: Final = re.compile(r"\+?\(?[0-9](?:[-. ()]{0,2}[0-9]){5,14}")
"""ASCII digits with the usual marks between them; no extension, no letters."""
_ALL_BUT_DIGITS: Final = {ord(mark): None for mark in "+-. ()"}

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
    plain = _plainly(text, default_country)
    return PhoneNumber(f"+{plain[0].code}{plain[1]}", plain[0].country) if plain else _parse(text, default_country)


@dataclass(frozen=True, slots=True)
class _Plan:
    """What the library knows of a country's mobile numbers."""

    country: str
    code: str
    trunk: str
    """What stands before a national number in place of the country code: "0", "1" or nothing."""
    mobile: re.Pattern[str]
    others: re.Pattern[str]
    """Numbers of the kinds that the library looks at first and that cannot be texted."""


def plain_mobile(text: str, default_country: str) -> str:
    """A mobile number in a usual spelling as E.164, by the library's own patterns; many times as fast as asking it.

    Whatever is not plainly one is "" and left to the library: other spellings, smaller countries that share a code,
    numbers that begin like the trunk prefix. ``text`` has no blanks around it.
    """
    found = _plainly(text, default_country)
    return f"+{found[0].code}{found[1]}" if found else ""


def _plainly(text: str, default_country: str) -> tuple[_Plan, str] | None:
    """The numbering plan and the national number."""
    spelled = _SPELLED.fullmatch(text)
    if spelled is None:
        return None
    digits = text.translate(_ALL_BUT_DIGITS)
    if text[0] == "+":
        plan = _plan_of_code(digits[:1]) or _plan_of_code(digits[:2]) or _plan_of_code(digits[:3])
        national = digits[len(plan.code) :] if plan else ""
    else:
        plan = _plan_of_country(default_country)
        national = digits[len(plan.trunk) :] if plan and plan.trunk and digits.startswith(plan.trunk) else digits
    if plan is None or not plan.mobile.fullmatch(national) or plan.others.fullmatch(national):
        return None
    return plan, national


@lru_cache(maxsize=1024)
def _plan_of_code(code: str) -> _Plan | None:
    """The plan of the country that a code belongs to, the largest if several share it. No code begins with 0."""
    begins_well = code and not code.startswith("0")
    countries = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(int(code), ()) if begins_well else ()
    return _plan_of_country(countries[0]) if countries else None


@lru_cache(maxsize=1024)
def _plan_of_country(country: str) -> _Plan | None:
    """None where the patterns alone do not decide: the library rewrites such numbers before it judges them."""
    country = "US" if country in _WITH_ONE else country
    metadata = phonenumbers.PhoneMetadata.metadata_for_region(country, None)
    trunk = (metadata.national_prefix or "") if metadata else ""
    if (
        metadata is None
        or country != phonenumbers.COUNTRY_CODE_TO_REGION_CODE[metadata.country_code or 0][0]
        or metadata.leading_digits
        or metadata.national_prefix_transform_rule
        or trunk not in ("", "0", "1")
        or (trunk and not re.match(rf"{trunk}(?:\||$)", metadata.national_prefix_for_parsing or ""))
        or not (metadata.mobile and metadata.mobile.national_number_pattern)
    ):
        return None
    kinds = (metadata.premium_rate, metadata.toll_free, metadata.shared_cost, metadata.voip)
    more = (metadata.personal_number, metadata.pager, metadata.uan, metadata.voicemail)
    patterns = [kind.national_number_pattern for kind in (*kinds, *more) if kind and kind.national_number_pattern]
    # A number that begins like a prefix would be cut by the library.
    prefixes = metadata.national_prefix_for_parsing
    others = [f"(?:{prefixes}).*"] if prefixes else []
    return _Plan(
        country,
        str(metadata.country_code),
        trunk,
        re.compile(metadata.mobile.national_number_pattern),
        re.compile("|".join(f"(?:{pattern})" for pattern in [*others, *patterns]) or r"(?!)"),
    )


_WITH_ONE: Final = frozenset(phonenumbers.COUNTRY_CODE_TO_REGION_CODE[1])
"""Countries whose numbers begin with +1; one typed without it may belong to any of them."""


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
