"""Quiet hours are right on every recorded decision, and on the change nights of every zone."""

import json
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consent.quiet_hours import WEEKDAYS, carried, clocks_of, closes, is_allowed, next_allowed
from consent.windows import HORIZON

VECTORS = json.loads((Path(__file__).parent / "data" / "window_vectors.json").read_text(encoding="utf-8"))["vectors"]
ZONES = sorted(available_timezones() - {"localtime"})
JURISDICTIONS = [*carried().rules, "US-GA", "US-DC", "CA-ON", "ES", "somewhere"]
SECOND = timedelta(seconds=1)


def _change_days() -> dict[str, list[date]]:
    """The days of some years on which a zone's clocks change."""
    changes: dict[str, list[date]] = {}
    weeks = [datetime(2025, 1, 1, 12, tzinfo=UTC) + timedelta(weeks=n) for n in range(5 * 52)]
    for name in ZONES:
        zone = ZoneInfo(name)
        offsets = [noon.astimezone(zone).utcoffset() for noon in weeks]
        for noon, (before, after) in zip(weeks, pairwise(offsets), strict=False):
            if before != after:
                days = (noon + timedelta(days=n) for n in range(1, 8))
                changed = next(day for day in days if day.astimezone(zone).utcoffset() != before)
                changes.setdefault(name, []).append(changed.date())
    return changes


CHANGES = _change_days()
moments = st.integers(0, 6 * 365 * 86_400).map(
    lambda seconds: datetime(2025, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)
places = st.lists(st.sampled_from(ZONES), min_size=1, max_size=3)
laws = st.lists(st.sampled_from(JURISDICTIONS), max_size=3)


@st.composite
def change_nights(draw: st.DrawFn) -> tuple[datetime, str]:
    """A moment within a day of the change of a zone's clocks, and the zone."""
    name = draw(st.sampled_from(sorted(CHANGES)))
    day = draw(st.sampled_from(CHANGES[name]))
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    return noon + timedelta(seconds=draw(st.integers(-48 * 3600, 24 * 3600))), name


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["id"] for vector in VECTORS])
def test_recorded_decisions(vector: dict) -> None:
    at = datetime.fromisoformat(vector["utc"])
    places = {"zones": vector["candidate_zones"], "jurisdictions": vector["jurisdictions"]}
    assert is_allowed(at, **places) is vector["marketing_allowed"], vector["note"]
    later = next_allowed(at, **places)
    assert (later == at) is vector["marketing_allowed"]


def _check(at: datetime, zones: list[str], jurisdictions: list[str]) -> None:
    opens = next_allowed(at, zones=zones, jurisdictions=jurisdictions)
    allowed = is_allowed(at, zones=zones, jurisdictions=jurisdictions)
    assert (opens == at) is allowed
    if opens is None:
        return
    assert at <= opens <= at + HORIZON
    assert is_allowed(opens, zones=zones, jurisdictions=jurisdictions)
    if not allowed:
        assert opens.microsecond == 0
        assert not is_allowed(opens - SECOND, zones=zones, jurisdictions=jurisdictions)
        halfway = at + (opens - at) / 2
        assert next_allowed(halfway, zones=zones, jurisdictions=jurisdictions) == opens
    clocks = clocks_of(zones, jurisdictions)
    assert clocks is not None
    end = closes(opens, clocks)
    assert end > opens
    assert is_allowed(end - SECOND, zones=zones, jurisdictions=jurisdictions)
    assert not is_allowed(end, zones=zones, jurisdictions=jurisdictions)


@given(at=moments, zones=places, jurisdictions=laws)
@settings(deadline=None)
def test_the_next_opening_is_the_first(at: datetime, zones: list[str], jurisdictions: list[str]) -> None:
    _check(at, zones, jurisdictions)


@given(night=change_nights(), others=st.lists(st.sampled_from(ZONES), max_size=2), jurisdictions=laws)
@settings(deadline=None, max_examples=200)
def test_nights_on_which_clocks_change(
    night: tuple[datetime, str], others: list[str], jurisdictions: list[str]
) -> None:
    at, zone = night
    _check(at, [zone, *others], jurisdictions)
    local = at.astimezone(ZoneInfo(zone))
    assert is_allowed(at, zones=[zone], jurisdictions=["US"]) is (8 <= local.hour < 21)


@given(at=moments, zones=places, more_zones=places, some=laws, more=laws)
@settings(deadline=None)
def test_another_place_never_allows_more(
    at: datetime, zones: list[str], more_zones: list[str], some: list[str], more: list[str]
) -> None:
    if is_allowed(at, zones=zones + more_zones, jurisdictions=some + more):
        assert is_allowed(at, zones=zones, jurisdictions=some)


@given(at=moments, zone=st.sampled_from(["Etc/Unknown", "", "Nowhere/Town", "../etc/passwd", "America"]), law=laws)
def test_who_cannot_be_placed_gets_no_offers(at: datetime, zone: str, law: list[str]) -> None:
    for zones in ([], [zone], ["America/New_York", zone]):
        assert not is_allowed(at, zones=zones, jurisdictions=law)
        assert next_allowed(at, zones=zones, jurisdictions=law) is None


def test_a_country_without_a_row_has_the_strictest_hours() -> None:
    sunday, monday = datetime(2027, 1, 10, 11, tzinfo=UTC), datetime(2027, 1, 11, 9, tzinfo=UTC)
    assert not is_allowed(sunday, zones=["Europe/Madrid"], jurisdictions=["ES"])
    assert next_allowed(sunday, zones=["Europe/Madrid"], jurisdictions=["ES"]) == monday


def test_a_law_with_a_clock_of_its_own() -> None:
    """Mississippi speaks of Central time, wherever the person is."""
    eight_eastern, eight_central = datetime(2027, 1, 13, 13, tzinfo=UTC), datetime(2027, 1, 13, 14, tzinfo=UTC)
    assert next_allowed(eight_eastern, zones=["America/New_York"], jurisdictions=["US-MS"]) == eight_central


def test_a_weekend_with_a_holiday_is_waited_out() -> None:
    """Utah: no Sunday, and Independence Day of 2027 is observed on the Monday (Utah Code 13-25a-103)."""
    saturday = datetime(2027, 7, 4, 3, 0, tzinfo=UTC)
    opens = next_allowed(saturday, zones=["America/Denver"], jurisdictions=["US-UT"])
    assert opens == datetime(2027, 7, 6, 8, tzinfo=ZoneInfo("America/Denver"))


def test_a_year_whose_holidays_nobody_listed_is_closed() -> None:
    at = datetime(2099, 6, 3, 18, tzinfo=UTC)
    assert is_allowed(at, zones=["America/Denver"], jurisdictions=["US-GA"])
    assert not is_allowed(at, zones=["America/Denver"], jurisdictions=["US-UT"])


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        is_allowed(
            datetime(2027, 1, 1, tzinfo=UTC).replace(tzinfo=None), zones=["America/New_York"], jurisdictions=["US"]
        )


def test_no_row_is_laxer_than_the_federal_one() -> None:
    """The federal row holds always, so a laxer one would never be seen."""
    (federal,) = carried().rules["US"]
    for rules in carried().rules.values():
        for rule in rules:
            for day, (open_, limit) in zip(
                WEEKDAYS, zip(rule.hours.week, federal.hours.week, strict=True), strict=True
            ):
                assert all(limit[0][0] <= start < end <= limit[0][1] for start, end in open_), (rule.jurisdiction, day)
