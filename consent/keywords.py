"""What a reply asks for, by the keywords of ``data/keywords.json``.

A message that is a keyword and nothing else is certain. One that only contains a request to stop
(``consent.phrases``) is an opt-out that a person should confirm. All else is ``other``.
"""

import json
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from consent import phrases

__all__ = ["ALSO_CONFIRMATIONS", "VERSION", "Classification", "Intent", "classify", "keyword_table"]

Intent = Literal["opt_out", "opt_in", "help", "other"]

_PRIORITY: Final[tuple[Intent, ...]] = ("opt_out", "help", "opt_in")
_MAX_LENGTH: Final = 300
_INVISIBLE: Final = frozenset({"Mn", "Me", "Cf"})
_MARKS: Final = re.compile(r"[^\w\s]|_")
_NOT_WORDS: Final = re.compile(r"\W+")


@dataclass(frozen=True, slots=True)
class Classification:
    """``certain`` False means: hold marketing and ask a person.

    ``keyword`` is the word that decided, as the data spells it, and ``language`` (ISO 639) whose
    word it is; both are None for ``other``.
    """

    intent: Intent
    certain: bool
    keyword: str | None = None
    language: str | None = None


_OTHER: Final = Classification("other", certain=True)


def classify(text: str) -> Classification:
    """Read one inbound message; any text is valid, and time is linear in its length."""
    text = text.strip()
    if len(text) > _MAX_LENGTH:
        # Nothing but marks and emoji can make a keyword this long.
        words = _NOT_WORDS.sub(" ", text).strip()
        if len(words) > _MAX_LENGTH:
            return _read_long(text)
        text = words
    levelled = _level(text)
    for form in _forms(levelled):
        found = _ACCENTED.get(form) or _UNACCENTED.get(_without_accents(form))
        if found:
            return found
    word = phrases.opt_out_word(levelled)
    return Classification("opt_out", certain=False, keyword=word, language="en") if word else _OTHER


def _read_long(text: str) -> Classification:
    """A long text is no keyword, but it may begin or end with a request to stop."""
    for part in (text[:_MAX_LENGTH], text[-_MAX_LENGTH:]):
        word = phrases.opt_out_word(_level(part))
        if word:
            return Classification("opt_out", certain=False, keyword=word, language="en")
    return _OTHER


def keyword_table() -> dict[str, dict[Intent, list[str]]]:
    """All keywords by language (ISO 639) and intent, for people to read."""
    table: dict[str, dict[Intent, list[str]]] = {}
    for intent in _PRIORITY:
        for language, word in _words(_DATA, intent):
            words = table.setdefault(language, {}).setdefault(intent, [])
            if word.upper() not in words:
                words.append(word.upper())
    return table


def _level(text: str) -> str:
    """One spelling for capitals and styled letters; no joiners, selectors or stray accents."""
    if text.isascii():
        return text.lower()
    text = unicodedata.normalize("NFKC", text).casefold()
    if len(text) > 2 * _MAX_LENGTH:
        # Made of signs that stand for whole phrases (U+FDFA is 18 letters): nobody's keyword.
        return ""
    return "".join(c for c in text if unicodedata.category(c) not in _INVISIBLE)


def _forms(levelled: str) -> Iterator[str]:
    """Ways to read the message as one keyword: s.t.o.p, stop-all, stop stop stop, s t o p."""
    yield " ".join(_MARKS.sub("", levelled).split())
    words = _MARKS.sub(" ", levelled).split()
    yield " ".join(words)
    if len(set(words)) == 1:
        yield words[0]
    if all(len(word) == 1 for word in words):
        yield "".join(words)


def _without_accents(form: str) -> str:
    if form.isascii():
        return form
    decomposed = unicodedata.normalize("NFKD", form)
    return "".join(c for c in decomposed if not unicodedata.combining(c))


def _load() -> dict[str, Any]:
    path = Path(__file__).with_name("data") / "keywords.json"
    data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return data


def _by_form(data: dict[str, Any], *, accented: bool) -> dict[str, Classification]:
    """Keywords by levelled form, of the languages that keep their accents or of all others.

    A form with several intents has the first of ``_PRIORITY``; with several languages, the first
    that the data lists.
    """
    table: dict[str, Classification] = {}
    for intent in _PRIORITY:
        for language, word in _words(data, intent):
            if (language in data["keep_accents"]["languages"]) is accented:
                form = next(_forms(_level(word)))
                key = form if accented else _without_accents(form)
                table.setdefault(key, Classification(intent, certain=True, keyword=word, language=language))
    return table


def _words(data: dict[str, Any], intent: Intent) -> Iterator[tuple[str, str]]:
    for keyword_set in data["sets"]:
        for language, words in keyword_set["words"].items():
            for word in words.get(intent, ()):
                yield language, word


_DATA: Final = _load()
_ACCENTED: Final = _by_form(_DATA, accented=True)
_UNACCENTED: Final = _by_form(_DATA, accented=False)

VERSION: Final[str] = _DATA["version"]
"""Of the keyword data; a decision that rests on it should name it."""

ALSO_CONFIRMATIONS: Final[frozenset[str]] = frozenset(_DATA["also_confirmations"]["words"])
"""Opt-in keywords that also answer a question; the caller knows which was meant."""
