"""A small language for phrases, matched in steps that are bounded by the length of text and pattern.

``stop ALL*2 MESSAGES``: elements apart by spaces. A word is itself, capitals are a class of words, ``a|B`` either,
``X?`` may be missing, ``X*3`` up to three of them (``_`` is any word), ``!X`` no X here, ``^`` and ``$`` begin and
end of the clause, polite words aside, ``x|$`` either x or the end.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

__all__ = ["Pattern", "Tagged", "compile_pattern"]

_ELEMENT: Final = re.compile(r"(!?)([^?*]+)(\?|\*\d)?")

Tagged = frozenset[str]
"""One word of a text: itself and the names of its classes."""


@dataclass(frozen=True, slots=True)
class _Element:
    names: Tagged
    fewest: int = 1
    most: int = 1
    negative: bool = False
    or_end: bool = False

    def fits(self, word: Tagged) -> bool:
        return "_" in self.names or not self.names.isdisjoint(word)


@dataclass(frozen=True, slots=True)
class Pattern:
    """``source`` is what the data says; ``first`` the names of which one must be in a text for it to match."""

    source: str
    elements: tuple[_Element, ...]
    at_start: bool
    at_end: bool
    needs: tuple[Tagged, ...]

    def spans(self, words: Sequence[Tagged], starts: frozenset[int], ends: frozenset[int]) -> Iterator[tuple[int, int]]:
        """Where it matches; ``starts`` and ``ends`` are where ``^`` and ``$`` hold."""
        for start in sorted(starts) if self.at_start else range(len(words)):
            reached = self._reach(words, start, ends)
            good = reached & ends if self.at_end else reached
            if good:
                yield start, max(good)

    def _reach(self, words: Sequence[Tagged], start: int, ends: frozenset[int]) -> frozenset[int]:
        positions = {start}
        for element in self.elements:
            finished = positions & ends if element.or_end else set()
            positions = _step(element, words, positions) | finished
            if not positions:
                break
        return frozenset(positions)


def _step(element: _Element, words: Sequence[Tagged], positions: set[int]) -> set[int]:
    if element.negative:
        return {at for at in positions if at >= len(words) or not element.fits(words[at])}
    reached = set(positions) if element.fewest == 0 else set()
    current = positions
    for _ in range(element.most):
        current = {at + 1 for at in current if at < len(words) and element.fits(words[at])}
        reached |= current
        if not current:
            break
    return reached


def compile_pattern(source: str) -> Pattern:
    """Read one line of the data."""
    parts = source.split()
    at_start, at_end = parts[0] == "^", parts[-1] == "$"
    elements = tuple(_element(part) for part in parts if part not in {"^", "$"})
    needs = tuple(e.names for e in elements if e.fewest and not e.negative and not e.or_end and "_" not in e.names)
    return Pattern(source, elements, at_start, at_end, needs)


def _element(part: str) -> _Element:
    found = _ELEMENT.fullmatch(part)
    if found is None:
        raise ValueError(f"not an element of a pattern: {part}")
    negative, names, repeat = found.groups()
    fewest = 0 if repeat else 1
    most = int(repeat[1]) if repeat and repeat[0] == "*" else 1
    options = frozenset(names.split("|"))
    return _Element(options - {"$"}, fewest, most, negative=bool(negative), or_end="$" in options)
