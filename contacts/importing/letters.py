"""Whether text without a mark, and not in UTF-8, is in the Western European code page that Windows programs save.

Bytes do not tell which code page they are in, and any of them can be read as Western European. Read as what they are not,
they make words that nobody writes: many accented letters in a row, signs in the middle of words, capitals after small
letters.
"""

import re
from itertools import islice
from typing import Final

from contacts.importing.limits import FileProblem

__all__ = ["ForeignWords"]

_ENOUGH: Final = 500
_STRANGE_SHARE: Final = 0.25
_WORD: Final = re.compile(rb"[A-Za-z]{0,20}[\x80-\xff][A-Za-z\x80-\xff]{0,40}")
_STRANGE: Final = re.compile(
    "\N{REPLACEMENT CHARACTER}"
    "|[À-ÖØ-öø-ÿ]{3}"
    "|[a-z][À-ÖØ-ÞŠŽŸ]"
    "|[A-Za-z][‚„ƒ†‡ˆ‰‹]"
    "|[A-Za-zÀ-ÿ][•˜™›¡¢£¤¥¦§¨©«¬®¯°±²³µ¶¸¹»¼½¾¿×÷][A-Za-zÀ-ÿ]"
    "|[‚„ƒ†‡ˆ‰‹•˜™›‘’“”–—¡-¿]{2}"
    "|^[£¥¬¯±³¹¼½¾][a-zà-ÿ]"
    "|[a-z]{2}[³¹]$"
)


class ForeignWords:
    """The first words of a file that are more than ASCII."""

    def __init__(self) -> None:
        self._words: list[bytes] = []

    def take(self, piece: bytes) -> None:
        """Look at the next piece."""
        if len(self._words) < _ENOUGH:
            self._words += islice(map(re.Match.group, _WORD.finditer(piece)), _ENOUGH - len(self._words))

    def check(self) -> None:
        """Raises ``FileProblem`` when they are not Western European."""
        words = [word.decode("cp1252", errors="replace") for word in self._words]
        strange = [word for word in words if _STRANGE.search(word)]
        if strange and len(strange) >= _STRANGE_SHARE * len(words):
            raise FileProblem(
                f"It cannot be told how the letters of this file are stored: “{strange[0]}” does not look right. In your "
                "spreadsheet program choose Save as > CSV UTF-8, and upload that file."
            )
