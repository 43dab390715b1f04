"""Telnyx's words for the state of a message, and ours."""

from collections.abc import Mapping
from typing import Final

__all__ = ["status_of"]

_STATUS_WORDS: Final[Mapping[str, str]] = {
    "scheduled": "accepted",
    "queued": "accepted",
    "sending": "accepted",
    "sent": "sent",
    # Final at Telnyx: no carrier will tell more. It went out, and that is all that is known.
    "delivery_unconfirmed": "sent",
    "delivered": "delivered",
    "delivery_failed": "undelivered",
    "expired": "undelivered",
    "sending_failed": "failed",
    "cancelled": "failed",
}
"""``to[].status`` as listed in the API's schema (types ``outbound_message_payload`` and
``message_cancel_scheduled_response`` of team-telnyx/telnyx-python)."""


def status_of(word: str) -> str:
    """Our status for Telnyx's word; empty for one that is not known."""
    return _STATUS_WORDS.get(word, "")
