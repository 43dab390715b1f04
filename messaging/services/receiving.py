"""An incoming text: stored, and if it is a keyword acted on, in the transaction of the callback that brought it.

An opt-out therefore holds from the moment the provider is told that its callback was taken. Whatever else a text
means is left to the handlers, afterwards.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.utils import timezone

from common.lanes import CONVERSATION
from common.phone_numbers import is_e164
from common.tasks import enqueue_on_commit
from consent import number_marks
from consent.confirming import confirm_opt_in
from consent.keywords import Classification
from consent.models import ConsentRecord, NumberMark
from consent.opt_out_scope import ANSWER, chosen, question_after, revokes_all, take_answer
from consent.preferences import standing, stop_some
from consent.purposes import Purpose
from consent.services import opt_back_in, opt_out, raise_possible_opt_out
from contacts.models import Contact
from messaging.auto_replies import text_of
from messaging.models import InboundMessage, Message, ProviderAccount, Sender
from messaging.pipeline.enqueue import Cause, Draft, enqueue
from messaging.pipeline.service_numbers import service_of
from messaging.providers.base import CallbackRefused, InboundText
from messaging.sender_values import is_short_code, may_be_number
from messaging.services.meaning import is_yes, meaning_of
from messaging.services.waking import wake
from messaging.tasks import handle_inbound_text

__all__ = ["receive"]

ENDS_EVERYTHING: Final = frozenset({"stopall", "stop all"})

HELP_PAUSE: Final = timedelta(seconds=30)
"""A second HELP within this time is not answered again: two robots must not talk to each other for ever."""


def receive(account: ProviderAccount, text: InboundText) -> InboundMessage | None:
    """Take a verified text in; the same one again changes nothing and returns None.

    Raises ``CallbackRefused`` when it was sent to nothing that can be a sender.
    """
    sender = _sender(account, text)
    found = meaning_of(text)
    inbound = _store(account, sender, text, found)
    if inbound is None:
        return None
    if is_e164(inbound.number):
        number_marks.clear(number=inbound.number, by=NumberMark.Ended.WROTE)
        _act(inbound, found, answered=text.already_answered or account.answers_keywords)
    enqueue_on_commit(handle_inbound_text, str(inbound.tenant_id), str(inbound.id))
    return inbound


def _sender(account: ProviderAccount, text: InboundText) -> Sender:
    """The number it was sent to, or the messaging service that the number belongs to. One that nobody has set up here
    is the account's all the same, as the signature shows: a STOP to it must not be lost, so it is added, paused."""
    value = text.sender
    if not may_be_number(value):
        raise CallbackRefused(404, "no such sender")
    number = Sender.objects.filter(provider_account=account, value=value).first()
    if number is not None and number.status == Sender.Status.ACTIVE:
        return number
    service = service_of(account, text)
    if service is not None:
        return service
    kind = Sender.Kind.SHORT_CODE if is_short_code(value) else Sender.Kind.LONG_CODE
    added = {"kind": kind, "status": Sender.Status.PAUSED, "label": f"{value} (found by a text)"}
    return Sender.objects.get_or_create(provider_account=account, value=value, defaults=added)[0]


def _store(account: ProviderAccount, sender: Sender, text: InboundText, found: Classification) -> InboundMessage | None:
    number = text.number[:16]
    inbound = InboundMessage(
        provider_account=account,
        provider_message_id=text.provider_message_id[:64],
        sender=sender,
        number=number,
        contact=Contact.objects.by_number(number).first(),
        body=text.body,
        media_count=len(text.media_urls),
        intent=found.intent,
        certain=found.certain,
        payload=dict(text.payload),
    )
    InboundMessage.objects.bulk_create([inbound], ignore_conflicts=True)
    # A repeated callback leaves the first row, which has another id.
    return inbound if InboundMessage.objects.filter(id=inbound.id).exists() else None


@dataclass(frozen=True, slots=True)
class _Reply:
    """Which answer goes out by itself; ``keep``: the purpose that it asks about, or that goes on."""

    name: str
    language: str | None
    keep: str = ""


