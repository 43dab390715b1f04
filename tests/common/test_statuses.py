"""Statuses: each has a word, a known tone, an icon that exists and a meaning."""

import typing

import pytest
from lucide.templatetags.lucide import lucide

from common.statuses import STATUS_LOOKS, StatusLook, Tone, status_look


@pytest.mark.parametrize("status", STATUS_LOOKS)
def test_every_status_can_be_shown(status: str) -> None:
    look = status_look(status)
    assert look.label
    assert look.meaning.endswith(".")
    assert look.tone in typing.get_args(Tone)
    assert "<svg" in lucide(look.icon)


@pytest.mark.parametrize("spelling", ["opted_in", "opted in", "Opted-In", " OPTED_IN "])
def test_spellings_of_one_status(spelling: str) -> None:
    assert status_look(spelling) == STATUS_LOOKS["opted_in"]


def test_a_status_nobody_listed_is_shown_in_its_own_words() -> None:
    assert status_look("in_review") == StatusLook("In review", "neutral", "circle-dashed")
