"""Every text from and to a number, as an evidence pack tells of it."""

from collections import defaultdict
from datetime import datetime
from operator import itemgetter
from uuid import UUID

from consent.canonical import microseconds
from messaging.models import Attempt, InboundMessage, Message
from messaging.reasons import reason_of
from messaging.stored_decision import stored_decision

__all__ = ["messages_of"]


def messages_of(number: str) -> list[dict[str, object]]:
    """The texts, the oldest first, with the decision that is stored with each; three queries.

    An answer stands after what it answers: within one transaction the clock of the database stands still.
    """
    sent = list(Message.objects.filter(number=number).select_related("batch", "sender"))
    attempts = _attempts([message.id for message in sent])
    received = list(InboundMessage.objects.filter(number=number).select_related("sender"))
    at = {text.id: text.received_at for text in received}
    told = [(text.received_at, 0, text.id, _received(text)) for text in received]
    for message in sent:
        begun = message.created_at
        if message.in_reply_to_id in at:
            begun = max(begun, at[message.in_reply_to_id])
        told.append((begun, 1, message.id, _sent(message, attempts[message.id])))
    return [text for *_, text in sorted(told, key=itemgetter(0, 1, 2))]


def _sent(message: Message, attempts: list[dict[str, object]]) -> dict[str, object]:
    return {
        "id": str(message.id),
        "direction": "out",
        "at": microseconds(message.created_at),
        "purpose": message.batch.purpose,
        "cause": message.batch.cause_kind,
        "in_reply_to": str(message.in_reply_to_id or ""),
        "sender": message.sender.value if message.sender else "",
        "body": message.body,
        "parts": message.part_count,
        "status": message.status,
        "status_at": microseconds(message.status_at),
        "reason": reason_of(message),
        "decision": message.decision,
        "explanation": _in_words(message.decision),
        "attempts": attempts,
    }


def _received(text: InboundMessage) -> dict[str, object]:
    return {
        "id": str(text.id),
        "direction": "in",
        "at": microseconds(text.received_at),
        "sender": text.sender.value,
        "body": text.body,
        "intent": text.intent,
        "media": text.media_count,
    }


def _attempts(message_ids: list[UUID]) -> defaultdict[UUID, list[dict[str, object]]]:
    found: defaultdict[UUID, list[dict[str, object]]] = defaultdict(list)
    for attempt in Attempt.objects.filter(message_id__in=message_ids).order_by("message_id", "n"):
        found[attempt.message_id].append(
            {
                "n": attempt.n,
                "state": attempt.state,
                "at": microseconds(attempt.created_at),
                "provider_message_id": attempt.provider_message_id,
                "error_code": attempt.error_code,
            }
        )
    return found


def _in_words(decision: dict[str, object]) -> str:
    """The decision in a line; empty for a text that nobody has decided about yet."""
    words = stored_decision(decision)
    if words is None:
        return ""
    until = f"{words.until_words} {_minute(words.until)}" if words.until else ""
    version = f"Rules of version {words.rules_version}" if words.rules_version else ""
    return ". ".join(part for part in (words.text, words.ground, until, version) if part)


def _minute(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M %Z}"
