"""Pairing attempts in doubt with what a provider has on record, as a pure rule."""

from datetime import UTC, datetime, timedelta
from itertools import permutations
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from messaging.pipeline.matching import CLOCKS_APART, Doubt, match
from messaging.providers.base import KnownText, StatusUpdate

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
NUMBERS = ["+12025550101", "+12025550102"]
BODIES = ["Hello", "Goodbye", ""]
seconds = st.integers(-600, 600).map(lambda n: NOON + timedelta(seconds=n))


@st.composite
def doubts_of(draw: st.DrawFn) -> list[Doubt]:
    times = draw(st.lists(st.tuples(st.sampled_from(NUMBERS), st.sampled_from(BODIES[:2]), seconds), max_size=5))
    return [
        Doubt(UUID(int=n), number, "+12025550180", body, at, at + timedelta(seconds=30))
        for n, (number, body, at) in enumerate(times)
    ]


@st.composite
def texts_of(draw: st.DrawFn, bodies: list[str]) -> list[KnownText]:
    drawn = draw(
        st.lists(st.tuples(st.sampled_from(NUMBERS), st.sampled_from(bodies), seconds, st.booleans()), max_size=5)
    )
    return [
        KnownText("+12025550180", number, body, at, StatusUpdate(f"SM{n}", "sent", "sent"), inbound)
        for n, (number, body, at, inbound) in enumerate(drawn)
    ]


def fits(doubt: Doubt, text: KnownText) -> bool:
    early, late = doubt.intended_at - CLOCKS_APART, doubt.deadline + CLOCKS_APART
    return (
        not text.inbound
        and (text.number, text.sender) == (doubt.number, doubt.sender)
        and early <= text.created_at <= late
    )


@given(doubts_of(), texts_of(BODIES), st.sets(st.sampled_from([f"SM{n}" for n in range(5)])))
def test_each_text_is_one_attempts_and_fits_it(doubts: list[Doubt], texts: list[KnownText], claimed: set[str]) -> None:
    matches = match(doubts, texts, claimed=claimed)
    by_id = {doubt.attempt_id: doubt for doubt in doubts}
    ids = [text.provider_message_id for text in matches.found.values()]
    assert len(ids) == len(set(ids))
    assert claimed.isdisjoint(ids)
    assert matches.unclear.isdisjoint(matches.found)
    kept = all(text.body for text in texts)
    for attempt_id, text in matches.found.items():
        assert fits(by_id[attempt_id], text)
        assert not kept or text.body == by_id[attempt_id].body


@given(doubts_of(), texts_of(BODIES[:2]))
def test_nothing_that_can_be_paired_stays_alone(doubts: list[Doubt], texts: list[KnownText]) -> None:
    """As many as any way of pairing finds: else an attempt whose text is there would count as never arrived."""
    matches = match(doubts, texts, claimed=())
    for number in NUMBERS:
        for body in BODIES[:2]:
            group = [doubt for doubt in doubts if (doubt.number, doubt.body) == (number, body)]
            fitting = [text for text in texts if text.body == body and any(fits(doubt, text) for doubt in group)]
            found = [doubt for doubt in group if doubt.attempt_id in matches.found]
            if len(fitting) > len(group):
                assert {doubt.attempt_id for doubt in group} == {
                    doubt.attempt_id for doubt in group if doubt.attempt_id in matches.unclear
                }
                continue
            ways = permutations(group, len(fitting))
            most = max((sum(map(fits, way, fitting)) for way in ways), default=0)
            assert len(found) == most
