"""When a sender will be through: the arithmetic behind the pages."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.pace.days import next_day
from messaging.pace.forecast import Speed, finish, in_words

NOON = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)
"""Noon by the calendar of the daily cap."""
DAY = timedelta(days=1)


def end(parts: int, per_second: float | None, per_day: int | None = None, used: int = 0) -> datetime | None:
    return finish(parts, Speed(per_second, per_day, used), at=NOON, next_day=next_day)


@pytest.mark.parametrize(
    ("parts", "per_second", "per_day", "used", "expected"),
    [
        (7_200, 3, None, 0, NOON + timedelta(minutes=40)),
        (5, None, None, 0, NOON),
        (2_000, None, 2_000, 0, NOON),
        (2_001, None, 2_000, 0, NOON + DAY / 2),
        (2_001, None, 2_000, 2_000, NOON + DAY * 1.5),
        (100, 1, 50, 0, NOON + DAY / 2 + timedelta(seconds=50)),
        (100, 1, 0, 0, None),
    ],
)
def test_the_end(
    parts: int, per_second: float | None, per_day: int | None, used: int, expected: datetime | None
) -> None:
    assert end(parts, per_second, per_day, used) == expected


parts = st.integers(1, 50_000)
rates = st.floats(0.5, 1_000)
caps = st.none() | st.integers(500, 100_000)


@given(parts, rates, caps, st.integers(0, 1_000))
def test_it_is_never_faster_than_the_pace_or_the_cap(count: int, rate: float, cap: int | None, used: int) -> None:
    at = end(count, rate, cap, used)
    assert at is not None
    assert (at - NOON).total_seconds() >= count / rate - 0.001
    if cap is not None:
        days = (at - NOON - timedelta(seconds=0.001)) // DAY + 2
        assert count <= cap * days


@given(parts, rates, caps)
def test_more_parts_never_end_earlier(count: int, rate: float, cap: int | None) -> None:
    sooner, later = end(count, rate, cap), end(count + 1, rate, cap)
    assert sooner is not None
    assert later is not None
    assert sooner <= later


@given(parts, rates)
def test_a_cap_that_is_not_reached_changes_nothing(count: int, rate: float) -> None:
    assert end(count, rate, count) == end(count, rate) or count / rate > DAY.total_seconds() / 2


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(3, "a minute"), (2_400, "40 minutes"), (7_200, "2 hours"), (86_400, "24 hours"), (400_000, "5 days")],
)
def test_it_is_said_in_words(seconds: int, words: str) -> None:
    assert in_words(timedelta(seconds=seconds)) == words
