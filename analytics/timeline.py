"""Everything that happened with one person, in the order of time."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from heapq import merge
from itertools import islice
from typing import Final

from django.urls import reverse

from campaigns.models import Campaign
from consent.models import ALL_PURPOSES, ConsentRecord
from consent.purposes import Purpose
from messaging.models import InboundMessage, Message
from messaging.reasons import reason_of

__all__ = ["SHOWN", "SHOWN_AT_MOST", "Event", "timeline"]

SHOWN: Final = 60
SHOWN_AT_MOST: Final = 1_000
"""More than anybody reads; it keeps the page quick for a number that texts all day."""

_STATUS_OF_ACT: Final = {ConsentRecord.Act.OPT_IN: "opted_in", ConsentRecord.Act.OPT_OUT: "opted_out"}
_NOT_SENT: Final = frozenset(
    {Message.Status.BLOCKED, Message.Status.FAILED, Message.Status.CANCELLED, Message.Status.EXPIRED}
)
_WAITING: Final = frozenset({Message.Status.QUEUED, Message.Status.DEFERRED})


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a timeline. ``kind`` is "message", "inbound" or "consent"; ``status`` a name of common.statuses.

    ``source`` says what caused it and ``url``, if any, leads there; ``number`` is the one of the person's it went
    over.
    """

    kind: str
    at: datetime
    title: str
    text: str = ""
    status: str = ""
    detail: str = ""
    source: str = ""
    url: str = ""
    number: str = ""


def timeline(numbers: Collection[str], *, limit: int = SHOWN) -> list[Event]:
    """The newest events with a person's numbers, newest first."""
    streams = [events(number, limit) for number in numbers for events in (_messages, _inbound, _consent)]
    return list(islice(merge(*streams, key=lambda event: event.at, reverse=True), limit))


def _messages(number: str, limit: int) -> Iterator[Event]:
    newest = Message.objects.filter(number=number).select_related("batch", "written_by").order_by("-created_at")
    rows = list(newest[:limit])
    campaigns = _campaign_names(rows)
    for message in rows:
        source, url = _source(message, campaigns)
        yield Event(
            kind="message",
            at=message.created_at,
            title=_title(message.status),
            text=message.body,
            status=message.status,
            detail=reason_of(message),
            source=source,
            url=url,
            number=number,
        )


def _campaign_names(messages: Sequence[Message]) -> dict[object, str]:
    causes = {message.batch.cause_id for message in messages if message.batch.cause_kind == "campaign"}
    return dict(Campaign.objects.filter(id__in=causes).values_list("id", "name"))


def _source(message: Message, campaigns: dict[object, str]) -> tuple[str, str]:
    cause = message.batch.cause_id
    if cause in campaigns:
        return f"Campaign “{campaigns[cause]}”", reverse("campaign", args=[cause])
    if message.written_by:
        return f"Written by {message.written_by}", ""
    return ("Automatic answer", "") if message.batch.cause_kind == "auto_reply" else ("", "")


def _title(status: str) -> str:
    if status in _NOT_SENT:
        return "Text not sent"
    return "Text waiting" if status in _WAITING else "Text sent"


def _inbound(number: str, limit: int) -> Iterator[Event]:
    for inbound in InboundMessage.objects.filter(number=number).order_by("-received_at")[:limit]:
        yield Event(kind="inbound", at=inbound.received_at, title="They wrote", text=inbound.body, number=number)


def _consent(number: str, limit: int) -> Iterator[Event]:
    purposes = dict([*Purpose.choices, (ALL_PURPOSES, "everything")])
    rows = ConsentRecord.objects.filter(number=number).select_related("actor").order_by("-occurred_at")[:limit]
    for record in rows:
        recorder = f", recorded by {record.actor}" if record.actor else ""
        direction = "of" if record.act == ConsentRecord.Act.OPT_OUT else "to"
        yield Event(
            kind="consent",
            at=record.occurred_at,
            title=f"{record.get_act_display()} {direction} {purposes[record.purpose].lower()}",
            text=record.wording,
            status=_STATUS_OF_ACT[ConsentRecord.Act(record.act)],
            detail=f"{record.get_source_display()}{recorder}",
            number=number,
        )
