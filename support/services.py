"""What can be done with conversations."""

from collections.abc import Mapping
from typing import Final, Literal
from uuid import UUID

from django.core.exceptions import ValidationError
from django.utils import timezone

from common.phone_numbers import NumberProblem, parse
from consent.models import ConsentRecord, Suppression
from consent.services import opt_out, settle_possible_opt_out
from contacts.models import Contact
from messaging.models import InboundMessage, Message
from messaging.services import send_reply
from support.assignment import assignable_members
from support.models import Conversation
from tenants.audit import record
from tenants.models import Membership, Tenant

__all__ = [
    "Review",
    "assign",
    "close",
    "mark_read",
    "note_inbound",
    "open_conversation",
    "reopen",
    "reply",
    "settle_review",
]

Review = Literal["opt_out", "wrong_number", "keep"]
"""What a text that may ask to stop turned out to be."""

_REASONS: Final[Mapping[str, str]] = {
    "opt_out": Suppression.Reason.OPTED_OUT,
    "wrong_number": Suppression.Reason.WRONG_NUMBER,
}


def note_inbound(*, inbound: InboundMessage) -> Conversation:
    """A person's text reaches their conversation; it opens again if it was closed.

    A keyword that was acted on needs nobody's attention, so it stays read.
    """
    settled = inbound.certain and inbound.intent != InboundMessage.Intent.OTHER
    conversation, _ = Conversation.objects.get_or_create(
        number=inbound.number, defaults={"contact_id": inbound.contact_id}
    )
    conversation.contact_id = inbound.contact_id
    conversation.preview = inbound.body[:120]
    conversation.last_at = inbound.received_at
    if not settled:
        conversation.unread_count += 1
        conversation.closed_at = None
    conversation.needs_review = conversation.needs_review or not inbound.certain
    conversation.save()
    return conversation


def open_conversation(*, tenant: Tenant, number: str) -> Conversation:
    """The conversation with a number, made if there is none yet."""
    try:
        e164 = parse(number, tenant.country).e164
    except NumberProblem as problem:
        raise ValidationError({"number": str(problem)}) from None
    contact = Contact.objects.by_number(e164).first()
    conversation, is_new = Conversation.objects.get_or_create(number=e164, defaults={"contact": contact})
    if is_new:
        record("conversation.opened", target=conversation, target_name="")
    return conversation


def reply(
    *, tenant: Tenant, conversation: Conversation, body: str, user_id: UUID, message_id: UUID | None = None
) -> Message:
    """Answer; the message says whether it may go and if not why."""
    message = send_reply(
        tenant=tenant,
        number=conversation.number,
        contact_id=conversation.contact_id,
        body=body,
        user_id=user_id,
        message_id=message_id,
    )
    Conversation.objects.filter(id=conversation.id).update(
        preview=message.body[:120], last_at=timezone.now(), unread_count=0
    )
    return message


def mark_read(*, conversation: Conversation) -> None:
    """Somebody has seen it."""
    Conversation.objects.filter(id=conversation.id, unread_count__gt=0).update(unread_count=0)


def settle_review(*, conversation: Conversation, decision: Review, user_id: UUID) -> None:
    """A person has decided about the newest text that may have been an opt-out; an opt-out holds at once.

    A wrong number is one too, with its own reason: whoever agreed does not have this number, so nobody there did.
    """
    if decision != "keep":
        text = InboundMessage.objects.filter(number=conversation.number, certain=False).order_by("-received_at").first()
        opt_out(
            number=conversation.number,
            source=ConsentRecord.Source.STAFF,
            wording=text.body if text else "",
            evidence={
                "recorded_on": "inbox",
                "decision": decision,
                **({"inbound": str(text.id)} if text else {}),
            },
            reason=_REASONS[decision],
            actor_id=user_id,
            about=conversation,
        )
    record("conversation.judged", target=conversation, target_name="", after={"decision": decision})
    settle_possible_opt_out(number=conversation.number)
    Conversation.objects.filter(id=conversation.id).update(needs_review=False)


def assign(*, conversation: Conversation, member: Membership | None) -> None:
    """Give a conversation to a member who may answer, or to nobody in particular. Raises ``ValidationError``."""
    if member is not None and not assignable_members().filter(id=member.id).exists():
        raise ValidationError("Choose a member who may answer conversations.")
    before = conversation.assigned_to.shown_name if conversation.assigned_to else None
    Conversation.objects.filter(id=conversation.id).update(assigned_to=member)
    record(
        "conversation.assigned",
        target=conversation,
        target_name="",
        before={"assigned_to": before},
        after={"assigned_to": member.shown_name if member else None},
    )


def close(*, conversation: Conversation) -> None:
    """Done with it, until the person writes again. A question whether they opted out stays open until it is decided."""
    Conversation.objects.filter(id=conversation.id).update(closed_at=timezone.now(), unread_count=0)
    record("conversation.closed", target=conversation, target_name="")


def reopen(*, conversation: Conversation) -> None:
    """Take it up again."""
    Conversation.objects.filter(id=conversation.id).update(closed_at=None)
    record("conversation.reopened", target=conversation, target_name="")
