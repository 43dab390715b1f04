"""When an offer may be texted, by the law of every place in which the person may live. Pure, and for marketing only.

The federal rule is 08:00 to 21:00 at the called party's location (47 CFR 64.1200(c)(1)); it holds for everybody here.
States and countries add their own, and the strictest wins: an instant counts only when it is inside the hours of every
candidate jurisdiction on the clock of every candidate zone. ``data/quiet_hours.json`` names law, source and certainty
of each row; what platform admins change is in the database (``consent.quiet_rules``) and comes in as a ``Table``.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from consent.windows import Clock, Hours, Interval, closes, is_open, next_open, zone_named

__all__ = [
    "FEDERAL",
    "RECIPIENT_LOCAL",
    "UNKNOWN",
    "WEEKDAYS",
    "Rule",
    "Table",
    "carried",
    "clocks_for",
    "clocks_of",
    "closes",
    "is_allowed",
    "next_allowed",
    "seconds_of",
    "table_from",
    "week_from",
]

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
FEDERAL: Final = "US"
"""Its row holds whatever is known or not known: "telephone solicitation" hours, 64.1200(c)(1)."""
UNKNOWN: Final = "*"
"""The row of countries that have none."""
RECIPIENT_LOCAL: Final = "recipient_local"


@dataclass(frozen=True, eq=False, slots=True)
class Rule:
    """The hours of one jurisdiction for some time."""

    jurisdiction: str
    hours: Hours
    clock: str = RECIPIENT_LOCAL
    """Or the zone that the law itself names (Mississippi: Central time, Miss. Code 77-3-723)."""


@dataclass(frozen=True, eq=False, slots=True)
class Table:
    """All rules, under a version that is stored with every decision."""

    version: str
    rules: Mapping[str, Sequence[Rule]]

    def for_jurisdictions(self, jurisdictions: Iterable[str]) -> list[Rule]:
        """The rules of all of them, each once: a state's beside its country's, and the federal ones always."""
        codes = dict.fromkeys([FEDERAL])
        for jurisdiction in jurisdictions:
            state = jurisdiction.strip().upper()
            country = state.partition("-")[0]
            codes |= dict.fromkeys([country if country in self.rules else UNKNOWN, state])
        return [rule for code in codes for rule in self.rules.get(code, ())]


def is_allowed(
    at: datetime, *, zones: Collection[str], jurisdictions: Collection[str], table: Table | None = None
) -> bool:
    """Whether an offer may go at this instant to somebody who may live in any of these places.

    No zone, or one that is not known: no. A jurisdiction that is not known: the strictest hours.
    """
    clocks = clocks_of(zones, jurisdictions, table)
    return clocks is not None and is_open(_aware(at), clocks)


def next_allowed(
    at: datetime, *, zones: Collection[str], jurisdictions: Collection[str], table: Table | None = None
) -> datetime | None:
    """The first instant, not before ``at``, at which an offer may go; None when there is none within two weeks."""
    clocks = clocks_of(zones, jurisdictions, table)
    return None if clocks is None else next_open(_aware(at), clocks)


def clocks_of(
    zones: Collection[str], jurisdictions: Collection[str], table: Table | None = None
) -> Sequence[Clock] | None:
    """The clocks that have to be open for an offer; None where nobody can say."""
    rules = (table or carried()).for_jurisdictions(jurisdictions)
    return clocks_for(zones, rules)


def clocks_for(
    zones: Collection[str], rules: Iterable[Rule], everywhere: Hours | None = None
) -> Sequence[Clock] | None:
    """Each rule by the clock of every zone, or of the one it names; None without zones, or with one that is not known.

    ``everywhere`` are further hours that count by the clock of every zone.
    """
    always = [] if everywhere is None else [everywhere]
    by_zone: dict[str, list[Hours]] = {name: [*always] for name in sorted(set(zones))}
    local = list(by_zone)
    for rule in rules:
        for name in local if rule.clock == RECIPIENT_LOCAL else [rule.clock]:
            by_zone.setdefault(name, []).append(rule.hours)
    known = {name: zone_named(name) for name in by_zone}
    if not local or None in known.values():
        return None
    return tuple((zone, tuple(by_zone[name])) for name, zone in known.items() if zone is not None)


@lru_cache(maxsize=1)
def carried() -> Table:
    """The table that comes with the project."""
    return table_from(json.loads((Path(__file__).with_name("data") / "quiet_hours.json").read_text(encoding="utf-8")))


def table_from(document: Mapping[str, Any]) -> Table:
    """A table from such a document."""
    calendars = document["holiday_calendars"]
    first, last = calendars["years"]
    rules: dict[str, list[Rule]] = {}
    for code, row in document["jurisdictions"].items():
        days = calendars["calendars"][row["holidays"]] if row["holidays"] else None
        hours = Hours(
            week_from(row["week"]),
            frozenset(map(date.fromisoformat, days or ())),
            None if days is None else range(first, last + 1),
            _date(row["effective_from"]),
            _date(row["effective_until"]),
        )
        rules.setdefault(code, []).append(Rule(code, hours, row["clock"]))
    return Table(str(document["version"]), rules)


def week_from(week: Mapping[str, Sequence[Sequence[str]]]) -> Sequence[Sequence[Interval]]:
    """Hours by weekday, from "HH:MM" to "HH:MM"; "24:00" is the end of the day."""
    return tuple(tuple((seconds_of(start), seconds_of(end)) for start, end in week[day]) for day in WEEKDAYS)


def seconds_of(text: str) -> int:
    """The second of the day that "HH:MM" names."""
    hours, minutes = text.split(":")
    return int(hours) * 3600 + int(minutes) * 60


def _date(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _aware(at: datetime) -> datetime:
    if at.utcoffset() is None:
        raise ValueError("A moment needs its time zone.")
    return at
