"""What will happen in a storm: drawn from its seed, and the same every time."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from tests.storm.wires import MODES

__all__ = ["Blow", "Options", "draw"]

NAPS: Final = (0.5, 6.0)
WIRES: Final = ("postgres", "valkey", "network")
WIRE_SECONDS: Final = (0.3, 4.0)
COMAS: Final = (15.0, 22.0)
"""Seconds for which a process is stopped: for a while, or longer than deadline and settle time of a storm (``times``)."""
BLOWS: Final = {"kill": 6, "term": 2, "stop": 3}
BLOWS_WITHOUT: Final = {"no_fence": {"stop": 1}}
"""A counter-proof is sharper when only that happens against which the safeguard stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How big a storm is."""

    messages: int = 1_000
    kills: int = 20
    seconds: float = 45.0
    seed: int = 1
    chaos: float = 0.2
    """The share of texts with which the provider does something odd."""
    postgres_restarts: int | None = None
    valkey_losses: int | None = None
    wire_faults: int | None = None
    guard_off: str = ""

    @property
    def restarts(self) -> int:
        """How often PostgreSQL is stopped as by a power cut: as in 15 of 300 unless told."""
        return max(1, self.kills // 20) if self.postgres_restarts is None else self.postgres_restarts

    @property
    def losses(self) -> int:
        """How often Valkey loses everything, or dies: as in 10 of 300 unless told."""
        return max(1, self.kills // 30) if self.valkey_losses is None else self.valkey_losses

    @property
    def disturbances(self) -> int:
        """How often a wire fails for some seconds: as in 30 of 300 unless told."""
        return max(3, self.kills // 10) if self.wire_faults is None else self.wire_faults


@dataclass(frozen=True, slots=True)
class Blow:
    """One thing that happens to one process."""

    at: float
    """Seconds after the beginning."""
    what: str
    """kill, term, stop, postgres, flush, valkey, or how a wire fails (``wires.MODES``)."""
    to: str = ""
    """A process or a wire."""
    seconds: float = 0.0
    """How long a stopped process or a failing wire stays so."""


def draw(options: Options, victims: Sequence[str]) -> list[Blow]:
    """All blows of a storm, in order."""
    chance = random.Random(options.seed)
    return sorted(_blows(options, victims, chance), key=lambda blow: blow.at)


def _blows(options: Options, victims: Sequence[str], chance: random.Random) -> Iterator[Blow]:
    # Processes that send are hit more often than the others: there is more to break.
    weights = [3 if name.startswith("worker-") else 1 for name in victims]
    blows = BLOWS_WITHOUT.get(options.guard_off, BLOWS)
    for _ in range(options.kills):
        (to,) = chance.choices(victims, weights)
        (what,) = chance.choices(list(blows), list(blows.values()))
        at = chance.uniform(0, options.seconds)
        yield Blow(at, what, to, chance.uniform(*chance.choice((NAPS, COMAS))) if what == "stop" else 0.0)
    for _ in range(options.restarts):
        yield Blow(chance.uniform(0, options.seconds), "postgres")
    for n in range(options.losses):
        yield Blow(chance.uniform(0, options.seconds), "flush" if n % 2 == 0 else "valkey")
    for _ in range(options.disturbances):
        at, how, wire = chance.uniform(0, options.seconds), chance.choice(MODES), chance.choice(WIRES)
        yield Blow(at, how, wire, chance.uniform(*WIRE_SECONDS))
