"""What carriers filter in a text: links of public shorteners are kept back, words of sensitive content are warned about."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

__all__ = ["Sensitive", "text_problem", "warnings_about"]

_DATA: Final[Mapping[str, Any]] = json.loads(
    Path(__file__).with_name("data").joinpath("content.json").read_text(encoding="utf-8")
)
_SHORTENERS: Final = re.compile(
    # Not "mybit.ly/x", which is somebody's own domain, nor "bit.ly.example.com/x".
    rf"(?<![\w.-])(?:www\.)?({'|'.join(re.escape(host) for host in _DATA['shorteners'])})\.?(?::\d+)?/[\w%~-]",
    re.IGNORECASE,
)
_SENSITIVE: Final = {
    kind: re.compile(rf"(?<![\w])(?:{'|'.join(re.escape(word) for word in row['words'])})(?![\w])", re.IGNORECASE)
    for kind, row in _DATA["sensitive"].items()
}


@dataclass(frozen=True, slots=True)
class Sensitive:
    """A word that makes carriers look twice. ``never``: they allow such content from nobody."""

    kind: str
    word: str
    never: bool


def text_problem(text: str) -> str:
    """Why carriers will not let a text through; empty if nothing is certain to keep it back."""
    if "/" not in text:
        return ""
    found = _SHORTENERS.search(text)
    return (
        f"Carriers block links of public shorteners such as {found[1].lower()}; write the whole address"
        if found
        else ""
    )


def warnings_about(text: str) -> list[Sensitive]:
    """Words of kinds of content that carriers forbid, or allow only to adults who proved their age."""
    found = ((kind, pattern.search(text)) for kind, pattern in _SENSITIVE.items())
    return [Sensitive(kind, match[0], _DATA["sensitive"][kind]["never"]) for kind, match in found if match]
