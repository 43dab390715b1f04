"""Texts as a phone shows them."""

from dataclasses import dataclass
from datetime import UTC, datetime

from messaging.providers.simulator.handsets import Handset

__all__ = ["Bubble", "bubbles_of"]


@dataclass(frozen=True, slots=True)
class Bubble:
    """A text as a phone shows it: what arrived there is "in"."""

    direction: str
    text: str
    at: datetime
    sender: str


def bubbles_of(handset: Handset) -> list[Bubble]:
    """Its texts, oldest first."""
    return [
        Bubble("in" if text.incoming else "out", text.body, datetime.fromtimestamp(text.at, tz=UTC), text.sender)
        for text in handset.texts
    ]
