"""From a launched campaign to messages: the audience is frozen, then planned in pages of one batch for each sender.

Each page is one transaction, and a recipient who has a message is not planned again: a worker that takes over after
a crash goes on where the other one stopped, and nobody gets two. After a cancellation the recipients that are left
get a message that is cancelled: for each of them it stands there why nothing came.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import connection
from django.db.models.functions import Now
from django.utils import timezone

from campaigns import locks
from campaigns.models import Campaign, CampaignRecipient
from campaigns.pacing import batches_at_once, due_at, page_size
from campaigns.recipients import freeze
from campaigns.shares import Share, route_of, shares
from common.bulk import json_rows
from common.failpoints import failpoint
from common.lanes import MARKETING, TRANSACTIONAL
from common.planner import refresh_statistics
from common.retries import log_failure
from consent.decision import BLOCK, DEFER, EMERGENCY
from consent.preferences import TAG as PREFERENCES_LINK
from consent.preferences import keep_links, link_of
from consent.purposes import Purpose
from contacts.merge_values import MergeValues
from contacts.models import Contact, ContactTag, ListMember
from messaging.first_texts import newcomers
from messaging.merge_tags import Rendered, compile_template, names
from messaging.models import Batch, Message
from messaging.pipeline.deferral import wake_at
from messaging.pipeline.enqueue import MAX_BATCH, Cause, Draft, enqueue
from messaging.pipeline.gate import Candidate, Circumstances, decide_all
from messaging.pipeline.route import Route
from messaging.pipeline.transitions import Change, apply_changes
from messaging.services import wake
from tenants.scope import current_tenant_id, tenant_scope

__all__ = ["merge_values", "plan_campaign", "take_turn"]

TURN_SECONDS: Final = 10.0
"""How long one hint keeps a worker busy with a campaign; then other work has its turn."""
FIRST_PAUSE: Final = timedelta(seconds=5)
LONGEST_PAUSE: Final = timedelta(minutes=5)

_LANES: Final[Mapping[str, str]] = {Purpose.MARKETING: MARKETING, Purpose.TRANSACTIONAL: TRANSACTIONAL}


@dataclass(frozen=True, slots=True)
class _Recipient:
    id: UUID
    number: str
    contact: Contact | None
    merged: bool = False
    """The contact was merged into one that is a recipient, too."""


def take_turn(tenant_id: UUID, campaign_id: UUID) -> bool:
    """Plan for a while; True when there is more to do. When it fails, the campaign's page says so until it works."""
    try:
        return plan_campaign(tenant_id, campaign_id, seconds=TURN_SECONDS)
    except Exception as error:  # noqa: BLE001 - whatever it is, staff must see that nothing moves
        log_failure(f"Campaign {campaign_id} could not be planned", error)
    with tenant_scope(tenant_id):
        _note_failure(campaign_id)
    return False


def plan_campaign(tenant_id: UUID, campaign_id: UUID, *, seconds: float = float("inf")) -> bool:
    """Freeze the audience and give every recipient a message; True when the time was up before the end.

    Stops when the campaign is paused, and does nothing while another worker is at it.
    """
    until = time.monotonic() + seconds
    if not _freeze(tenant_id, campaign_id):
        return False
    more = True
    while more and time.monotonic() < until:
        with tenant_scope(tenant_id, durable=True):
            more = _plan_next_page(campaign_id)
        failpoint("between_pages")
    refresh_statistics(CampaignRecipient, Message)
    return more


def merge_values(of: MergeValues, campaign: Campaign, contact: Contact | None) -> dict[str, str]:
    """What the merge tags of a campaign can use for a person."""
    values = of.values(contact) if contact else {}
    link = {PREFERENCES_LINK: link_of(contact.number)} if contact and PREFERENCES_LINK in campaign.text else {}
    return {**values, **link, "brand": campaign.tenant.brand_name}


def _to_plan(campaign_id: UUID, *, held: bool = False) -> Campaign | None:
    """The campaign, if it is to be planned and no other worker is at it: this one is until its transaction ends.

    ``held``: pausing and cancelling wait for that too, so that what is written is true to the status that is read.
    """
    if not locks.become_planner(campaign_id):
        return None
    if held:
        locks.hold(campaign_id)
    return Campaign.objects.select_related("tenant", "sender").filter(Campaign.TO_PLAN, id=campaign_id).first()


