"""One spelling for what people type in many: names and texts as searches and sort orders compare them.

The same function makes the stored keys and reads the query, so that José is found as jose and O'Brien as o brien.
"""

import unicodedata
from functools import lru_cache
from typing import Final

__all__ = ["KEY_LENGTH", "fold"]

KEY_LENGTH: Final = 80
"""Longer keys are cut, on both sides of a comparison."""

_OWN_LETTERS: Final = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h", "ŧ": "t"}
)
"""Letters that Unicode does not take apart into a base letter and a mark."""


@lru_cache(maxsize=8192)
def fold(text: str) -> str:
    """Letters and digits only, without case and accents, at most ``KEY_LENGTH`` characters."""
    if text.isascii():
        plain = text.lower()
        return (plain if plain.isalnum() else "".join(filter(str.isalnum, plain)))[:KEY_LENGTH]
    # Twice: lower case brings new marks (İ), and some letters without marks have other forms (ﬁ).
    apart = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    kept = (letter for letter in apart if letter.isalnum() or _is_part_of_a_letter(letter))
    return "".join(kept).translate(_OWN_LETTERS)[:KEY_LENGTH]


def _is_part_of_a_letter(mark: str) -> bool:
    """Vowel signs, as of Hindi and Thai, which are no accents."""
    return unicodedata.category(mark).startswith("M") and unicodedata.combining(mark) == 0
