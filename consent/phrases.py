"""Requests to stop inside a short message: ``please stop``, ``stop texting``, ``unsubscribe me``.

Words only, no grammar: a hit is never certain. What is quoted (reactions such as ``Liked "..."``,
quoted footers) is not the person's own text and is left out. ``end`` and ``cancel`` have too many
everyday uses and count only when messages are what should end.
"""

import re
from typing import Final

__all__ = ["opt_out_word"]

_MAX_WORDS: Final = 6

_QUOTED: Final = re.compile(
    r'"[^"]*"|“[^“”]*(?:”|\Z)|„[^„“”]*[“”]|«[^«»]*»|\u2018[^\u2018\u2019]*\u2019(?!\w)|^[ \t]*>.*$',
    re.MULTILINE,
)
_APOSTROPHE: Final = re.compile(r"(?<=\w)['\u2019`](?=\w)")
_CLAUSE_END: Final = re.compile(r"[.!?,;:\n]+")
_WORD: Final = re.compile(r"[^\W_]+")
_RUN: Final = re.compile(r"(.)\1+")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_CLEAR: Final = _words("unsubscribe revoke optout")
_EVERYDAY: Final = _words("stop quit")
_AMBIGUOUS: Final = _words("end cancel")

_MESSAGES: Final = _words(
    "texts texting txts txting sms messages messaging msgs msging alerts notifications reminders "
    "promos promotions offers ads spam spamming sending"
)
_BESIDE: Final = _words("stop quit end cancel unsubscribe start help info")
_AIMED: Final = (
    _MESSAGES
    | _BESIDE
    | _words(
        "me us it this that these those them all now please pls plz pleaze thx thanks svp asap "
        "immediately already forever contacting bothering harassing annoying"
    )
)
_BEFORE: Final = _BESIDE | _words(
    "please pls plz pleaze just now ok okay i said text txt reply and to so hey no you u thanks"
)
_NEGATIONS: Final = _words("not dont never didnt if")
# Who cannot stop talks about something else; who cannot unsubscribe asks for it.
_UNABLE: Final = _words("cant cannot wont doesnt wouldnt couldnt")
_NOT_MEANT: Final = _words("undo accident accidentally mistake")
# After "stop": a visit, a place, a payment.
_VISITS: Final = _words("by in at over near off on for to payment sign signs being")
# Slips that are words themselves: French "qui" (who) and "stp" (please), English "sop".
_REAL_WORDS: Final = _words("qui stp sop")


def _slips(word: str) -> set[str]:
    """``word`` with one letter missing (not the first) or two neighbours swapped."""
    missing = {word[:i] + word[i + 1 :] for i in range(1, len(word))}
    swapped = {word[:i] + word[i + 1] + word[i] + word[i + 2 :] for i in range(len(word) - 1)}
    return (missing | swapped) - {word} - _REAL_WORDS


_SLIPS_OF_CLEAR: Final = dict.fromkeys(_slips("unsubscribe"), "unsubscribe")
_SLIPS_OF_EVERYDAY: Final = {slip: word for word in sorted(_EVERYDAY) for slip in _slips(word)}


def opt_out_word(text: str) -> str | None:
    """The opt-out word that a short message uses as a request; ``text`` is case-folded and NFKC."""
    text = _APOSTROPHE.sub("", _QUOTED.sub(" ", text))
    clauses = [_WORD.findall(clause) for clause in _CLAUSE_END.split(text)]
    short = sum(map(len, clauses)) <= _MAX_WORDS
    for words in clauses:
        if short or len(words) == 1:
            found = _request(words)
            if found:
                return found
    return None


def _request(words: list[str]) -> str | None:
    if not _NOT_MEANT.isdisjoint(words):
        return None
    for i, word in enumerate(words):
        before, after = words[:i], words[i + 1 :]
        if word in _NEGATIONS:
            return None
        if word == "opt" and "out" in after[:2]:
            return "opt out"
        meant = _meant(word, before + after)
        if meant in _CLEAR or (meant in _EVERYDAY and _is_aimed(before, after)):
            return meant
        if meant in _AMBIGUOUS and not _MESSAGES.isdisjoint(after):
            return meant
    return None


def _meant(word: str, others: list[str]) -> str:
    """``word`` without a slip; a short one is repaired only where ``others`` fit such a request."""
    letters = _RUN.sub(r"\1", word.replace("0", "o"))
    if letters in _CLEAR:
        return letters
    if letters in _SLIPS_OF_CLEAR:
        return _SLIPS_OF_CLEAR[letters]
    if word not in _EVERYDAY and _AIMED.union(_BEFORE).issuperset(others):
        return letters if letters in _EVERYDAY else _SLIPS_OF_EVERYDAY.get(letters, word)
    return word


def _is_aimed(before: list[str], after: list[str]) -> bool:
    if not _UNABLE.isdisjoint(before):
        return False
    if after:
        return after[0] not in _VISITS and not _AIMED.isdisjoint(after)
    return not before or before[-1] in _BEFORE
