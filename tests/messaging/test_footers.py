"""A mass text says once how to opt out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.footers import final_text, tells_how_to_stop


@pytest.mark.parametrize(
    ("body", "tells"),
    [
        ("Sale today. Reply STOP to opt out.", True),
        ("Sale today. Txt stop to end", True),
        ("Sale today. Text “STOP” if you had enough", True),
        ("Sale today. STOP=end", True),
        ("Sale today. STOP 2 quit", True),
        ("Soldes! Répondez STOP", True),
        ("Soldes! STOP pour se désinscrire", True),
        ("Rebajas. Responda STOP para cancelar", True),
        ("Stop by to see our shoes", False),
        ("Never stop to think", False),
        ("STOP! Half price today", False),
        ("We stop to end the day at five", False),
        ("Reply YES to join", False),
        ("The bus stop is next door. Reply C to confirm", False),
        ("", False),
    ],
)
def test_what_tells_how_to_stop(body: str, tells: bool) -> None:
    assert tells_how_to_stop(body) is tells
    assert (final_text(body, footer=True) == body) is tells


@given(st.text(max_size=80))
def test_it_is_said_once_however_often_it_is_asked_for(body: str) -> None:
    once = final_text(body, footer=True)
    assert tells_how_to_stop(once)
    assert final_text(once, footer=True) == once
    assert final_text(body, footer=False) == body
