"""Twilio's ids: two letters that say of what, and 32 digits of a UUID."""

import re
from typing import Final

__all__ = ["is_account", "is_api_key", "is_message", "is_service"]

_ACCOUNT: Final = re.compile(r"AC[0-9a-fA-F]{32}")
_API_KEY: Final = re.compile(r"SK[0-9a-fA-F]{32}")
_SERVICE: Final = re.compile(r"MG[0-9a-fA-F]{32}")
_MESSAGE: Final = re.compile(r"(?:SM|MM)[0-9A-Za-z]{32}")
"""Its length is what makes a repeated callback recognisable: the signature runs names and values together, so an old
request could be cut anew ("SM...NumMedia0" with NumMedia left out) and would pass for another text."""


def is_account(sid: str) -> bool:
    """Whether it is an account's."""
    return bool(_ACCOUNT.fullmatch(sid))


def is_api_key(sid: str) -> bool:
    """Whether it is an API key's."""
    return bool(_API_KEY.fullmatch(sid))


def is_service(sid: str) -> bool:
    """Whether it is a messaging service's."""
    return bool(_SERVICE.fullmatch(sid))


def is_message(sid: str) -> bool:
    """Whether it is a message's."""
    return bool(_MESSAGE.fullmatch(sid))
