"""The arithmetic of a pace, and what carriers allow by default. Nothing here knows a clock or a database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

__all__ = [
    "BY_KIND",
    "KEPT_FREE",
    "TRUST_CLASSES",
    "Default",
    "Level",
    "Limit",
    "fitting",
    "limit_for",
    "seconds_until",
]


@dataclass(frozen=True, slots=True)
class Default:
    """A pace in parts a second, who says so, and whether that is certain."""

    parts_per_second: float
    source: str
    certain: bool


BY_KIND: Final[Mapping[str, Default]] = {
    "long_code": Default(1.0, "Twilio's documentation, for numbers without a 10DLC campaign", certain=True),
    "toll_free": Default(3.0, "Twilio's documentation, United States and Canada", certain=True),
    # Twilio says "100 or more": the carriers of a short code may agree to more.
    "short_code": Default(100.0, "Twilio's documentation", certain=True),
    "name": Default(10.0, "Twilio's documentation", certain=True),
    # How many numbers a service has is known to the provider alone.
    "service": Default(1.0, "as one local number", certain=False),
}
"""What a kind of sender may send to all carriers together."""

TRUST_CLASSES: Final[Mapping[str, Default]] = {
    "trust score 75 to 100": Default(
        75.0, "a table of another provider (Plivo), for each large carrier", certain=False
    ),
    "trust score 50 to 74": Default(40.0, "a table of another provider (Plivo), for each large carrier", certain=False),
    "trust score 1 to 49": Default(4.0, "a table of another provider (Plivo), for each large carrier", certain=False),
    "low-volume brand": Default(1.25, "a table of another provider (Plivo), for each large carrier", certain=False),
}
"""What a long code may send when its 10DLC campaign is registered, by the trust score of the brand."""

KEPT_FREE: Final = 0.2
"""This share of a bucket the marketing lane leaves for one-time codes, replies and reminders."""

CHUNK_SECONDS: Final = 0.5
"""A batch comes back when so many seconds' worth is there, not for each text: each time costs a transaction."""


@dataclass(frozen=True, slots=True)
class Limit:
    """A bucket's measures: it fills at ``rate`` parts a second up to ``capacity``, and ``reserve`` is not for us."""

    rate: float
    capacity: float
    reserve: float


@dataclass(frozen=True, slots=True)
class Level:
    """What is in a bucket, and how fast it fills at the moment."""

    tokens: float
    rate: float


def limit_for(rate: float, *, largest: int, urgent: bool) -> Limit:
    """The bucket of a pace: a second's worth and the largest text are free to all lanes, a fifth is kept on top.

    Without the text on top a worker that comes a moment late would lose what could not be filled in.
    """
    capacity = (rate + largest) / (1 - KEPT_FREE)
    return Limit(rate, capacity, 0.0 if urgent else capacity * KEPT_FREE)


def fitting(costs: Sequence[int], room: float) -> int:
    """How many of the texts, in order, fit."""
    for n, cost in enumerate(costs):
        room -= cost
        if room < 0:
            return n
    return len(costs)


def seconds_until(left: Sequence[int], limits: Sequence[Limit], levels: Sequence[Level]) -> float:
    """When the next texts of those that are left can go; each bucket must have enough."""
    if not left:
        return 0.0
    waits = [
        (max(left[0], min(sum(left), level.rate * CHUNK_SECONDS)) + limit.reserve - level.tokens) / level.rate
        for limit, level in zip(limits, levels, strict=True)
    ]
    return max(0.0, *waits)
