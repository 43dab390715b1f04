"""What happened to recipients, in the few words that a campaign's page uses."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from django.db.models import Q, QuerySet

from campaigns.models import CampaignRecipient
from messaging.models import Message

__all__ = ["OUTCOMES", "Outcome", "with_outcome"]

_Status = Message.Status


@dataclass(frozen=True, slots=True)
class Outcome:
    """A word for several statuses of a message."""

    label: str
    statuses: tuple[str, ...]


OUTCOMES: Final[Mapping[str, Outcome]] = {
    "delivered": Outcome("Delivered", (_Status.DELIVERED,)),
    "on_the_way": Outcome("On the way", (_Status.ACCEPTED, _Status.SENT, _Status.UNKNOWN)),
    "waiting": Outcome("Waiting", (_Status.QUEUED, _Status.DEFERRED, _Status.SUBMITTING)),
    "blocked": Outcome("Blocked", (_Status.BLOCKED,)),
    "not_delivered": Outcome("Did not arrive", (_Status.UNDELIVERED, _Status.FAILED)),
    "unconfirmed": Outcome("Never confirmed", (_Status.UNCONFIRMED,)),
    "stopped": Outcome("Stopped", (_Status.CANCELLED, _Status.EXPIRED)),
}
"""Every status of a message belongs to exactly one."""


def with_outcome(rows: QuerySet[CampaignRecipient], outcome: str) -> QuerySet[CampaignRecipient]:
    """The recipients with an outcome; a recipient without a message waits for one. An unknown word filters nothing."""
    if outcome not in OUTCOMES:
        return rows
    chosen = Q(message__status__in=OUTCOMES[outcome].statuses)
    return rows.filter(chosen | Q(message=None)) if outcome == "waiting" else rows.filter(chosen)
