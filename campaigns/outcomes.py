"""What happened to recipients, in the few words that a campaign's page uses."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from django.db.models import Q, QuerySet

from campaigns.models import Campaign, CampaignRecipient
from messaging.models import Message

__all__ = ["OUTCOMES", "Outcome", "of_unplanned", "with_outcome"]

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


def of_unplanned(campaign: Campaign) -> str:
    """The outcome of recipients who have no message yet: they wait for one, or will get none."""
    return "stopped" if campaign.status == Campaign.Status.CANCELLED else "waiting"


def with_outcome(campaign: Campaign, outcome: str) -> QuerySet[CampaignRecipient]:
    """The recipients of a campaign with an outcome. An unknown word filters nothing."""
    rows = CampaignRecipient.objects.filter(campaign=campaign)
    if outcome not in OUTCOMES:
        return rows
    chosen = Q(message__status__in=OUTCOMES[outcome].statuses)
    return rows.filter(chosen | Q(message=None)) if outcome == of_unplanned(campaign) else rows.filter(chosen)