def _freeze(tenant_id: UUID, campaign_id: UUID) -> bool:
    """Write the audience down; False when there is nothing to plan for this worker."""
    with tenant_scope(tenant_id, durable=True):
        campaign = _to_plan(campaign_id)
    if campaign is None or campaign.audience_count:
        return campaign is not None
    # Before a new list has been analysed, its members would be looked for one by one.
    refresh_statistics(Contact, ListMember, ContactTag)
    with tenant_scope(tenant_id, durable=True):
        campaign = _to_plan(campaign_id)
        if campaign is None:
            return False
        if not campaign.audience_count:
            Campaign.objects.filter(id=campaign_id).update(audience_count=freeze(campaign))
    failpoint("after_freeze")
    refresh_statistics(CampaignRecipient)
    return True


def _plan_next_page(campaign_id: UUID) -> bool:
    """Give some recipients a message; False when nothing is left, or not for this worker."""
    campaign = _to_plan(campaign_id, held=True)
    if campaign is None:
        return False
    route = route_of(campaign)
    page = _next_page(campaign_id, min(MAX_BATCH, page_size(campaign)) * batches_at_once(campaign, route.usable))
    if page:
        _plan_page(campaign, route, page)
    else:
        campaign.planned_at = timezone.now()
        if campaign.status == Campaign.Status.LAUNCHING:
            campaign.status = Campaign.Status.SENDING
    if campaign.plan_failures or not page:
        campaign.plan_failures, campaign.plan_again_at = 0, None
        campaign.save(update_fields=["status", "planned_at", "plan_failures", "plan_again_at"])
    return bool(page)


def _note_failure(campaign_id: UUID) -> None:
    """Count a failure, and wait longer after each one."""
    rows = Campaign.objects.select_for_update(no_key=True)
    campaign = rows.filter(Campaign.TO_PLAN, id=campaign_id).first()
    if campaign is not None:
        wait = min(FIRST_PAUSE * 2 ** min(campaign.plan_failures, 10), LONGEST_PAUSE)
        campaign.plan_failures = min(campaign.plan_failures + 1, 1_000)
        campaign.plan_again_at = Now() + wait
        campaign.save(update_fields=["plan_failures", "plan_again_at"])


def _next_page(campaign_id: UUID, size: int) -> list[_Recipient]:
    rows = list(
        CampaignRecipient.objects.filter(campaign_id=campaign_id, message=None)
        .order_by("id")
        .values_list("id", "number", "contact_id")[:size]
    )
    wanted = [contact_id for _, _, contact_id in rows if contact_id]
    contacts = {contact.id: contact for contact in Contact.objects.filter(id__among=wanted)}
    gone = [contact_id for _, _, contact_id in rows if contact_id and contact_id not in contacts]
    merged = set(Contact.with_erased.filter(id__in=gone).exclude(merged_into=None).values_list("id", flat=True))
    return [
        _Recipient(row_id, number, contacts.get(contact_id), contact_id in merged)
        for row_id, number, contact_id in rows
    ]


def _plan_page(campaign: Campaign, route: Route, page: Sequence[_Recipient]) -> None:
    rendered = _texts(campaign, page)
    if PREFERENCES_LINK in names(campaign.text):
        keep_links([recipient.contact.number for recipient in page if recipient.contact])
    is_cancelled = campaign.status == Campaign.Status.CANCELLED
    drafts = _none_may_go(campaign, page, rendered) if is_cancelled else _decide(campaign, route, page, rendered)
    not_before = due_at(campaign)
    batch_ids = [_enqueue(campaign, share, not_before) for share in shares(campaign, route, drafts)]
    failpoint("page_half_planned")
    message_ids = [draft.id for draft in drafts]
    _link(current_tenant_id(), page, message_ids)
    if is_cancelled:
        Batch.objects.filter(id__in=batch_ids).update(state=Batch.State.CANCELLED)
        changes = [Change(message_id, Message.Status.CANCELLED) for message_id in message_ids]
        apply_changes(changes, batch_ids=batch_ids)
    else:
        wake(_LANES[campaign.purpose])


