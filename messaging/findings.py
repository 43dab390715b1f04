"""What was looked at to say whether a person can be texted, as a page shows it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from consent.decision import DEFER, Decision

__all__ = ["BAD", "GOOD", "WAITS", "Finding", "tone_of"]

GOOD: Final = "good"
WAITS: Final = "neutral"
BAD: Final = "bad"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. ``tone``: "good", "bad" (it does not go), "neutral" (it goes later)."""

    subject: str
    text: str
    tone: str = GOOD
    at: datetime | None = None
    """The moment with which the text ends."""
    ground: str = ""
    """What it rests on."""


def tone_of(objection: Decision | None) -> str:
    if objection is None:
        return GOOD
    return WAITS if objection.outcome == DEFER else BAD
