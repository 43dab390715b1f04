"""Whom people may ask for help: a phone number, an e-mail address or a website, alone or in a sentence.

The answer to HELP must name one (CTIA short code handbook).
"""

from collections.abc import Callable
from typing import Final

import phonenumbers
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator, validate_email

__all__ = ["check_help_contact"]

_MARKS: Final = ".,;:!?()<>\"'"


def check_help_contact(text: str, country: str) -> None:
    """Raise ``ValidationError`` unless the text names a way to reach the business."""
    words = [word.strip(_MARKS) for word in text.split()]
    if any(map(_is_email, words)) or any(map(_is_website, words)) or _has_number(text, country):
        return
    raise ValidationError("Give a phone number, an e-mail address or a website that begins with https://.")


def _is_email(word: str) -> bool:
    return "@" in word and _passes(validate_email, word)


def _is_website(word: str) -> bool:
    return _passes(URLValidator(schemes=["http", "https"]), word)


def _has_number(text: str, country: str) -> bool:
    return phonenumbers.PhoneNumberMatcher(text, country).has_next()


def _passes(check: Callable[[str], None], word: str) -> bool:
    try:
        check(word)
    except ValidationError:
        return False
    return True
