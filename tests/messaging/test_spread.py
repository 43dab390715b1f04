"""Which sender of a pool is chosen: always the same for a number, only one that can send, and as often as it should."""

from collections import Counter
from uuid import UUID, uuid5

from hypothesis import given
from hypothesis import strategies as st

from messaging.routing.spread import Candidate, area_of, choose, pick

HERE = UUID("01900000-0000-7000-8000-000000000000")
REGIONS = {"202": ["US-DC"], "212": ["US-NY"], "646": ["US-NY"], "415": ["US-CA"], "510": ["US-CA"]}


def sender(name: str, number: str = "+18005550100", weight: int = 50) -> Candidate:
    return Candidate(uuid5(HERE, name), number, weight)


numbers = st.integers(0, 10_000_000).map(lambda n: f"+1202{n:07d}")
pools = st.lists(
    st.tuples(st.sampled_from(["202", "212", "646", "415", "800"]), st.integers(1, 100)), min_size=1, max_size=8
).map(lambda found: [sender(str(n), f"+1{area}555{n:04d}", weight) for n, (area, weight) in enumerate(found)])


@given(st.sets(numbers, max_size=20), pools, st.data())
def test_each_number_has_the_same_usable_sender_each_time(
    asked: set[str], pool: list[Candidate], data: st.DataObject
) -> None:
    gone = uuid5(HERE, "gone")
    ids = [one.id for one in pool] + [gone]
    last = {number: data.draw(st.sampled_from(ids)) for number in sorted(asked)[::2]}
    first = choose(asked, pool, last=last, regions=REGIONS)
    again = choose(sorted(asked, reverse=True), pool[::-1], last=last, regions=REGIONS)
    assert first == again
    assert set(first) == asked
    assert {choice.sender_id for choice in first.values()} <= {one.id for one in pool}
    for number, before in last.items():
        assert first[number].why == ("failover" if before == gone else "sticky")
        assert (first[number].sender_id == before) == (before != gone)


@given(st.sets(numbers, min_size=1, max_size=50), pools.filter(lambda pool: len(pool) > 1), st.data())
def test_only_the_numbers_of_a_sender_move_when_it_drops_out(
    asked: set[str], pool: list[Candidate], data: st.DataObject
) -> None:
    out = data.draw(st.sampled_from(pool))
    rest = [one for one in pool if one is not out]
    for number in asked:
        before = pick(number, pool)
        assert before is out or pick(number, rest) is before


@given(numbers, pools, st.integers(1, 100))
def test_more_weight_takes_numbers_from_nobody_else(number: str, pool: list[Candidate], more: int) -> None:
    """Who loses a number loses it to the one that grew."""
    before = pick(number, pool)
    grown = Candidate(pool[0].id, pool[0].number, pool[0].weight + more)
    assert pick(number, [grown, *pool[1:]]) in (before, grown)


def test_weights_are_kept() -> None:
    pool = [sender("a", weight=60), sender("b", weight=30), sender("c", weight=10)]
    counted = Counter(pick(f"+1202{n:07d}", pool).weight for n in range(20_000))
    for weight, count in counted.items():
        assert abs(count / 200 - weight) < 1.5


def test_near_by_goes_before_weight() -> None:
    capital, city, coast = sender("1", "+12025550001"), sender("2", "+12125550001"), sender("3", "+14155550001", 100)
    pool = [capital, city, coast]
    cases = {
        "+12025550199": (capital, "area"),
        "+16465550199": (city, "region"),
        "+15105550199": (coast, "region"),
    }
    chosen = choose(cases, pool, last={}, regions=REGIONS)
    assert {n: (c.sender_id, c.why) for n, c in chosen.items()} == {n: (one.id, why) for n, (one, why) in cases.items()}
    assert choose(["+447911123456"], pool, last={}, regions=REGIONS)["+447911123456"].why == "spread"
    assert choose(["+13035550199"], pool, last={}, regions=REGIONS)["+13035550199"].why == "spread"


def test_area_codes() -> None:
    assert [area_of(n) for n in ("+12025550199", "+442079460000", "12345", "+1202555")] == ["202", "", "", ""]
