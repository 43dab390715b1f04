"""One spelling for a text: no styled letters, look-alikes, joiners or quoted passages; then sentences, clauses, words.

CTIA Messaging Principles (May 2023), section 5.1.3: case and punctuation of an opt-out must not matter.
"""

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

from consent.language.data import load

__all__ = ["Clause", "Token", "clauses", "level", "own_words", "spaced_letters", "without_accents"]

_DATA: Final = load("spelling.json")
_LOOK_ALIKES: Final = str.maketrans(_DATA["look_alikes"])
_DIGITS: Final = str.maketrans(_DATA["digits"])
_SIGNS: Final[dict[str, str]] = _DATA["signs"]
_SIGN: Final = re.compile("|".join(sorted(map(re.escape, _SIGNS), key=len, reverse=True)))

_INVISIBLE: Final = frozenset({"Mn", "Me", "Cf"})
_QUOTED: Final = re.compile(
    r'"[^"]*"|“[^“”]*(?:”|\Z)|„[^„“”]*[“”]|«[^«»]*»|\u2018[^\u2018\u2019]*\u2019(?!\w)|^[ \t]*>.*$',
    re.MULTILINE,
)
_NOTICE: Final = re.compile(_DATA["notices"], re.IGNORECASE | re.MULTILINE)
_APOSTROPHE: Final = re.compile(r"(?<=\w)['\u2018\u2019`´](?=\w)")
_SENTENCE: Final = re.compile(r"([^.!?;\n…。！？]*)([.!?;\n…。！？]*)")
_CLAUSE: Final = re.compile(r"[,:()¡¿\[\]]|\s[-–—]+\s|[–—]")
_WORD: Final = re.compile(r"[^\W_]+(?:[*$@]+[^\W_]+)*|\$[^\W_]+|#(?=\s|$)")
_MASKED: Final = re.compile(r"\b([^\W\d_]{1,2})\*{2,}(?=\s|$)")
_STARRED: Final = re.compile(r"[^\W_](?:\*[^\W_]){2,}")
_SPACED: Final = re.compile(r"(?<![^\W_])[^\W_](?:[ .\-_*/,]{1,3}[^\W_](?![^\W_])){2,11}")
_TIME_OR_SIZE: Final = re.compile(r"[\d$]+[a-z]{0,2}|\d+(?:min|mins|hrs|lbs|ppl|ish)")


@dataclass(frozen=True, slots=True)
class Token:
    """``capital``: written with a capital letter where the language asks for none, as names are."""

    text: str
    capital: bool = False


@dataclass(frozen=True, slots=True)
class Clause:
    """Words between two marks. ``whole``: it is a sentence of its own; ``question``: its sentence ends with ``?``."""

    tokens: tuple[Token, ...]
    whole: bool
    question: bool


def level(text: str) -> str:
    """Capitals and styled letters made plain; no joiners, selectors or stray accents."""
    if text.isascii():
        return text.lower()
    plain = unicodedata.normalize("NFKC", text).casefold()
    return _visible(plain)


def _visible(text: str) -> str:
    return "".join(c for c in text if unicodedata.category(c) not in _INVISIBLE)


def without_accents(text: str) -> str:
    """``text`` with plain letters, for languages whose writers leave accents out."""
    if text.isascii():
        return text
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(c for c in decomposed if not unicodedata.combining(c))


def own_words(text: str) -> str:
    """``text`` without what is quoted: reactions such as ``Liked "..."``, footers, out-of-office notices."""
    text = _visible(unicodedata.normalize("NFC", text))
    return _NOTICE.sub(" ", _QUOTED.sub(" ", text))


def spaced_letters(text: str) -> list[str]:
    """Words written letter by letter: ``s.t.o.p``, ``S T O P``."""
    return ["".join(re.findall(r"[^\W_]", found.group())) for found in _SPACED.finditer(text)]


def clauses(text: str) -> list[Clause]:
    """Split one's own words into clauses; emoji that speak become words (``spelling.json``)."""
    text = unicodedata.normalize("NFC", _visible(unicodedata.normalize("NFKC", text)))
    text = _SIGN.sub(lambda found: f" {_SIGNS[found.group()]} ", text)
    text = _MASKED.sub(r"\1", _APOSTROPHE.sub("", text))
    shouting = text.isupper()
    found: list[Clause] = []
    for sentence, end in _SENTENCE.findall(text):
        parts = [tokens for part in _CLAUSE.split(sentence) if (tokens := _tokens(part, shouting=shouting))]
        found += [Clause(tokens, whole=len(parts) == 1, question="?" in end) for tokens in parts]
    return found


def _tokens(part: str, *, shouting: bool) -> tuple[Token, ...]:
    words = _WORD.findall(part)
    return tuple(Token(_plain(word), not shouting and word[:1].isupper() and not word.isupper()) for word in words)


def _plain(word: str) -> str:
    word = without_accents(word.casefold())
    if not word.isascii():
        mapped = word.translate(_LOOK_ALIKES)
        word = mapped if mapped.isascii() else word
    if word.isalpha() or word.isdigit() or (_TIME_OR_SIZE.fullmatch(word) and word[0] != "$"):
        return word
    # s*t*o*p is stop, f**k has lost letters, st*p has one letter hidden; 5t0p is stop, 5pm is no word.
    if "**" in word or _STARRED.fullmatch(word):
        word = word.replace("*", "")
    return word.translate(_DIGITS)
