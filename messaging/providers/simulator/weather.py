"""The network's weather: how long answers take, how many texts are disturbed, and whether it is down."""

import math
import random
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from messaging.providers.simulator.chaos import DISTURBANCES, disturbance_of

__all__ = ["LATENCY_KINDS", "OUTAGE_ANSWERS", "Latency", "Weather"]

LATENCY_KINDS: Final = ("uniform", "fixed", "lognormal")
OUTAGE_ANSWERS: Final = ("503", "closed")
LONGEST_MS: Final = 60_000.0
LONGEST_OUTAGE: Final = 86_400.0
_P99_SIGMAS: Final = 2.3263
"""So many standard deviations above the middle lies what 99 of 100 stay below."""


@dataclass(frozen=True, slots=True)
class Latency:
    """How long an answer takes, in milliseconds; ``p99_ms`` is of use for lognormal only."""

    kind: str = "uniform"
    p50_ms: float = 80.0
    p99_ms: float = 400.0

    def __post_init__(self) -> None:
        if self.kind not in LATENCY_KINDS:
            raise ValueError(f"Latency is one of {', '.join(LATENCY_KINDS)}.")
        _within(self.p50_ms, LONGEST_MS, "The latency")
        if self.kind == "lognormal":
            _within(self.p99_ms, LONGEST_MS, "The latency of the slowest")
            if not 0 < self.p50_ms <= self.p99_ms:
                raise ValueError("The slowest answers take at least as long as the usual ones, and those some time.")

    def seconds(self, dice: random.Random) -> float:
        """A draw."""
        if self.kind == "fixed":
            return self.p50_ms / 1000
        if self.kind == "uniform":
            return self.p50_ms / 1000 * dice.uniform(0.5, 1.5)
        spread = math.log(self.p99_ms / self.p50_ms) / _P99_SIGMAS
        return self.p50_ms / 1000 * min(math.exp(dice.gauss(0, spread)), LONGEST_MS / self.p50_ms)


@dataclass(slots=True)
class Weather:
    """``disturbed`` counts what was done to texts since the network started."""

    rate: float = 0.0
    seed: int = 1
    latency: Latency = field(default_factory=Latency)
    disturbed: Counter[str] = field(default_factory=Counter)
    _outage: str = ""
    _outage_until: float = 0.0

    @property
    def outage(self) -> str:
        """What every request is answered during an outage; empty when there is none."""
        return self._outage if time.monotonic() < self._outage_until else ""

    def disturbance(self, attempt: str) -> str:
        """The disturbance of an attempt, counted; empty for most."""
        name = disturbance_of(self.seed, self.rate, attempt)
        if name:
            self.disturbed[name] += 1
        return name

    def delay(self, number: str, attempt: str) -> float:
        """How long the answer takes; with a uniform latency a number always takes the same time."""
        drawn_for = attempt if self.latency.kind == "lognormal" else number
        return self.latency.seconds(random.Random(f"{self.seed}:{drawn_for}"))  # noqa: S311 - not a secret

    def change(self, wanted: Mapping[str, Any]) -> None:
        """Set what is named, all of it or, with a ``ValueError`` that says what is wrong, nothing."""
        unknown = wanted.keys() - {"rate", "seed", "latency", "outage"}
        if unknown:
            raise ValueError(f"There is no {', '.join(sorted(unknown))} to set.")
        rate, seed = float(wanted.get("rate", self.rate)), int(wanted.get("seed", self.seed))
        if not 0 <= rate <= 1:
            raise ValueError("Between 0 and 100 % of the texts can be disturbed.")
        latency = Latency(**{**asdict(self.latency), **wanted.get("latency", {})})
        if "outage" in wanted:
            self._set_outage(wanted["outage"])
        self.rate, self.seed, self.latency = rate, seed, latency

    def told(self) -> dict[str, Any]:
        """All of it, as ``POST /weather`` answers."""
        left = self._outage_until - time.monotonic()
        outage = {"answer": self.outage, "seconds_left": None if math.isinf(left) else left} if self.outage else None
        return {
            "rate": self.rate,
            "seed": self.seed,
            "latency": asdict(self.latency),
            "outage": outage,
            "disturbed": {name: self.disturbed[name] for name in DISTURBANCES},
        }

    def _set_outage(self, wanted: Mapping[str, Any] | None) -> None:
        """``None`` ends it; without ``seconds`` it lasts until then."""
        if wanted is None:
            self._outage = ""
            return
        if not isinstance(wanted, Mapping) or wanted.get("answer") not in OUTAGE_ANSWERS:
            raise ValueError(f"In an outage requests are answered {' or '.join(OUTAGE_ANSWERS)}.")
        seconds = wanted.get("seconds")
        if seconds is not None:
            _within(float(seconds), LONGEST_OUTAGE, "The outage", unit="seconds")
        self._outage = wanted["answer"]
        self._outage_until = math.inf if seconds is None else time.monotonic() + float(seconds)


def _within(value: float, most: float, what: str, *, unit: str = "milliseconds") -> None:
    if not 0 <= value <= most:
        raise ValueError(f"{what} is between 0 and {most:.0f} {unit}.")
