"""What somebody typed into a search box."""

import re
from typing import Final

from django.http import HttpRequest

__all__ = ["number_digits", "search_text", "searched_text"]

_MAX_LENGTH: Final = 80
_BETWEEN_DIGITS: Final = re.compile(r"[\s().+-]")


def search_text(request: HttpRequest, name: str = "q") -> str:
    """What was typed into the box, see ``searched_text``."""
    return searched_text(request.GET.get(name, ""))


def searched_text(typed: str) -> str:
    """The text without outer blanks, cut to what could match; no NUL, which PostgreSQL refuses in any text."""
    return typed.replace("\x00", "").strip()[:_MAX_LENGTH]


def number_digits(text: str) -> str:
    """The digits of what looks like a number or a part of one, such as (202) 555; empty for anything else."""
    digits = _BETWEEN_DIGITS.sub("", text)
    return "".join(str(int(digit)) for digit in digits) if digits.isdecimal() else ""