def _texts(campaign: Campaign, page: Sequence[_Recipient]) -> list[Rendered]:
    """What each of them gets; whoever never got a text of the tenant is told who it is from and how to end it."""
    template, first = compile_template(campaign.text), compile_template(campaign.first_text)
    new = newcomers([recipient.number for recipient in page]) if campaign.first_text != campaign.text else frozenset()
    of = MergeValues.of(campaign.tenant)
    return [
        (first if recipient.number in new else template).render(merge_values(of, campaign, recipient.contact))
        for recipient in page
    ]


def _enqueue(campaign: Campaign, share: Share, not_before: datetime | None) -> UUID:
    cause = Cause(
        kind="campaign",
        id=campaign.id,
        lane=_LANES[campaign.purpose],
        purpose=campaign.purpose,
        sender_id=share.sender_id,
        pool_id=share.pool_id,
        exemption=_exemption(campaign),
        not_before=_later(not_before, share.until),
        due_from=share.until,
    )
    batch, _ = enqueue(share.drafts, cause)
    return batch.id


def _exemption(campaign: Campaign) -> str:
    return EMERGENCY if campaign.emergency_reason else ""


def _later(not_before: datetime | None, until: datetime | None) -> datetime | None:
    """When a batch is due: by the campaign's own pace, and not before its people wake up."""
    due = wake_at(until) if until else None
    return max(not_before, due) if not_before and due else not_before or due


def _none_may_go(campaign: Campaign, page: Sequence[_Recipient], rendered: Sequence[Rendered]) -> list[Draft]:
    """What they would have got. The gate is not asked: the cancellation is the reason, whatever it would say."""
    cancelled_at = campaign.finished_at.isoformat() if campaign.finished_at else ""
    decision = {"outcome": BLOCK, "rule": "campaign_is_not_cancelled", "data": {"cancelled_at": cancelled_at}}
    return [
        Draft(recipient.number, text.text, recipient.contact.id if recipient.contact else None, decision=decision)
        for recipient, text in zip(page, rendered, strict=True)
    ]


def _decide(campaign: Campaign, route: Route, page: Sequence[_Recipient], rendered: Sequence[Rendered]) -> list[Draft]:
    repeated = _numbers_planned(campaign.id, [recipient.number for recipient in page])
    candidates = []
    for recipient, text in zip(page, rendered, strict=True):
        candidates.append(
            Candidate(
                recipient.number,
                body=text.text,
                missing_values=() if recipient.merged else text.missing,
                already_in_cause=recipient.number in repeated or recipient.merged,
                person_erased=recipient.contact is None and not recipient.merged,
            )
        )
        repeated.add(recipient.number)
    circumstances = Circumstances(
        tenant=campaign.tenant,
        purpose=campaign.purpose,
        sender_problem=route.sender_problem,
        registration_problem=route.registration_problem,
        by_name=route.is_one_way,
        exemption=_exemption(campaign),
        cause_id=campaign.id,
    )
    decisions = decide_all(candidates, circumstances)
    return [
        Draft(
            number=recipient.number,
            body=text.text,
            contact_id=recipient.contact.id if recipient.contact else None,
            blocked=decision.outcome == BLOCK,
            deferred_until=decision.until if decision.outcome == DEFER else None,
            decision=decision.as_json(),
        )
        for recipient, text, decision in zip(page, rendered, decisions, strict=True)
    ]


def _numbers_planned(campaign_id: UUID, numbers: Sequence[str]) -> set[str]:
    """The numbers that got a message of this campaign on an earlier page."""
    planned = CampaignRecipient.objects.filter(campaign_id=campaign_id, number__among=numbers, message__isnull=False)
    return set(planned.values_list("number", flat=True))


def _link(tenant_id: UUID, page: Sequence[_Recipient], message_ids: Sequence[UUID]) -> None:
    rows = [(tenant_id, recipient.id, message_id) for recipient, message_id in zip(page, message_ids, strict=True)]
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE campaigns_campaignrecipient r SET message_id = p.message_id "
            "FROM json_to_recordset(%s) AS p(tenant_id uuid, id uuid, message_id uuid) WHERE r.tenant_id = p.tenant_id AND r.id = p.id",
            [json_rows(["tenant_id", "id", "message_id"], rows)],
        )