def _act(inbound: InboundMessage, found: Classification, *, answered: bool) -> None:
    """Do what a keyword demands. After what may be an opt-out, offers wait until a person has decided."""
    reply = None
    if found.intent == "opt_out" and found.certain:
        reply = _opt_out(inbound, found, may_ask=not answered)
    elif found.intent == "opt_out":
        raise_possible_opt_out(
            number=inbound.number,
            wording=inbound.body,
            evidence={"inbound": str(inbound.id), "word": found.keyword, "rule": found.reason},
        )
    elif found.intent == "help":
        reply = _Reply("help_reply", found.language)
    elif found.intent == "opt_in":
        reply = _opt_in(inbound, found)
    if reply and not answered and not _just_answered(inbound, reply.name):
        _answer(inbound, reply)


def _ends_offers_alone(inbound: InboundMessage, found: Classification) -> bool:
    """Whether it answers an offer, and by the tenant's choice and the law ends these alone: a single STOP does, and
    nothing that says more."""
    if not (found.reason or "").startswith("keyword") or found.keyword in ENDS_EVERYTHING:
        return False
    if not chosen().offers_alone or revokes_all(timezone.now().date()):
        return False
    last = Message.objects.filter(number=inbound.number, sender_id__isnull=False).order_by("-created_at").first()
    answers_offer = last is not None and last.batch.purpose == Purpose.MARKETING
    return answers_offer and Purpose.MARKETING in standing(inbound.number).purposes


def _opt_out(inbound: InboundMessage, found: Classification, *, may_ask: bool) -> _Reply | None:
    """``may_ask``: the confirmation is ours, and not the provider's."""
    evidence = {
        "inbound": str(inbound.id),
        "provider_message_id": inbound.provider_message_id,
        "rule": found.reason,
    }
    if _ends_offers_alone(inbound, found):
        source = ConsentRecord.Source.REPLY
        stop_some(
            number=inbound.number, purposes=[Purpose.MARKETING], wording=inbound.body, evidence=evidence, source=source
        )
        return _Reply("offers_end_confirmation", found.language)
    newly = opt_out(
        number=inbound.number,
        source=ConsentRecord.Source.REPLY,
        wording=inbound.body,
        evidence=evidence,
    )
    if not newly:
        return None
    keep = question_after(number=inbound.number, language=found.language or "") if may_ask else ""
    return _Reply("opt_out_confirmation", found.language, keep)


def _opt_in(inbound: InboundMessage, found: Classification) -> _Reply | None:
    """START lifts the person's opt-out; the YES that was asked for makes their agreement count; a "1" keeps one kind of
    text, if that was asked."""
    evidence = {"inbound": str(inbound.id), "provider_message_id": inbound.provider_message_id}
    if found.keyword == ANSWER:
        asked = take_answer(number=inbound.number, wording=inbound.body, evidence=evidence)
        return _Reply("kept_confirmation", asked.language, asked.purpose) if asked else None
    if opt_back_in(number=inbound.number, wording=inbound.body, evidence=evidence):
        return _Reply("opt_in_confirmation", found.language)
    confirmed = is_yes(found) and confirm_opt_in(number=inbound.number, wording=inbound.body, evidence=evidence)
    return _Reply("opt_in_welcome", found.language) if confirmed else None


def _just_answered(inbound: InboundMessage, reply: str) -> bool:
    recently = Message.objects.filter(
        number=inbound.number, batch__exemption=reply, created_at__gt=timezone.now() - HELP_PAUSE
    )
    return reply == "help_reply" and recently.exists()


def _answer(inbound: InboundMessage, reply: _Reply) -> None:
    cause = Cause(
        kind="auto_reply",
        lane=CONVERSATION,
        purpose=Purpose.SUPPORT,
        sender_id=inbound.sender_id,
        exemption=reply.name,
    )
    draft = Draft(
        number=inbound.number,
        contact_id=inbound.contact_id,
        body=text_of(reply.name, inbound.sender.tenant, reply.language, keep=reply.keep),
        in_reply_to_id=inbound.id,
    )
    enqueue([draft], cause)
    wake(CONVERSATION)
