"""Requests in languages without rules of their own: a part of the text decides, and a person confirms.

47 CFR 64.1200(a)(10): any reasonable means of revocation counts, in any language.
"""

from typing import Final

from consent.language.data import load
from consent.language.grammar import Fired
from consent.language.normalise import level

__all__ = ["read"]

_FRAGMENTS: Final = [
    (level(fragment), language) for language, found in load("fragments.json")["opt_out"].items() for fragment in found
]


def read(own: str) -> list[Fired]:
    """What the text may ask for; ``own`` is without what is quoted."""
    text = level(own)
    return [Fired("held", "fragment", part, language) for part, language in _FRAGMENTS if part in text]
