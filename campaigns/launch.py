"""From a launched campaign to messages: the audience is frozen, then planned in pages of one batch each.

Each page is one transaction, and a recipient who has a message is not planned again: a worker that takes over after
a crash goes on where the other one stopped, and nobody gets two.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db import connection
from django.utils import timezone

from campaigns.models import Campaign, CampaignRecipient
from campaigns.recipients import freeze
from common.bulk import json_rows
from common.lanes import MARKETING, TRANSACTIONAL
from common.planner import refresh_statistics
from consent.gate import ALLOW
from consent.purposes import Purpose
from contacts.models import Contact
from messaging.merge_tags import Rendered, Template, compile_template
from messaging.models import Message
from messaging.pipeline.enqueue import MAX_BATCH, Cause, Draft, enqueue
from messaging.pipeline.gate import Candidate, Circumstances, decide_all
from messaging.pipeline.route import choose
from messaging.services import wake
from tenants.scope import current_tenant_id, tenant_scope

__all__ = ["merge_values", "plan_campaign"]

_LANES: Final[Mapping[str, str]] = {Purpose.MARKETING: MARKETING, Purpose.TRANSACTIONAL: TRANSACTIONAL}


@dataclass(frozen=True, slots=True)
class _Recipient:
    id: UUID
    number: str
    contact: Contact | None


def plan_campaign(tenant_id: UUID, campaign_id: UUID) -> None:
    """Freeze the audience and give every recipient a message or a reason. Stops when the campaign is paused."""
    with tenant_scope(tenant_id, durable=True):
        campaign = _locked(campaign_id)
        if campaign is None:
            return
        if not campaign.audience_count:
            campaign.audience_count = freeze(campaign)
            campaign.save(update_fields=["audience_count"])
    template = compile_template(campaign.text)
    while True:
        with tenant_scope(tenant_id, durable=True):
            campaign = _locked(campaign_id)
            if campaign is None:
                return
            page = _next_page(campaign_id)
            if not page:
                _planned(campaign)
                break
            _plan_page(campaign, template, page)
    refresh_statistics(CampaignRecipient, Message)


def merge_values(campaign: Campaign, contact: Contact | None) -> dict[str, str]:
    """What the merge tags of a campaign can use for a person."""
    values = contact.merge_values() if contact else {}
    return {**values, "brand": campaign.tenant.brand_name}


def _locked(campaign_id: UUID) -> Campaign | None:
    """The campaign, if it is still to be planned; locked, so that one worker plans at a time."""
    return (
        Campaign.objects.select_for_update(of=("self",))
        .select_related("tenant")
        .filter(id=campaign_id, status=Campaign.Status.LAUNCHING)
        .first()
    )


def _next_page(campaign_id: UUID) -> list[_Recipient]:
    rows = list(
        CampaignRecipient.objects.filter(campaign_id=campaign_id, message=None)
        .order_by("id")
        .values_list("id", "number", "contact_id")[:MAX_BATCH]
    )
    contacts = Contact.objects.in_bulk([contact_id for _, _, contact_id in rows if contact_id])
    return [_Recipient(row_id, number, contacts.get(contact_id)) for row_id, number, contact_id in rows]


def _plan_page(campaign: Campaign, template: Template, page: Sequence[_Recipient]) -> None:
    rendered = [template.render(merge_values(campaign, recipient.contact)) for recipient in page]
    drafts = _decide(campaign, page, rendered)
    cause = Cause(
        kind="campaign",
        id=campaign.id,
        lane=_LANES[campaign.purpose],
        purpose=campaign.purpose,
        sender_id=campaign.sender_id,
    )
    _, message_ids = enqueue(drafts, cause)
    _link(current_tenant_id(), page, message_ids)
    wake(cause.lane)


def _decide(campaign: Campaign, page: Sequence[_Recipient], rendered: Sequence[Rendered]) -> list[Draft]:
    repeated = _numbers_planned(campaign.id, [recipient.number for recipient in page])
    candidates = []
    for recipient, text in zip(page, rendered, strict=True):
        candidates.append(Candidate(recipient.number, text.missing, recipient.number in repeated))
        repeated.add(recipient.number)
    circumstances = Circumstances(
        tenant=campaign.tenant, purpose=campaign.purpose, sender_problem=choose(campaign.sender_id).problem
    )
    decisions = decide_all(candidates, circumstances)
    return [
        Draft(
            number=recipient.number,
            body=text.text,
            contact_id=recipient.contact.id if recipient.contact else None,
            blocked=decision.outcome != ALLOW,
            decision=decision.as_json(),
        )
        for recipient, text, decision in zip(page, rendered, decisions, strict=True)
    ]


def _numbers_planned(campaign_id: UUID, numbers: Sequence[str]) -> set[str]:
    """The numbers that got a message of this campaign on an earlier page."""
    planned = CampaignRecipient.objects.filter(campaign_id=campaign_id, number__in=numbers, message__isnull=False)
    return set(planned.values_list("number", flat=True))


def _link(tenant_id: UUID, page: Sequence[_Recipient], message_ids: Sequence[UUID]) -> None:
    rows = [(tenant_id, recipient.id, message_id) for recipient, message_id in zip(page, message_ids, strict=True)]
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE campaigns_campaignrecipient r SET message_id = p.message_id "
            "FROM json_to_recordset(%s) AS p(tenant_id uuid, id uuid, message_id uuid) WHERE r.tenant_id = p.tenant_id AND r.id = p.id",
            [json_rows(["tenant_id", "id", "message_id"], rows)],
        )


def _planned(campaign: Campaign) -> None:
    campaign.status = Campaign.Status.SENDING
    campaign.planned_at = timezone.now()
    campaign.save(update_fields=["status", "planned_at"])
