"""Counting what people answer to a campaign."""

from datetime import timedelta
from typing import Final

from django.db.models import F

from campaigns.models import Campaign, CampaignRecipient
from messaging.models import InboundMessage

__all__ = ["note_answer"]

ANSWERS_WITHIN: Final = timedelta(days=7)
"""A text later than this is not taken as an answer to the campaign."""


def note_answer(inbound: InboundMessage) -> bool:
    """Note a reply or an opt-out with the newest campaign that reached the person; claims nothing."""
    recipient = (
        CampaignRecipient.objects.filter(
            number=inbound.number,
            campaign__launched_at__gt=inbound.received_at - ANSWERS_WITHIN,
            campaign__launched_at__lte=inbound.received_at,
            message__sender_id__isnull=False,
        )
        .order_by("-campaign__launched_at")
        .first()
    )
    if recipient is None:
        return False
    field, counter = "replied_at", "reply_count"
    if inbound.intent == InboundMessage.Intent.OPT_OUT and inbound.certain:
        field, counter = "opted_out_at", "opt_out_count"
    first = CampaignRecipient.objects.filter(id=recipient.id, **{field: None}).update(**{field: inbound.received_at})
    if first:
        Campaign.objects.filter(id=recipient.campaign_id).update(**{counter: F(counter) + 1})
    return False
