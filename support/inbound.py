"""The last handler of incoming texts: whatever nobody else claims is a conversation."""

from messaging.models import InboundMessage
from support.services import note_inbound

__all__ = ["take_reply"]


def take_reply(inbound: InboundMessage) -> bool:
    """Put the text into the person's conversation."""
    note_inbound(inbound=inbound)
    return True
