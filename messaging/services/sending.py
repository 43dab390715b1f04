"""Sending one text, and holding or cancelling many."""

from typing import Final
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Q

from common.ids import uuid7
from common.lanes import CONVERSATION
from consent.decision import BLOCK, Decision
from consent.preferences import TAG as PREFERENCES_LINK
from consent.preferences import keep_links, link_of
from consent.purposes import Purpose
from messaging.first_texts import as_first, newcomers
from messaging.footers import final_text
from messaging.merge_tags import compile_template, names
from messaging.models import Batch, InboundMessage, Message
from messaging.pipeline.enqueue import Cause, Draft, enqueue
from messaging.pipeline.gate import Candidate, Circumstances, decide_all
from messaging.pipeline.route import choose
from messaging.pipeline.transitions import Change, apply_changes, lock_batches
from messaging.services.waking import wake
from tenants.models import Tenant

__all__ = ["MAX_BODY", "cancel_batches", "hold_batches", "send_reply", "why_or_why_not"]

MAX_BODY: Final = 1600
"""Twilio refuses longer texts (21617)."""


def send_reply(
    *,
    tenant: Tenant,
    number: str,
    contact_id: UUID | None,
    body: str,
    user_id: UUID,
    message_id: UUID | None = None,
) -> Message:
    """Answer a person in their conversation, from the number they wrote to last.

    The message is recorded either way; when the gate refuses it, its status is "blocked" and its decision says why.
    ``message_id`` is the id that the message gets: the form brings it along, so that one that is sent twice (a double
    click, a reload) is one message.
    """
    text = body.strip()
    if not text:
        raise ValidationError({"body": "Write something first."})
    if names(text):
        raise ValidationError(
            {"body": "A reply goes out as it is written: put the person's name in place of {{ ... }}."}
        )
    last = InboundMessage.objects.filter(number=number).order_by("-received_at").first()
    text = _as_sent(text, tenant, number, last)
    if len(text) > MAX_BODY:
        raise ValidationError({"body": f"A text can have at most {MAX_BODY} characters; this one has {len(text)}."})
    cause = Cause(kind="reply", lane=CONVERSATION, purpose=Purpose.SUPPORT, sender_id=last.sender_id if last else None)
    decision = why_or_why_not(
        tenant=tenant, number=number, purpose=Purpose.SUPPORT, sender_id=cause.sender_id, body=text
    )
    draft = Draft(
        number=number,
        contact_id=contact_id,
        body=text,
        blocked=decision.outcome == BLOCK,
        decision=decision.as_json(),
        written_by_id=user_id,
        id=message_id or uuid7(),
    )
    try:
        with transaction.atomic():
            enqueue([draft], cause)
    except IntegrityError:
        known = Message.objects.filter(id=draft.id, number=number, written_by_id=user_id).first()
        if known is None:
            raise ValidationError(
                {"body": "This could not be sent. Load the page again and send it once more."}
            ) from None
        return known
    wake(CONVERSATION)
    return Message.objects.get(id=draft.id)


def _as_sent(text: str, tenant: Tenant, number: str, last: InboundMessage | None) -> str:
    """What somebody wrote, with what a first text says, and with another way out where nobody can answer."""
    is_one_way = choose(last.sender_id if last else None).is_one_way
    if last is None and newcomers([number]):
        text = as_first(text, tenant.brand_name, one_way=is_one_way)
    elif is_one_way:
        text = final_text(text, footer=True, one_way=True)
    if is_one_way:
        keep_links([number])
        text = compile_template(text).render({PREFERENCES_LINK: link_of(number)}).text
    return text


def why_or_why_not(
    *, tenant: Tenant, number: str, purpose: str, sender_id: UUID | None = None, body: str = ""
) -> Decision:
    """What the gate would decide for this number and purpose now, about this text or any."""
    route = choose(sender_id)
    circumstances = Circumstances(
        tenant=tenant,
        purpose=purpose,
        sender_problem=route.sender_problem,
        registration_problem=route.registration_problem,
        by_name=route.is_one_way,
    )
    return decide_all([Candidate(number, body)], circumstances)[0]


def hold_batches(*, cause_id: UUID, held: bool) -> None:
    """Pause or resume everything of a cause that has not been handed over."""
    open_batches = _lock_open_batches(cause_id)
    Batch.objects.filter(id__in=open_batches).update(held=held)
    for lane in Batch.objects.filter(id__in=open_batches).order_by().values_list("lane", flat=True).distinct():
        wake(lane)


def cancel_batches(*, cause_id: UUID) -> int:
    """Cancel everything of a cause that has not been handed over; returns how many messages.

    What a worker is handing over at this moment goes on; ``results`` cancels whatever of it comes back.
    """
    open_batches = _lock_open_batches(cause_id)
    Batch.objects.filter(id__in=open_batches).update(state=Batch.State.CANCELLED)
    waiting = Message.objects.filter(batch_id__in=open_batches, status__in=Message.WAITING)
    changes = [Change(message_id, Message.Status.CANCELLED) for message_id in waiting.values_list("id", flat=True)]
    return len(apply_changes(changes, batch_ids=open_batches))


def _lock_open_batches(cause_id: UUID) -> list[UUID]:
    """Batches of which anything may still be handed over; also one whose worker is thought dead, because what that
    worker could not hand over comes back to the queue when it wakes up."""
    waiting = Q(state__in=[Batch.State.QUEUED, Batch.State.LEASED])
    under_way = Q(tally__has_any_keys=[Message.Status.SUBMITTING.value, Message.Status.UNKNOWN.value])
    unfinished = Batch.objects.filter(waiting | under_way, cause_id=cause_id)
    locked: list[UUID] = []
    while found := set(unfinished.values_list("id", flat=True)) - set(locked):
        # A worker may have put texts off into batches of their own while this waited for its lock; behind the locks
        # nobody does. New batches have later ids, so that locks are still taken in order.
        locked += lock_batches(found)
    return locked
