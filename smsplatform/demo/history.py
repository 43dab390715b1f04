"""A month of history for a demo tenant: campaigns, booking texts, replies and opt-outs."""

import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.utils import timezone

from campaigns.inbound import note_answer
from campaigns.models import Campaign, CampaignRecipient
from common.bulk import insert_rows
from common.ids import uuid7
from common.lanes import MARKETING, TRANSACTIONAL
from consent.decision import ALLOW, BLOCK, RULES_VERSION
from consent.models import ConsentRecord, ConsentState
from consent.services import opt_out
from contacts.models import Contact
from messaging.models import Batch, InboundMessage, Message, Sender
from messaging.pipeline.spending import count_parts, first_of_month
from messaging.pipeline.transitions import recount
from messaging.text import measure
from support.models import Conversation
from support.services import note_inbound

__all__ = ["past_bookings", "past_campaign", "past_replies", "past_stop"]

_DELIVERED: Final = {"delivered": 93, "undelivered": 3, "sent": 3, "failed": 1}
_BOOKING: Final = (
    "Harbor Street Clinic: your visit on {day} at {hour}:{minute:02d} is booked. Questions? Call 202-555-0100."
)


@dataclass(frozen=True, slots=True)
class PastText:
    """One text of the past."""

    contact: Contact
    body: str
    status: str
    at: datetime
    rule: str = "all_rules_passed"


def past_campaign(
    *,
    name: str,
    body: str,
    at: datetime,
    audience: Sequence[Contact],
    agreed: Collection[str],
    stopped: Collection[str],
    sender: Sender,
    owner_id: UUID,
) -> Campaign:
    """A completed marketing campaign, with a reason for everybody who had not agreed or had stopped before."""
    dice = random.Random(name)  # noqa: S311
    campaign = Campaign.objects.create(
        name=name,
        body=body,
        sender=sender,
        status=Campaign.Status.COMPLETED,
        launched_at=at,
        planned_at=at + timedelta(seconds=5),
        finished_at=at + timedelta(minutes=4),
        audience_count=len(audience),
        created_by_id=owner_id,
        created_at=at - timedelta(hours=2),
    )
    texts = []
    for contact in audience:
        rule = "all_rules_passed" if contact.number in agreed else "person_agreed"
        rule = "number_is_not_suppressed" if contact.number in stopped else rule
        text = campaign.text.replace("{{ first_name | there }}", contact.first_name or "there")
        status = _status(dice) if rule == "all_rules_passed" else "blocked"
        texts.append(PastText(contact, text, status, at + timedelta(seconds=dice.uniform(1, 200)), rule))
    message_ids = _write(texts, MARKETING, "marketing", "campaign", campaign.id, sender, at)
    insert_rows(
        CampaignRecipient._meta.db_table,
        {
            "id": "uuid",
            "tenant_id": "uuid",
            "campaign_id": "uuid",
            "contact_id": "uuid",
            "number": "text",
            "message_id": "uuid",
        },
        [
            (uuid7(), campaign.tenant_id, campaign.id, text.contact.id, text.contact.number, message_id)
            for text, message_id in zip(texts, message_ids, strict=True)
        ],
    )
    return campaign


def past_bookings(*, day: datetime, contacts: Sequence[Contact], sender: Sender) -> None:
    """The booking confirmations of one day."""
    dice = random.Random(f"{day:%Y%m%d}")  # noqa: S311
    texts = [
        PastText(
            contact,
            _BOOKING.format(
                day=f"{day + timedelta(days=dice.randint(2, 12)):%B %d}",
                hour=dice.randint(8, 16),
                minute=dice.choice((0, 15, 30, 45)),
            ),
            _status(dice),
            day + timedelta(minutes=dice.uniform(0, 540)),
        )
        for contact in contacts
    ]
    _write(texts, TRANSACTIONAL, "transactional", "event", None, sender, day)


def past_replies(*, replies: Sequence[tuple[Contact, str, datetime]], sender: Sender, unread_since: datetime) -> None:
    """What people wrote, with their conversations; those after ``unread_since`` wait to be read."""
    for contact, body, at in replies:
        _receive(contact, body, at, sender)
    Conversation.objects.filter(last_at__lte=unread_since).update(unread_count=0)


def past_stop(*, contact: Contact, at: datetime, sender: Sender) -> None:
    """A person's STOP and what it ended."""
    inbound = _receive(contact, "STOP", at, sender, InboundMessage.Intent.OPT_OUT)
    opt_out(
        number=contact.number,
        source=ConsentRecord.Source.REPLY,
        wording="STOP",
        evidence={"inbound_message": str(inbound.id)},
        occurred_at=at,
    )


def _receive(
    contact: Contact, body: str, at: datetime, sender: Sender, intent: str = InboundMessage.Intent.OTHER
) -> InboundMessage:
    inbound = InboundMessage.objects.create(
        provider_account_id=sender.provider_account_id,
        provider_message_id=f"SIM{uuid7().hex}",
        sender=sender,
        number=contact.number,
        contact=contact,
        body=body,
        intent=intent,
        received_at=at,
        handled_at=at,
    )
    note_answer(inbound)
    note_inbound(inbound=inbound)
    return inbound


def _status(dice: random.Random) -> str:
    return dice.choices(list(_DELIVERED), weights=list(_DELIVERED.values()))[0]


def _write(
    texts: Sequence[PastText], lane: str, purpose: str, kind: str, cause_id: UUID | None, sender: Sender, at: datetime
) -> list[UUID]:
    batch = Batch.objects.create(
        lane=lane,
        purpose=purpose,
        state=Batch.State.DONE,
        cause_kind=kind,
        cause_id=cause_id,
        sender=sender,
        created_at=at,
        not_before=at,
    )
    agreed = ConsentState.objects.filter(purpose=purpose, act=ConsentRecord.Act.OPT_IN)
    records = dict(agreed.values_list("number", "record_id"))
    ids, rows = [], []
    for text in texts:
        measured = measure(text.body)
        blocked = text.status == Message.Status.BLOCKED
        decision: dict[str, object] = {
            "outcome": BLOCK if blocked else ALLOW,
            "rule": text.rule,
            "rules_version": RULES_VERSION,
        }
        if not blocked and text.contact.number in records:
            decision["data"] = {"record": str(records[text.contact.number])}
        ids.append(uuid7())
        rows.append(
            (
                ids[-1], batch.tenant_id, batch.id, text.contact.number, text.contact.id,
                None if blocked else sender.id, text.body, measured.encoding, measured.part_count, text.status,
                "30003" if text.status == "undelivered" else "", decision, text.at, text.at,
            )
        )  # fmt: skip
        batch.part_count += 0 if blocked else measured.part_count
    insert_rows(
        Message._meta.db_table,
        {
            "id": "uuid", "tenant_id": "uuid", "batch_id": "uuid", "number": "text", "contact_id": "uuid",
            "sender_id": "uuid", "body": "text", "encoding": "text", "part_count": "smallint", "status": "text",
            "error_code": "text", "decision": "jsonb", "created_at": "timestamptz", "status_at": "timestamptz",
        },
        rows,
    )  # fmt: skip
    batch.save(update_fields=["part_count"])
    recount([batch.id])
    if first_of_month(batch.tenant, at) == first_of_month(batch.tenant, timezone.now()):
        count_parts(batch.tenant, batch.id, batch.part_count)
    return ids
