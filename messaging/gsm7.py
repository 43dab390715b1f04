"""The GSM 7-bit default alphabet (3GPP TS 23.038, 6.2.1): what fits it, in how many septets."""

import re
from typing import Final

__all__ = ["BASIC", "ESCAPE", "EXTENSION", "count_septets", "first_outside", "with_escapes"]

BASIC: Final = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ"
    " !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
"""One septet each. Position 27, the escape, is left out: no text can hold it as a character."""

EXTENSION: Final = "\f^{}\\[~]|€"
"""Two septets each: the escape and a second one."""

ESCAPE: Final = "\x1b"

_ASCII_BASIC: Final = "".join(filter(str.isascii, BASIC)).encode("ascii")
_ASCII_EXTENSION: Final = "".join(filter(str.isascii, EXTENSION)).encode("ascii")
_NOT_BASIC: Final = re.compile(f"[^{re.escape(BASIC)}]")
_EXTENDED: Final = re.compile(f"[{re.escape(EXTENSION)}]")
_OUTSIDE: Final = re.compile(f"[^{re.escape(BASIC + EXTENSION)}]")


def count_septets(body: str) -> int | None:
    """Septets that ``body`` takes, or None if it does not fit the alphabet."""
    if body.isascii():
        # Deleting bytes is the cheapest look at a text, and most bodies end here.
        rest = body.encode("ascii").translate(None, _ASCII_BASIC)
        if rest.translate(None, _ASCII_EXTENSION):
            return None
        return len(body) + len(rest)
    special = _NOT_BASIC.search(body)
    if special is None:
        return len(body)
    if _OUTSIDE.search(body, special.start()):
        return None
    return len(body) + len(_EXTENDED.findall(body))


def first_outside(body: str) -> int | None:
    """Index of the first character that the alphabet lacks."""
    found = _OUTSIDE.search(body)
    return found.start() if found else None


def with_escapes(body: str) -> str:
    """``body`` with an escape before each extension character: one character is one septet."""
    return _EXTENDED.sub(lambda found: ESCAPE + found[0], body)
