"""Stage 1: the whole message is a keyword, perhaps with a courtesy, a name, a number, or a slip of the finger.

47 CFR 64.1200(a)(10): a reply with one of these words is a revocation by itself. The words of all authorities are in
``consent/data/keywords.json``, courtesies in ``courtesy.json``.
"""

import re
from collections.abc import Iterator
from typing import Any, Final, Literal, NamedTuple

from consent.language.data import load
from consent.language.normalise import Clause, Token, level, without_accents
from consent.language.spelling import Speller, collapse, is_typed_beside

__all__ = ["DATA", "PRIORITY", "Found", "Intent", "find", "listed"]

Intent = Literal["opt_out", "opt_in", "help", "other"]
PRIORITY: Final[tuple[Intent, ...]] = ("opt_out", "help", "opt_in")

_MAX_LENGTH: Final = 300
_LONG_WORD: Final = 8
_PHONE_DIGITS: Final = 4
_MARKS: Final = re.compile(r"[^\w\s]|_")

DATA: Final = load("keywords.json")
_COURTESY: Final = load("courtesy.json")
_POLITE: Final = frozenset(_COURTESY["polite"].split())
_POLITE_OR_URGENT: Final = _POLITE | frozenset(_COURTESY["urgent"].split())
_NEVER_ORDINARY: Final = frozenset(_COURTESY["never_ordinary"].split())


class Found(NamedTuple):
    """A keyword, and how it was found."""

    intent: Intent
    certain: bool
    keyword: str
    language: str
    reason: str


def find(text: str, clauses: list[Clause]) -> Found | None:
    """The keyword that ``text`` is; ``clauses`` are the same text, split."""
    found = _alone(text)
    if found:
        return found
    words = [token for clause in clauses for token in clause.tokens]
    if not words or len(words) > _MAX_LENGTH // 4:
        return None
    return _courteous(words) or _as_written(text) or _signed(clauses) or _misspelt(words)


def _alone(text: str) -> Found | None:
    text = text.strip()
    if len(text) > _MAX_LENGTH:
        # Nothing but marks and emoji can make a keyword this long.
        text = " ".join(_MARKS.sub(" ", text).split())
        if len(text) > _MAX_LENGTH:
            return None
    for form in _forms(level(text)):
        found = _ACCENTED.get(form) or _UNACCENTED.get(without_accents(form))
        if found:
            return found
    return None


def _forms(levelled: str) -> Iterator[str]:
    """Ways to read the message as one keyword: s.t.o.p, stop-all, stop stop stop, s t o p."""
    yield " ".join(_MARKS.sub("", levelled).split())
    words = _MARKS.sub(" ", levelled).split()
    yield " ".join(words)
    if len(set(words)) == 1:
        yield words[0]
    if all(len(word) == 1 for word in words):
        yield "".join(words)


def _courteous(words: list[Token]) -> Found | None:
    """``stop please``, ``ok stop now``, ``yes please``; ``s t o p pls`` and ``un subscribe`` are one word each."""
    for aside in (_POLITE, _POLITE_OR_URGENT):
        core = [token.text for token in words if token.text not in aside]
        for form in {" ".join(core), core[0] if len(set(core)) == 1 else ""}:
            found = _UNACCENTED.get(form)
            if found and (found.intent == "opt_out" or aside is _POLITE):
                return found._replace(reason="keyword_and_courtesy")
        joined = _UNACCENTED.get("".join(core))
        if joined and joined.keyword in _NEVER_ORDINARY:
            return joined._replace(reason="keyword_and_courtesy")
    return None


def _as_written(text: str) -> Found | None:
    """A keyword with a courtesy in a language whose accents or letters ``Token`` does not keep."""
    words = _MARKS.sub("", level(text)).split()
    core = " ".join(word for word in words if without_accents(word) not in _POLITE)
    found = _ACCENTED.get(core) or _UNACCENTED.get(without_accents(core))
    return found and found._replace(reason="keyword_and_courtesy")


def _signed(clauses: list[Clause]) -> Found | None:
    """``STOP - Karen``, ``Stop 202 555 0101``: the keyword first, then only who wrote it."""
    first, *others = [[t for t in clause.tokens if t.text not in _POLITE_OR_URGENT] for clause in clauses]
    if not first or first[0].text not in _NEVER_ORDINARY:
        return None
    digits = "".join(token.text for token in first[1:])
    if first[1:] and not (digits.isdigit() and len(digits) >= _PHONE_DIGITS):
        return None
    signature = [token for tokens in others for token in tokens]
    if len(signature) > 3 or not all(t.capital or t.text.isdigit() or len(t.text) == 1 for t in signature):
        return None
    return _UNACCENTED[first[0].text]._replace(reason="keyword_and_name")


def _misspelt(words: list[Token]) -> Found | None:
    """One word that is a keyword but for a slip. Runs, swaps and slips in a long word are certain; the rest is asked."""
    core = [token.text for token in words if token.text not in _POLITE_OR_URGENT]
    if len(core) != 1:
        return None
    meant = _SPELLER.meant(core[0]) or is_typed_beside(core[0], _NEVER_ORDINARY)
    if meant is None:
        return None
    sure = collapse(core[0]) == collapse(meant) or sorted(core[0]) == sorted(meant) or len(meant) >= _LONG_WORD
    found = _UNACCENTED[meant]
    return found._replace(certain=sure or found.intent != "opt_out", reason="keyword_misspelt")


def listed(intent: Intent) -> Iterator[tuple[str, str]]:
    """Language and keyword, in the order of the data."""
    for keyword_set in DATA["sets"]:
        for language, words in keyword_set["words"].items():
            for word in words.get(intent, ()):
                yield language, word


def _by_form(data: dict[str, Any], *, accented: bool) -> dict[str, Found]:
    """Keywords by levelled form, of the languages that keep their accents or of all others.

    A form with several intents has the first of ``PRIORITY``; with several languages, the first that the data lists.
    """
    table: dict[str, Found] = {}
    for intent in PRIORITY:
        for language, word in listed(intent):
            if (language in data["keep_accents"]["languages"]) is accented:
                form = next(_forms(level(word)))
                key = form if accented else without_accents(form)
                table.setdefault(key, Found(intent, True, word, language, "keyword"))
    return table


_ACCENTED: Final = _by_form(DATA, accented=True)
_UNACCENTED: Final = _by_form(DATA, accented=False)
_SPELLER: Final = Speller(_COURTESY["may_be_misspelt"].split(), frozenset(_UNACCENTED) | _POLITE_OR_URGENT)
