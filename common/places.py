"""Countries that have phone numbers, and the time zones of each, from the tables of the time zone database."""

from functools import lru_cache
from importlib.resources import files

import phonenumbers

__all__ = ["countries", "country_name", "zones"]


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


def _lines(name: str) -> list[str]:
    text = (files("tzdata.zoneinfo") / name).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]
