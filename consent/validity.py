"""When consent ends by itself: after the months that a tenant chose, or when a law stops inferring it.

An agreement that somebody gave does not end by any law that is known here; a tenant may ask for it anew after some time
all the same. What is only inferred from a purchase or an inquiry ends by law (Canada's CASL: two years, six months).
"""

import calendar
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from django.db.models import Q

from common.calling_codes import calling_code
from common.number_zones import places_of, regions_of_areas
from consent.models import ConsentExpiry, ConsentRecord, ImpliedConsentLaw
from consent.purposes import PURPOSES_WITH_CONSENT, Purpose
from tenants import audit

__all__ = ["Agreement", "End", "ending_within", "ends_of", "expiry_in_force", "set_expiry", "store_carried_windows"]

_MOST_DAYS: Final = 3_650
DATA: Final = Path(__file__).with_name("data") / "implied_consent.json"


@dataclass(frozen=True, slots=True)
class Agreement:
    """An opt-in in force."""

    number: str
    record_id: str
    since: datetime


@dataclass(frozen=True, slots=True)
class End:
    """When an agreement ends, and what makes it end: "own" or a law such as "CA existing_customer"."""

    at: datetime
    because: str


def expiry_in_force() -> dict[str, int | None]:
    """After how many months consent ends, for each purpose that people agree to; None: never."""
    chosen = dict(ConsentExpiry.objects.values_list("purpose", "months"))
    return {purpose.value: chosen.get(purpose.value) for purpose in PURPOSES_WITH_CONSENT}


def set_expiry(*, purpose: str, months: int | None) -> None:
    """Choose after how many months consent ends; it counts at once. Raises ``ValidationError`` for no such number."""
    row = ConsentExpiry.objects.filter(purpose=purpose).first()
    before = row.months if row else None
    if months is None:
        if row:
            audit.record("consent.expiry_changed", target=row, before={"months": before}, after={"months": None})
            row.delete()
        return
    row = row or ConsentExpiry(purpose=purpose)
    row.months = months
    row.full_clean()
    row.save()
    audit.record("consent.expiry_changed", target=row, before={"months": before}, after={"months": months})


def ends_of(agreements: Sequence[Agreement], purpose: str, at: datetime) -> dict[str, End]:
    """The end of each agreement that has one, by number; at most three queries, whatever the count."""
    if purpose not in PURPOSES_WITH_CONSENT:
        return {}
    months = ConsentExpiry.objects.filter(purpose=purpose).values_list("months", flat=True).first()
    ends = {one.number: End(months_after(one.since, months), "own") for one in agreements} if months else {}
    if purpose == Purpose.MARKETING:
        for number, end in _by_law(agreements, at).items():
            ends[number] = min(ends.get(number, end), end, key=lambda each: each.at)
    return ends


def _by_law(agreements: Sequence[Agreement], at: datetime) -> dict[str, End]:
    laws = _laws(at)
    reached = {one.number: one for one in agreements if any(_is_in(one.number, country) for country in laws)}
    if not reached:
        return {}
    bases = dict(
        ConsentRecord.objects.filter(id__among=[one.record_id for one in reached.values()]).values_list("id", "source")
    )
    sources = {str(record_id): source for record_id, source in bases.items()}
    ends: dict[str, End] = {}
    for number, one in reached.items():
        found = [
            End(months_after(one.since, by_basis[sources[one.record_id]]), f"{country} {sources[one.record_id]}")
            for country, by_basis in laws.items()
            if sources.get(one.record_id) in by_basis and _is_in(number, country)
        ]
        if found:
            ends[number] = min(found, key=lambda each: each.at)
    return ends


def _laws(at: datetime) -> dict[str, dict[str, int]]:
    """The laws in force on that day: country -> basis -> months."""
    day = at.date()
    rows = ImpliedConsentLaw.objects.filter(
        Q(effective_from=None) | Q(effective_from__lte=day), Q(effective_until=None) | Q(effective_until__gt=day)
    ).order_by()
    found: dict[str, dict[str, int]] = {}
    for country, basis, months in rows.values_list("jurisdiction", "basis", "months"):
        by_basis = found.setdefault(country, {})
        by_basis[basis] = min(months, by_basis.get(basis, months))
    return found


def ending_within(days: int, purpose: str, now: datetime) -> Q:
    """Agreements that count now and end in the next days, whatever makes them end: a condition on rows of
    ``ConsentState`` that also know the first five characters of their number as ``area``."""
    months = expiry_in_force()[purpose]
    counts = Q(since__gt=months_before(now, months)) if months else Q()
    found = _ending(months, days, now) if months else Q(act="")
    if purpose == Purpose.MARKETING:
        for country, by_basis in _laws(now).items():
            here = _numbers_of(country)
            for basis, count in by_basis.items():
                found |= Q(record__source=basis) & here & counts & _ending(count, days, now)
    return found


def _ending(months: int, days: int, now: datetime) -> Q:
    return Q(
        since__gt=months_before(now, months),
        since__lte=months_before(now + timedelta(days=min(days, _MOST_DAYS)), months),
    )


def _numbers_of(country: str) -> Q:
    """Numbers whose owner may live in the country, as a condition on rows with a number."""
    areas = [f"+1{code}" for code, places in regions_of_areas().items() if any(_is_of(one, country) for one in places)]
    if calling_code(country) == "1":
        return Q(area__in=areas)
    return Q(number__gte=f"+{calling_code(country)}", number__lt=f"+{calling_code(country)}:")


def _is_of(place: str, country: str) -> bool:
    return place == country or place.startswith(f"{country}-")


def _is_in(number: str, country: str) -> bool:
    """Whether the owner of the number may live there."""
    if not number.startswith(f"+{calling_code(country)}"):
        return False
    return _any_of(places_of(number).jurisdictions, country)


@lru_cache(maxsize=4096)
def _any_of(jurisdictions: frozenset[str], country: str) -> bool:
    return any(_is_of(place, country) for place in jurisdictions)


def months_after(moment: datetime, months: int) -> datetime:
    """The same day of the month so much later, or the last one of a shorter month."""
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return moment.replace(year=year, month=month + 1, day=min(moment.day, last))


def months_before(moment: datetime, months: int) -> datetime:
    """So much earlier; what happened then has lasted so many months."""
    return months_after(moment, -months)


def store_carried_windows(law_model: Any) -> int:
    """Write the laws that the database does not have, and touch none that it has: admins may have changed them.

    The model comes as an argument, because a migration has its own.
    """
    known = set(law_model.objects.values_list("jurisdiction", "basis"))
    carried: Sequence[Mapping[str, Any]] = json.loads(DATA.read_text(encoding="utf-8"))["rows"]
    rows = [
        law_model(**{**row, "sources": "\n".join(row["sources"])})
        for row in carried
        if (row["jurisdiction"], row["basis"]) not in known
    ]
    return len(law_model.objects.bulk_create(rows))
