"""Which time zone a number points to: one or none, never a wrong one out of several."""

import pytest

from common.number_zones import likely_zone, places_of
from common.places import zone_named


@pytest.mark.parametrize(
    ("number", "zone"),
    [
        ("+12025550101", "America/New_York"),
        ("+13125550101", "America/Chicago"),
        ("+16045550101", "America/Vancouver"),
        ("+18765550101", "America/Jamaica"),
        ("+4915112345678", "Europe/Berlin"),
        # Several zones: Idaho, the west of Florida, Spain with its islands; one that touches a zone line.
        ("+12085550101", ""),
        ("+18505550101", ""),
        ("+34612345678", ""),
        ("+19315550101", ""),
        # None: toll-free, unassigned, reserved for films, no number at all.
        ("+18005550101", ""),
        ("+19995550101", ""),
        ("+447700900123", ""),
        ("+1", ""),
        ("-0a1b2c3d4e5f607", ""),
        ("", ""),
    ],
)
def test_the_zone_of_a_number(number: str, zone: str) -> None:
    assert likely_zone(number) == zone


@pytest.mark.parametrize(
    ("typed", "zone"),
    [
        ("America/New_York", "America/New_York"),
        ("america/new york", "America/New_York"),
        (" New  York ", "America/New_York"),
        ("knox", "America/Indiana/Knox"),
        ("US/Eastern", "US/Eastern"),
        ("Mars/Olympus", ""),
        ("York", ""),
        ("", ""),
        ("../../etc/passwd", ""),
    ],
)
def test_the_zone_that_somebody_typed(typed: str, zone: str) -> None:
    assert zone_named(typed) == zone


@pytest.mark.parametrize(
    ("number", "zones", "jurisdictions"),
    [
        ("+12025550101", {"America/New_York"}, {"US-DC"}),
        ("+18505550101", {"America/New_York", "America/Chicago"}, {"US-FL"}),
        # It touches a zone line; an overlay; a code that is newer than the list.
        ("+14325550101", {"America/Chicago", "America/Denver"}, {"US-TX"}),
        ("+13645550101", {"America/New_York", "America/Chicago"}, {"US-KY"}),
        ("+19995550101", {"America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles"}, {"US"}),
        ("+19025550101", {"America/Halifax"}, {"CA-NS", "CA-PE"}),
        ("+18095550101", {"America/Santo_Domingo"}, {"DO"}),
        ("+18005550101", set(), {"US"}),
        ("+33612345678", {"Europe/Paris"}, {"FR"}),
        ("+34612345678", {"Europe/Madrid", "Atlantic/Canary"}, {"ES"}),
        ("+5215512345678", set(), {"MX"}),
        ("garbage", set(), set()),
    ],
)
def test_every_place_that_a_number_may_belong_to(number: str, zones: set[str], jurisdictions: set[str]) -> None:
    places = places_of(number)
    assert (places.zones, places.jurisdictions) == (zones, jurisdictions)
