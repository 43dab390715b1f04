"""Countries that have phone numbers, and the time zones of each, from the tables of the time zone database."""

from functools import lru_cache
from importlib.resources import files
from zoneinfo import available_timezones

import phonenumbers

__all__ = ["countries", "country_name", "zone_named", "zones"]


@lru_cache(maxsize=1)
def countries() -> list[tuple[str, str]]:
    """ISO 3166 codes and English names, by name."""
    rows = (line.split("\t")[:2] for line in _lines("iso3166.tab"))
    named = [(code, name) for code, name in rows if code in phonenumbers.SUPPORTED_REGIONS]
    return sorted(named, key=lambda country: country[1])


def country_name(code: str) -> str:
    """The English name of a country; empty when it is none that has phone numbers."""
    return _names().get(code, "")


@lru_cache(maxsize=1)
def _names() -> dict[str, str]:
    return dict(countries())


@lru_cache(maxsize=1)
def zones() -> list[tuple[str, str]]:
    """IANA zones, each with the country it lies in, by name; a country's main zone is its first one in the tables."""
    found = [("UTC", "")]
    for line in _lines("zone.tab"):
        country, _, zone = line.split("\t")[:3]
        found.append((zone, country))
    return found


def zone_named(text: str) -> str:
    """The IANA zone that somebody typed: its name in any case and with blanks, or its city; empty for none."""
    return _zones_by_name().get("_".join(text.split()).casefold(), "")


@lru_cache(maxsize=1)
def _zones_by_name() -> dict[str, str]:
    cities = {zone.rpartition("/")[2].casefold(): zone for zone, _ in zones()}
    return cities | {zone.casefold(): zone for zone in available_timezones()}


def _lines(name: str) -> list[str]:
    text = (files("tzdata.zoneinfo") / name).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]
