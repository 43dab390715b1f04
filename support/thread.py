"""The texts of one conversation: messages, inbound messages and consent acts of a number, in the order of time."""

from dataclasses import dataclass
from datetime import datetime
from heapq import merge
from itertools import islice
from typing import Final
from uuid import UUID

from messaging.models import InboundMessage, Message
from messaging.reasons import reason_of
from messaging.stored_decision import StoredDecision, stored_decision

__all__ = ["ThreadItem", "thread"]

SHOWN: Final = 80


@dataclass(frozen=True, slots=True)
class ThreadItem:
    """One text in a thread."""

    id: UUID
    outgoing: bool
    body: str
    at: datetime
    status: str = ""
    written_by: str = ""
    reason: str = ""
    """Why it was not sent or did not arrive, in words."""
    decision: StoredDecision | None = None
    """What the gate decided about a text that was sent, or was to be."""
    intent: str = ""
    certain: bool = True
    media_count: int = 0


def thread(number: str, *, limit: int = SHOWN) -> list[ThreadItem]:
    """The newest texts with a number, oldest first."""
    sent = Message.objects.filter(number=number).select_related("written_by").order_by("-created_at")[:limit]
    received = InboundMessage.objects.filter(number=number).order_by("-received_at")[:limit]
    newest = merge(map(_sent, sent), map(_received, received), key=lambda item: item.at, reverse=True)
    return list(islice(newest, limit))[::-1]


def _sent(message: Message) -> ThreadItem:
    return ThreadItem(
        id=message.id,
        outgoing=True,
        body=message.body,
        at=message.created_at,
        status=message.status,
        written_by=str(message.written_by) if message.written_by else "",
        reason=reason_of(message),
        decision=stored_decision(message.decision),
    )


def _received(inbound: InboundMessage) -> ThreadItem:
    return ThreadItem(
        id=inbound.id,
        outgoing=False,
        body=inbound.body,
        at=inbound.received_at,
        intent=inbound.intent,
        certain=inbound.certain,
        media_count=inbound.media_count,
    )
