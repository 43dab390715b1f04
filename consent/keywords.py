"""What a reply asks for: the door to ``consent.language``, which judges a text in two stages.

A message that is a keyword, courtesies and slips aside, is certain (``consent.language.exact``). All else is read by
the rules of ``consent.language.grammar``: a clear request is certain, too; one that may be a request is held for a
person to confirm (47 CFR 64.1200(a)(10): any reasonable means). ``docs/opt-out.md`` tells how, and how well.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from consent.language import exact, fragments
from consent.language.exact import Intent, listed
from consent.language.grammar import LANGUAGES, Fired
from consent.language.normalise import clauses, own_words, spaced_letters

__all__ = ["ALSO_CONFIRMATIONS", "VERSION", "Classification", "Intent", "classify", "keyword_table"]


@dataclass(frozen=True, slots=True)
class Classification:
    """``certain`` False means: hold marketing and ask a person.

    ``keyword`` is the word that decided, and ``language`` (ISO 639) whose word it is; ``reason`` names the rule
    that fired, as the data calls it. All are None for ``other``.
    """

    intent: Intent
    certain: bool
    keyword: str | None = None
    language: str | None = None
    reason: str | None = None


_OTHER: Final = Classification("other", certain=True)


def classify(text: str) -> Classification:
    """Read one inbound message; any text is valid, and time is linear in its length."""
    found = exact.find(text, clauses(text))
    if found:
        return Classification(found.intent, found.certain, found.keyword, found.language, found.reason)
    return _read(text)


def _read(text: str) -> Classification:
    """By the rules. Opt-out goes before help, help before opt-in (``docs/opt-out.md``)."""
    own = own_words(text)
    sentences = clauses(own)
    for word in spaced_letters(own):
        sentences += clauses(word)
    fired = [rule for language in LANGUAGES for rule in language.read(sentences)]
    fired += fragments.read(own)
    doubtful = any(rule.effect == "doubt" for rule in fired)
    certain, held = _first(fired, "certain"), _first(fired, "held")
    if certain:
        return _opt_out(certain, certain=not doubtful)
    if held and not doubtful:
        return _opt_out(held, certain=False)
    for effect, intent in _MILDER:
        milder = _first(fired, effect)
        if milder:
            return Classification(intent, True, milder.word, milder.language, milder.reason)
    return _OTHER


_MILDER: Final[tuple[tuple[str, Intent], ...]] = (("help", "help"), ("opt_in", "opt_in"))


def _opt_out(rule: Fired, *, certain: bool) -> Classification:
    return Classification("opt_out", certain, rule.word, rule.language, rule.reason)


def _first(fired: Sequence[Fired], effect: str) -> Fired | None:
    return next((rule for rule in fired if rule.effect == effect), None)


def keyword_table() -> dict[str, dict[Intent, list[str]]]:
    """All keywords by language (ISO 639) and intent, for people to read."""
    table: dict[str, dict[Intent, list[str]]] = {}
    for intent in exact.PRIORITY:
        for language, word in listed(intent):
            words = table.setdefault(language, {}).setdefault(intent, [])
            if word.upper() not in words:
                words.append(word.upper())
    return table


VERSION: Final[str] = exact.DATA["version"]
"""Of the keyword data; a decision that rests on it should name it."""

ALSO_CONFIRMATIONS: Final[frozenset[str]] = frozenset(exact.DATA["also_confirmations"]["words"])
"""Opt-in keywords that also answer a question; the caller knows which was meant."""
