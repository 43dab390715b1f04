"""Stage 2: a request in normal words, by rules that are data (``consent/data/grammar_*.json``).

47 CFR 64.1200(a)(10): wording counts when a reasonable person would take it as a revocation. Each language has classes
of words and an ordered list of rules; a rule has patterns over words and classes, and one effect:

``certain``, ``held``  a request to stop, beyond doubt or for a person to confirm
``innocent``           these words talk of something else; later rules do not see them
``question``           asks how or whether: what is certain in this clause is only held (held at least, never nothing)
``doubt``              a joke, a mistake, a change of mind anywhere: certain becomes held, held becomes nothing
``opt_in``, ``help``   asks for these instead
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from consent.language.data import load
from consent.language.normalise import Clause, Token
from consent.language.patterns import Pattern, Tagged, compile_pattern
from consent.language.spelling import Speller

__all__ = ["LANGUAGES", "Fired", "Language"]

_HIDING: Final = frozenset({"innocent", "opt_in", "help"})
_PHONE_DIGITS: Final = 7
"""From a number without its area code on; orders and prices are shorter."""
_INNOCENT: Final[Tagged] = frozenset({"·"})


@dataclass(frozen=True, slots=True)
class Fired:
    """A rule that fired, by which word."""

    effect: str
    reason: str
    word: str
    language: str


@dataclass(frozen=True, slots=True)
class _Rule:
    reason: str
    effect: str
    only: str
    patterns: tuple[Pattern, ...]

    def applies(self, clause: Clause) -> bool:
        """Some rules want a sentence of its own, or one that is a question, or none."""
        facts = {
            "": True,
            "whole": clause.whole and not clause.question,
            "question": clause.question,
            "statement": not clause.question,
        }
        return facts[self.only]


class Language:
    """Words and rules of one language."""

    def __init__(self, code: str) -> None:
        data = load(f"grammar_{code}.json")
        self.code = code
        self._classes: dict[str, set[str]] = {}
        for name, words in data["classes"].items():
            for word in words.split():
                self._classes.setdefault(word, set()).add(name)
        key_words = [w for name in data["misspelt"] for w in data["classes"][name].split() if len(w) > 3]
        self._speller = Speller(key_words, frozenset(self._classes))
        rules = map(_rule, data["rules"])
        self._patterns = [(rule, pattern) for rule in rules for pattern in rule.patterns]
        # Which patterns to try: those of whose rarest word the clause has one.
        self._by_word: dict[str, set[int]] = {}
        for i, (_, pattern) in enumerate(self._patterns):
            for name in min(pattern.needs, key=len):
                self._by_word.setdefault(name, set()).add(i)
        self.tags = lru_cache(maxsize=4096)(self._tags)

    def _tags(self, token: Token) -> Tagged:
        names = set(self._classes.get(token.text, ()))
        if not names and (meant := self._speller.meant(token.text)):
            names = {meant, *self._classes[meant]}
        if token.text[0].isdigit():
            names.add("NUMBER")
            if len(token.text) >= _PHONE_DIGITS:
                names.add("PHONE")
        if token.capital:
            names.add("CAPITAL")
        return frozenset({token.text, *names})

    def read(self, clauses: Sequence[Clause]) -> list[Fired]:
        """All rules that fire, clause by clause, in their order."""
        fired: list[Fired] = []
        for clause in clauses:
            found = self._read_clause(clause)
            if any(f.effect == "question" for f in found):
                found = [_asked(f) for f in found]
            fired += found
        return fired

    def _read_clause(self, clause: Clause) -> list[Fired]:
        words = [self.tags(token) for token in clause.tokens]
        present = frozenset().union(*words)
        starts, ends = _edges(words)
        fired: list[Fired] = []
        for i in sorted({i for name in present for i in self._by_word.get(name, ())}):
            rule, pattern = self._patterns[i]
            if not rule.applies(clause) or any(names.isdisjoint(present) for names in pattern.needs):
                continue
            for start, end in pattern.spans(words, starts, ends):
                at = clause.tokens[start].text if start < len(words) else ""
                if rule.effect != "innocent":
                    fired.append(Fired(rule.effect, rule.reason, at, self.code))
                if rule.effect in _HIDING:
                    words[start:end] = [_INNOCENT] * (end - start)
        return fired


def _edges(words: Sequence[Tagged]) -> tuple[frozenset[int], frozenset[int]]:
    """Where a clause may begin and end: courtesies and conjunctions aside."""
    count = len(words)
    joints = {i for i, word in enumerate(words) if "CONJUNCTION" in word}
    lead = next((i for i, word in enumerate(words) if "LEAD" not in word), count)
    tail = next((i for i in range(count, 0, -1) if "TAIL" not in words[i - 1]), 0)
    starts = set(range(lead + 1)) | {i + 1 for i in joints}
    for start in sorted(starts):
        while start < count and "LEAD" in words[start] and start + 1 not in starts:
            start += 1
            starts.add(start)
    return frozenset(starts), frozenset(range(tail, count + 1)) | joints


def _asked(fired: Fired) -> Fired:
    return Fired("held", fired.reason, fired.word, fired.language) if fired.effect == "certain" else fired


def _rule(data: dict[str, Any]) -> _Rule:
    return _Rule(data["reason"], data["effect"], data.get("only", ""), tuple(map(compile_pattern, data["patterns"])))


LANGUAGES: Final = tuple(Language(code) for code in load("grammar.json")["languages"])
"""In the order in which they are asked; the first that is certain names the reason."""
