"""The time zone in which somebody with a number likely lives: a guess for reading, never a fact."""

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Final

import phonenumbers
from phonenumbers.timezone import UNKNOWN_TIMEZONE, time_zones_for_number

from common.phone_numbers import is_e164

__all__ = ["likely_zone"]

_AREA_DIGITS: Final = slice(2, 5)


@lru_cache(maxsize=4096)
def likely_zone(e164: str) -> str:
    """The one IANA zone of the number's area code or country; empty where there are several or none is known.

    A North American area code counts as a whole, because the zones of its exchanges are not certain; codes that touch
    a zone line count as having several.
    """
    if not is_e164(e164):
        return ""
    if e164.startswith("+1"):
        return _zones_of_area_codes().get(e164[_AREA_DIGITS], "")
    zones = [zone for zone in time_zones_for_number(phonenumbers.parse(e164)) if zone != UNKNOWN_TIMEZONE]
    return zones[0] if len(zones) == 1 else ""


@lru_cache(maxsize=1)
def _zones_of_area_codes() -> Mapping[str, str]:
    path = Path(__file__).with_name("data") / "area_codes.json"
    known = json.loads(path.read_text(encoding="utf-8"))
    several = set(known["near_a_zone_line"]["codes"])
    return {
        code: area["zones"][0]
        for code, area in known["codes"].items()
        if len(area["zones"]) == 1 and code not in several
    }
