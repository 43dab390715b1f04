"""By which clocks a person may be texted: the facts for the gate's rule about hours, for a whole batch at once.

An offer goes by law and by the tenant's own hours, in every zone and jurisdiction in which the person may live. What
people wait for (orders, reminders) goes by the tenant's hours alone. Answers, codes and texts to the own team go at any
hour. Whose place is not known gets no offers; what they wait for goes by the clock of the business.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from common.clock import database_now
from common.number_zones import places_of
from consent.decision import ANSWERS_TO_KEYWORDS, EMERGENCY
from consent.own_hours import own_hours
from consent.purposes import Purpose
from consent.quiet_hours import Table, clocks_for
from consent.quiet_table import table_in_force
from consent.windows import Clock, Hours, Opening, opening_at
from tenants.models import Tenant

__all__ = ["HAVE_HOURS", "Night", "Whereabouts", "night_for", "places_among", "time_left", "whereabouts"]

HAVE_HOURS: Final = frozenset({Purpose.MARKETING, Purpose.TRANSACTIONAL, Purpose.REMINDER})


@dataclass(frozen=True, slots=True, eq=False)
class Whereabouts:
    """Where somebody may live, and where they do according to what is noted about them. People of one place share it."""

    zones: frozenset[str]
    jurisdictions: frozenset[str]


def whereabouts(number: str, noted: str) -> Whereabouts:
    """All candidates. A noted zone comes on top of those of an area code, and in place of those of a whole country."""
    places = places_of(number)
    if not noted:
        return Whereabouts(places.zones, places.jurisdictions)
    return Whereabouts(places.zones | {noted} if places.local else frozenset({noted}), places.jurisdictions)


@dataclass(frozen=True, slots=True)
class Night:
    """The hours of one tenant and purpose at one moment."""

    at: datetime
    purpose: str
    business_zone: str
    own: Hours | None
    """The tenant's own hours; None: at any hour."""
    table: Table | None
    """The law's; None for what no law of hours is about."""

    def grounds(self, place: Whereabouts) -> Mapping[str, object]:
        """What an opening rests on, to be stored with the decision."""
        if self.table is None:
            return {"zones": sorted(place.zones), "hours": "own"}
        return {
            "zones": sorted(place.zones),
            "jurisdictions": sorted(place.jurisdictions),
            "hours": self.table.version,
        }

    def opening(self, place: Whereabouts) -> Opening:
        """When somebody there may be texted."""
        if self.table is not None:
            clocks = clocks_for(place.zones, self.table.for_jurisdictions(place.jurisdictions), self.own)
            return opening_at(self.at, clocks)
        found = opening_at(self.at, self._own_clocks(place.zones))
        return found if found.since else opening_at(self.at, self._own_clocks({self.business_zone}))

    def _own_clocks(self, zones: Collection[str]) -> Sequence[Clock] | None:
        return clocks_for(zones or {self.business_zone}, (), self.own)


def night_for(tenant: Tenant, purpose: str, *, exemption: str = "", at: datetime | None = None) -> Night | None:
    """The hours that count for such texts now (or at another moment); None: they go at any hour."""
    if purpose not in HAVE_HOURS or exemption in ANSWERS_TO_KEYWORDS or exemption == EMERGENCY:
        return None
    own = own_hours(purpose)
    is_offer = purpose == Purpose.MARKETING
    if own is None and not is_offer:
        return None
    table = table_in_force() if is_offer else None
    return Night(at or database_now(), purpose, tenant.timezone, own, table)


def time_left(decisions: Mapping[UUID, datetime | None]) -> dict[UUID, timedelta]:
    """How long each allowed text may still arrive, of those whose permission has an end."""
    now = database_now()
    return {message_id: until - now for message_id, until in decisions.items() if until}


def places_among(numbers: Collection[str], noted: Mapping[str, str]) -> dict[str, Whereabouts]:
    """Where the people behind these numbers may live. ``noted``: the time zone that is noted with a number, if any."""
    known: dict[tuple[str, str], Whereabouts] = {}
    found = {}
    for number in numbers:
        # In North America the area code says all that a number can say.
        key = (number[:5] if number.startswith("+1") else number, noted.get(number, ""))
        if key not in known:
            known[key] = whereabouts(number, key[1])
        found[number] = known[key]
    return found
