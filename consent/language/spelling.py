"""Slips of the finger: which known word was meant. Bounded edit distance, looked up, never searched.

A word that exists is never a slip (``real_words`` of ``spelling.json``): ``shop`` is not ``stop``, ``tests`` are not
``texts``. The longer a word, the more slips it may hold: none below four letters, one, and from nine letters on two.
"""

from collections.abc import Iterable
from typing import Final

from consent.language.data import load

__all__ = ["Speller", "collapse", "is_near", "is_typed_beside"]

_DATA: Final = load("spelling.json")
_REAL: Final = frozenset(_DATA["real_words"].split())
_ADJACENT: Final[dict[str, str]] = _DATA["adjacent_keys"]
_LONG: Final = 9
_SHORT: Final = 4
_LONGEST: Final = 20


def collapse(word: str) -> str:
    """``word`` with each run of one letter as one letter: ``stooopp`` and ``stop`` are the same."""
    return "".join(c for i, c in enumerate(word) if i == 0 or c != word[i - 1])


def is_near(word: str, meant: str, bound: int) -> bool:
    """Whether at most ``bound`` letters are missing, added, exchanged or swapped with their neighbour."""
    if abs(len(word) - len(meant)) > bound:
        return False
    before: list[int] = []
    row = list(range(len(meant) + 1))
    for i, c in enumerate(word, 1):
        before, last, row = row, before, [i]
        for j, d in enumerate(meant, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (c != d))
            if last and i > 1 and j > 1 and c == meant[j - 2] and word[i - 2] == d:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
        if min(row) > bound:
            return False
    return row[-1] <= bound


def _deletions(word: str, count: int) -> set[str]:
    found = {word}
    for _ in range(count):
        found |= {w[:i] + w[i + 1 :] for w in found for i in range(len(w))}
    return found


def _bound(word: str) -> int:
    return 2 if len(word) >= _LONG else int(len(word) >= _SHORT)


class Speller:
    """Finds the key word that a misspelt one stands for."""

    def __init__(self, key_words: Iterable[str], known: frozenset[str]) -> None:
        """``known``: words that are not misspelt, besides the real ones."""
        self._known = known | _REAL
        self._collapsed: dict[str, str] = {}
        self._near: dict[str, list[str]] = {}
        for word in sorted(key_words):
            self._collapsed.setdefault(collapse(word), word)
            for part in _deletions(word, _bound(word)):
                self._near.setdefault(part, []).append(word)

    def meant(self, word: str) -> str | None:
        """The key word, or None when ``word`` is no slip of any."""
        if word in self._known or len(word) < _SHORT - 1:
            return None
        single = collapse(word)
        if single in self._collapsed and single != word:
            return self._collapsed[single]
        if len(word) > _LONGEST or single in self._known:
            return None
        bound = 2 if len(word) >= _LONG - 1 else 1
        candidates = {meant for part in _deletions(word, bound) for meant in self._near.get(part, ())}
        return min((m for m in candidates if _is_slip(word, m)), default=None)


def _is_slip(word: str, meant: str) -> bool:
    """Short words are one slip of neighbouring keys, or of order, away; long ones any slip that keeps the first letter."""
    if not is_near(word, meant, _bound(meant)):
        return False
    if len(meant) > _SHORT + 1:
        return word[0] == meant[0]
    if len(word) != len(meant):
        return word[:2] == meant[:2] or (word[0] == meant[0] and len(word) > len(meant))
    wrong = [(c, d) for c, d in zip(word, meant, strict=True) if c != d]
    return len(wrong) == 2 or all(c == "*" or c in _ADJACENT.get(d, "") for c, d in wrong)


def is_typed_beside(word: str, key_words: Iterable[str]) -> str | None:
    """The key word of four letters that was typed with up to two fingers one key aside: ``stio`` for ``stop``."""
    if word in _REAL or len(word) != _SHORT:
        return None
    for meant in sorted(key_words):
        if len(meant) == _SHORT and word[0] == meant[0]:
            wrong = [(c, d) for c, d in zip(word, meant, strict=True) if c != d]
            if len(wrong) <= 2 and all(c in _ADJACENT.get(d, "") for c, d in wrong):
                return meant
    return None
