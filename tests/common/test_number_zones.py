"""Which time zone a number points to: one or none, never a wrong one out of several."""

import pytest

from common.number_zones import likely_zone
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
