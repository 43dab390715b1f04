"""What the cell of a consent column says: yes, no, or that the person has opted out."""

import re
from enum import Enum
from functools import lru_cache
from typing import Final

from consent.keywords import classify

__all__ = ["Said", "said"]


class Said(Enum):
    """``NO`` is no agreement in this file; ``STOP`` is the person's word that nothing may be sent any more."""

    YES = "yes"
    NO = "no"
    STOP = "stop"


_YES: Final = frozenset(
    {"yes", "y", "true", "t", "1", "x", "on", "ok", "agreed", "opted in", "subscribed", "si", "sí", "oui", "ja"}
)
_NO: Final = frozenset({"", "no", "n", "false", "f", "0", "off", "non", "nein", "none"})
_STOP: Final = frozenset(
    {
        "unsubscribed",
        "opted out",
        "optedout",
        "stopped",
        "revoked",
        "withdrawn",
        "removed",
        "dnc",
        "do not text",
        "do not contact",
        "do not call",
    }
)
"""How other systems mark people who opted out; the words that people text themselves are in ``consent.keywords``."""


@lru_cache(maxsize=1024)
def said(text: str) -> Said | None:
    """Read one cell; None when it cannot be told."""
    words = " ".join(re.split(r"[\s_-]+", text.casefold())).strip()
    if words in _YES:
        return Said.YES
    if words in _NO:
        return Said.NO
    if words in _STOP or classify(text).intent == "opt_out":
        return Said.STOP
    return None
