"""Who of an audience cannot be texted at this hour, and when they wake up."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from django.db.models import Case, CharField, Count, Min, Value, When
from django.db.models.functions import Left

from contacts.models import Contact
from contacts.querysets import ContactQuerySet
from messaging.pipeline.quiet import Whereabouts, night_for, whereabouts
from tenants.models import Tenant

__all__ = ["Hours", "Place", "Wake", "hours_of", "places_of_people"]

SHOWN: Final = 3

Place = tuple[str, str, int]
"""A number of the place, the noted zone, and how many people."""


@dataclass(frozen=True, slots=True)
class Wake:
    """People who can be texted from the same moment on."""

    at: datetime
    their_time: datetime
    """The same on their clock; the earliest where they may live by several."""
    people: int


@dataclass(frozen=True, slots=True)
class Hours:
    """What the hour means for an audience."""

    wakes: Sequence[Wake] = ()
    placeless: int = 0
    """People for whom no hour is certain to be allowed."""

    @property
    def asleep(self) -> int:
        return sum(wake.people for wake in self.wakes)

    @property
    def shown(self) -> Sequence[Wake]:
        """The first ones."""
        return self.wakes[:SHOWN]

    @property
    def others(self) -> int:
        """People who wake up after those shown."""
        return sum(wake.people for wake in self.wakes[SHOWN:])


def places_of_people(people: ContactQuerySet[Contact]) -> list[Place]:
    """The people by area code, or by the first digits abroad, and noted zone: one query, some hundreds of rows for a
    million people."""
    area = Case(
        When(number__gte="+1", number__lt="+2", then=Left("number", 5)),
        default=Left("number", 9),
        output_field=CharField(),
    )
    rows = people.annotate(area=area).order_by().values_list("area", "timezone")
    return [
        (number, zone, count) for _, zone, number, count in rows.annotate(number_=Min("number"), count=Count(Value(1)))
    ]


def hours_of(tenant: Tenant, purpose: str, places: Iterable[Place]) -> Hours:
    """When these people can be texted, if it begins now."""
    night = night_for(tenant, purpose)
    if night is None:
        return Hours()
    waiting: Counter[tuple[datetime, datetime]] = Counter()
    placeless = 0
    for number, noted, count in places:
        place = whereabouts(number, noted)
        opening = night.opening(place)
        if opening.since is None:
            placeless += count
        elif not opening.is_open:
            waiting[opening.since, _their_time(opening.since, place)] += count
    wakes = [Wake(at, their_time, people) for (at, their_time), people in waiting.items()]
    return Hours(sorted(wakes, key=lambda wake: (wake.at, -wake.people)), placeless)


def _their_time(at: datetime, place: Whereabouts) -> datetime:
    """A wall clock, without a zone: it is shown as it is."""
    clocks = [at.astimezone(ZoneInfo(zone)).replace(tzinfo=None) for zone in sorted(place.zones)]
    return min(clocks, default=at.replace(tzinfo=None))
