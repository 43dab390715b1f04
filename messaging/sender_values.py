"""What may be a sender: a number, a short code, a messaging service, or a name."""

import re
from typing import Final

from django.core.exceptions import ValidationError

from common.phone_numbers import NumberProblem, is_e164, parse
from messaging.models import ProviderAccount, Sender
from messaging.providers.twilio.sids import is_service

__all__ = ["can_be_answered", "checked_value", "is_short_code", "may_be_number"]

_NAME: Final = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9][A-Za-z0-9 &+_-]{1,9}[A-Za-z0-9]", re.ASCII)
_NO_NAME: Final = (
    "A name has 3 to 11 letters without accents, digits or blanks, one letter at least, such as HarborCln."
)
_NO_SERVICE: Final = "A messaging service's SID is MG and 32 digits or letters a to f."


def is_short_code(value: str) -> bool:
    """Whether it could be a short code."""
    return value.isascii() and value.isdigit() and 3 <= len(value) <= 8


def may_be_number(value: str) -> bool:
    """Whether a text can come from it or go to it."""
    return is_short_code(value) or is_e164(value)


def can_be_answered(value: str) -> bool:
    """Whether a phone can reply to it: to anything but a name."""
    return may_be_number(value) or is_service(value)


def checked_value(typed: str, *, kind: str, account: ProviderAccount, country: str) -> str:
    """What is stored for what was typed; raises ``ValidationError``."""
    value = typed.strip()
    if kind == Sender.Kind.SERVICE:
        return _service(value, account)
    if kind == Sender.Kind.NAME:
        return _name(value, account)
    if kind == Sender.Kind.SHORT_CODE:
        if not is_short_code(value):
            raise ValidationError({"value": "A short code has 3 to 8 digits."})
        return value
    try:
        return parse(value, country).e164
    except NumberProblem as problem:
        raise ValidationError({"value": str(problem)}) from None


def _service(value: str, account: ProviderAccount) -> str:
    if account.kind != ProviderAccount.Kind.TWILIO:
        raise ValidationError({"kind": "Only accounts at Twilio have messaging services."})
    if not is_service(value):
        raise ValidationError({"value": _NO_SERVICE})
    return value


def _name(value: str, account: ProviderAccount) -> str:
    if account.kind == ProviderAccount.Kind.TELNYX:
        raise ValidationError({"kind": "Texts from a name go by accounts at Twilio only."})
    if not _NAME.fullmatch(value):
        raise ValidationError({"value": _NO_NAME})
    return value
