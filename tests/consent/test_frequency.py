"""How often is too often: windows that roll, and the moment at which there is room again."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.frequency import Limit, Sent, most_restrictive

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)
OFFERS = frozenset({"marketing"})
FLORIDA = Limit(3, 24, OFFERS, "US-FL")
OWN = Limit(4, 7 * 24, frozenset({"marketing", "reminder"}))

past = st.lists(
    st.tuples(
        st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=9)).map(lambda ago: NOW - ago),
        st.sampled_from(["marketing", "reminder", "transactional"]),
    ),
    max_size=12,
)
some_limits = st.lists(
    st.builds(
        Limit, st.integers(1, 5), st.integers(1, 200), st.sampled_from([OFFERS, OWN.counts]), st.sampled_from(["own", "US-FL"])
    ),
    max_size=4,
)  # fmt: skip


def hours_ago(*hours: float, purpose: str = "marketing") -> list[Sent]:
    return [(NOW - timedelta(hours=hour), purpose) for hour in hours]


@pytest.mark.parametrize(
    ("sent", "free_in"),
    [
        (hours_ago(1, 2), None),
        (hours_ago(1, 2, 23.5), 0.5),
        (hours_ago(1, 2, 24), None),
        (hours_ago(1, 2, 3, 4, 5), 21),
        (hours_ago(1, 2) + hours_ago(3, 4, purpose="reminder"), None),
    ],
)
def test_three_in_24_hours(sent: list[Sent], free_in: float | None) -> None:
    full = most_restrictive([FLORIDA], sent, NOW)
    assert (full.free_at - NOW if full else None) == (timedelta(hours=free_in) if free_in else None)


def test_of_two_limits_the_one_that_lasts_longer_decides() -> None:
    full = most_restrictive([FLORIDA, OWN], hours_ago(1, 2, 3) + hours_ago(100, purpose="reminder"), NOW)
    assert full
    assert full.as_data() == {
        "sent": 4,
        "limit": 4,
        "hours": 168,
        "whose": "own",
        "next_at": (NOW + timedelta(hours=68)).isoformat(),
    }


@given(some_limits, past)
def test_when_there_is_room_again_there_is_and_not_a_moment_earlier(limits: list[Limit], sent: list[Sent]) -> None:
    full = most_restrictive(limits, sent, NOW)
    if full is None:
        return
    assert full.free_at > NOW
    assert most_restrictive(limits, sent, full.free_at) is None
    assert most_restrictive(limits, sent, full.free_at - timedelta(microseconds=1))
    assert timedelta(0) <= full.wakes_at - full.free_at < timedelta(minutes=15)
    assert full.wakes_at.minute % 15 == full.wakes_at.second == full.wakes_at.microsecond == 0


@given(some_limits, past, past)
def test_more_texts_never_make_room(limits: list[Limit], sent: list[Sent], more: list[Sent]) -> None:
    before, after = most_restrictive(limits, sent, NOW), most_restrictive(limits, sent + more, NOW)
    assert before is None or (after and after.free_at >= before.free_at)


@given(some_limits, past)
def test_in_no_window_there_are_more_than_allowed_when_every_text_asks_first(
    limits: list[Limit], wishes: list[Sent]
) -> None:
    sent: list[Sent] = []
    for when, purpose in sorted(wishes):
        if most_restrictive([limit for limit in limits if purpose in limit.counts], sent, when) is None:
            sent.append((when, purpose))
    for limit in limits:
        for end, _ in sent:
            inside = [one for one, purpose in sent if purpose in limit.counts and end - limit.window < one <= end]
            assert len(inside) <= limit.texts
