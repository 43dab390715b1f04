"""Where somebody with a number likely lives: a guess for reading, and all the places that it may be."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import phonenumbers
from phonenumbers.timezone import UNKNOWN_TIMEZONE, time_zones_for_number

from common.phone_numbers import is_e164

__all__ = ["Places", "likely_zone", "places_of", "regions_of_areas"]

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


@dataclass(frozen=True, slots=True)
class Places:
    """All time zones and jurisdictions ("US-FL", "CA-ON", "FR") in which the owner of a number may live."""

    zones: frozenset[str]
    jurisdictions: frozenset[str]
    local: bool = False
    """The number points to a region and not only to a country: a zone that was noted does not outdo it."""


@lru_cache(maxsize=16_384)
def places_of(e164: str) -> Places:
    """Every candidate, none left out: several states presume from the area code where a person lives (Florida,
    Oklahoma, Connecticut, Maryland). No zones where nothing can be inferred, as from a toll-free number."""
    if not is_e164(e164):
        return Places(frozenset(), frozenset())
    if e164.startswith("+1"):
        return _places_of_area(e164[_AREA_DIGITS])
    parsed = phonenumbers.parse(e164)
    country = phonenumbers.region_code_for_number(parsed)
    countries = [country] if country else phonenumbers.region_codes_for_country_code(parsed.country_code or 0)
    zones = frozenset(time_zones_for_number(parsed)) - {UNKNOWN_TIMEZONE}
    return Places(zones, frozenset(countries) or frozenset({"*"}))


@lru_cache(maxsize=1024)
def _places_of_area(code: str) -> Places:
    known = _area_codes()
    if code in known["not_geographic"]["codes"]:
        return Places(frozenset(), frozenset({"US"}))
    area = known["codes"].get(code)
    if area is None:
        unknown = known["unknown_code"]
        return Places(frozenset(unknown["zones"]), frozenset(unknown["regions"]), local=True)
    others = known["near_a_zone_line"]["other_zones"].get(code, ())
    return Places(frozenset([*area["zones"], *others]), frozenset(area["regions"] or [area["country"]]), local=True)


@lru_cache(maxsize=1)
def regions_of_areas() -> Mapping[str, Sequence[str]]:
    """The states or provinces of each North American area code ("US-NJ"); codes of islands without any are left out."""
    return {code: area["regions"] for code, area in _area_codes()["codes"].items() if area["regions"]}


@lru_cache(maxsize=1)
def _area_codes() -> Mapping[str, Any]:
    path = Path(__file__).with_name("data") / "area_codes.json"
    known: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return known


@lru_cache(maxsize=1)
def _zones_of_area_codes() -> Mapping[str, str]:
    known = _area_codes()
    several = set(known["near_a_zone_line"]["codes"])
    return {
        code: area["zones"][0]
        for code, area in known["codes"].items()
        if len(area["zones"]) == 1 and code not in several
    }
