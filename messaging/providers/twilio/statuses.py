"""Twilio's words for the state of a message, and ours."""

from collections.abc import Mapping
from typing import Final

__all__ = ["status_of"]

_STATUS_WORDS: Final[Mapping[str, str]] = {
    "accepted": "accepted",
    "scheduled": "accepted",
    "queued": "accepted",
    "sending": "accepted",
    "sent": "sent",
    "delivered": "delivered",
    "read": "delivered",
    "undelivered": "undelivered",
    "failed": "failed",
    "canceled": "failed",
}


def status_of(word: str) -> str:
    """Our status for Twilio's word; empty for one that is not known."""
    return _STATUS_WORDS.get(word, "")
