"""A month of history for a demo tenant: campaigns, booking texts, replies and opt-outs, written set-based."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from campaigns.models import Campaign, CampaignRecipient
from common.bulk import insert_rows
from common.ids import uuid7
from common.lanes import MARKETING, TRANSACTIONAL
from consent.gate import ALLOW, BLOCK, RULES_VERSION
from contacts.models import Contact
from messaging.models import Batch, InboundMessage, Message, Sender
from messaging.pipeline.transitions import recount
from messaging.text import measure
from support.models import Conversation

__all__ = ["past_bookings", "past_campaign", "past_replies"]

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
    *, name: str, body: str, at: datetime, audience: Sequence[Contact], agreed: set[str], sender: Sender, owner_id: UUID
) -> Campaign:
    """A completed marketing campaign, with a reason for everybody who had not agreed."""
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
    texts = [
        PastText(
            contact,
            campaign.text.replace("{{ first_name | there }}", contact.first_name or "there"),
            _status(dice) if contact.number in agreed else "blocked",
            at + timedelta(seconds=dice.uniform(1, 200)),
            "all_rules_passed" if contact.number in agreed else "person_agreed",
        )
        for contact in audience
    ]
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
        InboundMessage.objects.create(
            provider_account_id=sender.provider_account_id,
            provider_message_id=f"SIM{uuid7().hex}",
            sender=sender,
            number=contact.number,
            contact=contact,
            body=body,
            received_at=at,
            handled_at=at,
        )
        unread = 1 if at > unread_since else 0
        conversation, _ = Conversation.objects.get_or_create(number=contact.number, defaults={"contact": contact})
        conversation.preview, conversation.last_at = body[:120], at
        conversation.unread_count += unread
        conversation.save()


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
    ids, rows = [], []
    for text in texts:
        measured = measure(text.body)
        blocked = text.status == Message.Status.BLOCKED
        decision = {"outcome": BLOCK if blocked else ALLOW, "rule": text.rule, "rules_version": RULES_VERSION}
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
    return ids
