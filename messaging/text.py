"""How a text is billed: its encoding, and the parts that a phone network carries it in.

A body of GSM-7 characters holds 160 septets in one part, or 153 in each of several; any other body
is sent as UCS-2 with 70 or 67 UTF-16 code units. The escape and its character stay in one part, and
so does a surrogate pair. An emoji of several code points may be cut between them: phones join the
parts again before they show them, and a part is not lost to keep the emoji whole.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Final, Literal

from messaging import gsm7

__all__ = [
    "Encoding",
    "TextMeasure",
    "apply_smart_encoding",
    "first_offender",
    "measure",
    "replacement_for",
    "split_parts",
]

Encoding = Literal["GSM-7", "UCS-2"]

_GSM_SINGLE: Final = 160
_GSM_PART: Final = 153
_UCS2_SINGLE: Final = 70
_UCS2_PART: Final = 67


@dataclass(frozen=True, slots=True)
class TextMeasure:
    """``units``: septets (GSM-7) or UTF-16 code units (UCS-2) of the whole text, no headers."""

    encoding: Encoding
    part_count: int
    units: int


# A campaign's messages share a few measures; making a frozen object costs more than measuring.
_measure = lru_cache(maxsize=4096)(TextMeasure)


def measure(body: str, *, smart: bool = False) -> TextMeasure:
    """Encoding and parts of ``body``; with ``smart``, after ``apply_smart_encoding``.

    An empty body is one part of 0 units.
    """
    septets = gsm7.count_septets(body)
    if septets is None and smart:
        body = apply_smart_encoding(body)
        septets = gsm7.count_septets(body)
    if septets is None:
        units = _count_utf16_units(body)
        return _measure("UCS-2", 1 if units <= _UCS2_SINGLE else len(_ucs2_parts(body)), units)
    if septets <= _GSM_SINGLE:
        return _measure("GSM-7", 1, septets)
    if septets == len(body):
        return _measure("GSM-7", -(-septets // _GSM_PART), septets)
    return _measure("GSM-7", len(_gsm_parts(body)), septets)


def split_parts(body: str) -> list[str]:
    """The text of each part, in order; joined they are ``body`` again."""
    septets = gsm7.count_septets(body)
    if septets is None:
        return [body] if _count_utf16_units(body) <= _UCS2_SINGLE else _ucs2_parts(body)
    return [body] if septets <= _GSM_SINGLE else _gsm_parts(body)


def apply_smart_encoding(body: str) -> str:
    """Replace look-alikes of GSM-7 characters; characters without a look-alike stay as they are.

    The result can be longer, or empty. See the caveats in ``data/smart_encoding_map.json``.
    """
    return _LOOK_ALIKE.sub(lambda found: _REPLACEMENTS[found[0]], body)


def first_offender(body: str) -> tuple[int, str] | None:
    """Index and character of the first one that forces UCS-2; None if the body is GSM-7."""
    index = gsm7.first_outside(body)
    return None if index is None else (index, body[index])


def replacement_for(char: str) -> str | None:
    """GSM-7 text to offer instead of ``char`` (``""``: leave it out); None if there is none."""
    return _REPLACEMENTS.get(char)


def _load_replacements() -> dict[str, str]:
    path = Path(__file__).with_name("data") / "smart_encoding_map.json"
    look_alikes: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))["map"]
    return {chr(int(code.removeprefix("U+"), 16)): text for code, text in look_alikes.items()}


_REPLACEMENTS: Final = _load_replacements()
_LOOK_ALIKE: Final = re.compile(f"[{re.escape(''.join(_REPLACEMENTS))}]")


def _count_utf16_units(body: str) -> int:
    return len(body.encode("utf-16-be", "surrogatepass")) // 2


def _gsm_parts(body: str) -> list[str]:
    septets = gsm7.with_escapes(body)
    cuts = _cuts(len(septets), _GSM_PART, lambda i: septets[i] == gsm7.ESCAPE)
    return [septets[start:end].replace(gsm7.ESCAPE, "") for start, end in pairwise(cuts)]


def _ucs2_parts(body: str) -> list[str]:
    data = body.encode("utf-16-be", "surrogatepass")
    cuts = _cuts(len(data) // 2, _UCS2_PART, lambda i: 0xD8 <= data[2 * i] <= 0xDB)
    return [data[2 * start : 2 * end].decode("utf-16-be", "surrogatepass") for start, end in pairwise(cuts)]


def _cuts(units: int, part: int, opens_pair: Callable[[int], bool]) -> list[int]:
    """Positions from 0 to ``units`` that bound parts of at most ``part`` units.

    A unit for which ``opens_pair`` holds stays with the unit after it.
    """
    cuts = [0]
    while units - cuts[-1] > part:
        end = cuts[-1] + part
        cuts.append(end - 1 if opens_pair(end - 1) else end)
    cuts.append(units)
    return cuts
