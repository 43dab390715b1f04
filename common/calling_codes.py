"""Countries and the codes their numbers begin with."""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

import phonenumbers

from common.phone_numbers import NumberProblem
from common.places import country_name

__all__ = ["calling_code", "check_country", "countries_like", "international_starts"]

_BETWEEN_DIGITS: Final = re.compile(r"[\s().+/\uff0b-]")


@lru_cache(maxsize=512)
def calling_code(country: str) -> str:
    """The code that numbers of the country (ISO 3166) begin with, such as 1 or 49; empty for no country."""
    return str(phonenumbers.country_code_for_region(country) or "")


@lru_cache(maxsize=512)
def countries_like(country: str) -> frozenset[str]:
    """The country and those that share its calling code, such as Canada with the United States."""
    code = phonenumbers.country_code_for_region(country)
    return frozenset({country, *phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(code, ())})


def check_country(e164: str, countries: frozenset[str]) -> None:
    """Raises ``NumberProblem`` for a number of none of these countries; well below a microsecond for most."""
    if e164.startswith(_whole_codes(countries)):
        return
    country = phonenumbers.region_code_for_number(phonenumbers.parse(e164)) or ""
    if country not in countries:
        whose = f"a number of {name}" if (name := country_name(country)) else "an international service number"
        raise NumberProblem(
            f"This is {whose}, and your settings do not allow those. Somebody who may change settings can allow the "
            "country under Settings, Countries."
        )


@lru_cache(maxsize=256)
def _whole_codes(countries: frozenset[str]) -> tuple[str, ...]:
    """The beginnings of numbers that cannot belong to any country but these."""
    codes = phonenumbers.COUNTRY_CODE_TO_REGION_CODE
    return tuple(
        f"+{code}" for code, sharing in codes.items() if "001" not in sharing and countries.issuperset(sharing)
    )


def international_starts(typed: str, calling_codes: Iterable[str]) -> list[str]:
    """How a number in E.164 can begin that begins as typed, with or without a country code; empty for other text.

    Without a plus sign the digits may be the beginning of a national number in any country of the calling codes.
    """
    kept = _BETWEEN_DIGITS.sub("", typed)
    if not kept.isdecimal():
        return []
    digits = "".join(str(int(digit)) for digit in kept)
    if typed.lstrip("( ").startswith(("+", "\uff0b")):
        return [f"+{digits}"]
    found = [f"+{digits}", *([f"+{digits[2:]}"] if len(digits) > 2 and digits.startswith("00") else [])]
    for code in calling_codes:
        national = [each for each in (digits, digits.lstrip("0")) if each and not code == each[0] == "1"]
        found += [f"+{code}{each}" for each in national]
    return list(dict.fromkeys(found))
