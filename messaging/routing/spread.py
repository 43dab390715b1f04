"""The choice of one sender among several. Nothing here knows a clock or a database.

Weighted rendezvous hashing: each sender draws a lot for the number, and the best one wins. The same number has the same
winner each time; when a sender drops out only its own numbers move, and when it comes back exactly they return.
"""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final
from uuid import UUID

__all__ = ["AREA", "FAILOVER", "REGION", "SPREAD", "STICKY", "Candidate", "Choice", "area_of", "choose", "pick"]

STICKY: Final = "sticky"
"""It last exchanged a text with this person."""
AREA: Final = "area"
"""It has the person's area code."""
REGION: Final = "region"
"""It is of the person's state or province."""
SPREAD: Final = "spread"
"""Its turn, by weight."""
FAILOVER: Final = "failover"
"""It stands in for one that could not."""

_LOTS: Final = 2**64
_AREA_DIGITS: Final = slice(2, 5)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sender that may be chosen."""

    id: UUID
    number: str
    weight: int


@dataclass(frozen=True, slots=True)
class Choice:
    """The sender chosen, and one of the words above for why."""

    sender_id: UUID
    why: str


def area_of(number: str) -> str:
    """The area code of a North American number; empty for any other."""
    return number[_AREA_DIGITS] if number.startswith("+1") and len(number) == 12 else ""


def pick(key: str, candidates: Iterable[Candidate]) -> Candidate:
    """One of the candidates, always the same for a key, each as often as its weight says."""
    return max(candidates, key=lambda one: (_lot(key, one), one.id))


def choose(
    numbers: Collection[str],
    candidates: Sequence[Candidate],
    *,
    last: Mapping[str, UUID],
    regions: Mapping[str, Collection[str]],
) -> dict[str, Choice]:
    """A sender for each number. ``last``: who exchanged a text with it before, also one that is no candidate now, so
    that another one stands in; ``regions``: those of an area code."""
    known = {one.id for one in candidates}
    by_area = _grouped((area_of(one.number), one) for one in candidates)
    by_region = _grouped((region, one) for one in candidates for region in regions.get(area_of(one.number), ()))
    near: dict[str, tuple[Sequence[Candidate], str]] = {}
    choices = {}
    for number in numbers:
        before, area = last.get(number), area_of(number)
        if before is not None and before in known:
            choices[number] = Choice(before, STICKY)
            continue
        if area not in near:
            here = by_area.get(area, []) if area else []
            about = {one.id: one for region in regions.get(area, ()) for one in by_region.get(region, ())}
            near[area] = (here, AREA) if here else (list(about.values()), REGION) if about else (candidates, SPREAD)
        among, why = near[area]
        choices[number] = Choice(pick(number, among).id, FAILOVER if before else why)
    return choices


def _grouped(pairs: Iterable[tuple[str, Candidate]]) -> dict[str, list[Candidate]]:
    groups: dict[str, list[Candidate]] = {}
    for name, one in pairs:
        groups.setdefault(name, []).append(one)
    return groups


def _lot(key: str, candidate: Candidate) -> float:
    drawn = int.from_bytes(blake2b(key.encode(), key=candidate.id.bytes, digest_size=8).digest())
    return -candidate.weight / math.log((drawn + 0.5) / _LOTS)
