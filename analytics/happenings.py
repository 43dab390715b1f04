"""The sources of a person's timeline: texts, answers, consent, notes, imports, and what was done with the contact."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol, TypeVar
from uuid import UUID

from django.db import models
from django.urls import reverse

from campaigns.models import Campaign
from consent.models import ALL_PURPOSES, ConsentRecord
from consent.purposes import Purpose
from contacts.models import Contact, ContactChange, ContactImport, ContactJob, ContactJobRow, ContactNote, ImportRow
from messaging.models import InboundMessage, Message
from messaging.reasons import reason_of
from messaging.stored_decision import StoredDecision, stored_decision
from tenants.models import User

__all__ = ["Event", "Newest", "bulk_actions", "changes", "consent", "imports", "inbound", "messages", "notes"]

ModelT = TypeVar("ModelT", bound=models.Model)

_TITLE_OF_ACT: Final = {
    ConsentRecord.Act.OPT_IN: "Opted in to {}",
    ConsentRecord.Act.OPT_OUT: "Opted out of {}",
    ConsentRecord.Act.VOID: "Opt-in to {} taken back: it was recorded in error",
}
_STATUS_OF_ACT: Final = {ConsentRecord.Act.OPT_IN: "opted_in", ConsentRecord.Act.OPT_OUT: "opted_out"}
_NOT_SENT: Final = frozenset(
    {Message.Status.BLOCKED, Message.Status.FAILED, Message.Status.CANCELLED, Message.Status.EXPIRED}
)
_WAITING: Final = frozenset({Message.Status.QUEUED, Message.Status.DEFERRED})
_ROW_TITLES: Final = {
    ImportRow.Outcome.CREATED: "Came in with an import",
    ImportRow.Outcome.UPDATED: "Changed by an import",
    ImportRow.Outcome.UNCHANGED: "Found in an import, nothing new",
    ImportRow.Outcome.MERGED: "Found again in an import",
}
_NAMED: Final = frozenset(
    {
        ContactChange.Kind.TAGGED,
        ContactChange.Kind.UNTAGGED,
        ContactChange.Kind.LISTED,
        ContactChange.Kind.UNLISTED,
    }
)


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a timeline. ``kind`` is one of ``analytics.timeline.KINDS``; ``status`` a name of common.statuses.

    ``source`` says what caused it and ``url``, if any, leads there; ``number`` is the one of the person's it went
    over.
    """

    id: UUID
    kind: str
    at: datetime
    title: str
    text: str = ""
    status: str = ""
    detail: str = ""
    source: str = ""
    url: str = ""
    author_id: UUID | None = None
    number: str = ""
    decision: StoredDecision | None = None
    """Of a text of the business: what the gate decided."""


class Newest(Protocol):
    """Reads the newest of some rows by the name of their moment."""

    def __call__(self, rows: models.QuerySet[ModelT], at: str) -> list[ModelT]: ...


def messages(number: str, newest: Newest) -> Iterator[Event]:
    """Outgoing texts."""
    sent = Message.objects.filter(number=number).select_related("batch", "written_by")
    rows = newest(sent, "created_at")
    campaigns = _campaign_names(rows)
    for message in rows:
        source, url = _source(message, campaigns)
        yield Event(
            id=message.id,
            kind="message",
            at=message.created_at,
            title=_title(message.status),
            text=message.body,
            status=message.status,
            detail=reason_of(message),
            source=source,
            url=url,
            number=number,
            decision=stored_decision(message.decision),
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


def inbound(number: str, newest: Newest) -> Iterator[Event]:
    """What the person wrote."""
    for text in newest(InboundMessage.objects.filter(number=number), "received_at"):
        yield Event(id=text.id, kind="inbound", at=text.received_at, title="They wrote", text=text.body, number=number)


def consent(number: str, newest: Newest) -> Iterator[Event]:
    """Opt-ins and opt-outs."""
    purposes = dict([*Purpose.choices, (ALL_PURPOSES, "everything")])
    acts = ConsentRecord.objects.filter(number=number).select_related("actor")
    for record in newest(acts, "occurred_at"):
        yield Event(
            id=record.id,
            kind="consent",
            at=record.occurred_at,
            title=_TITLE_OF_ACT[ConsentRecord.Act(record.act)].format(purposes[record.purpose].lower()),
            text=record.wording,
            status=_STATUS_OF_ACT.get(ConsentRecord.Act(record.act), ""),
            detail=record.get_source_display() + (f", recorded by {record.actor}" if record.actor else ""),
            number=number,
        )


def notes(contact: Contact, newest: Newest) -> Iterator[Event]:
    """What staff wrote about them."""
    for note in newest(ContactNote.objects.filter(contact=contact).select_related("author"), "created_at"):
        yield Event(
            id=note.id,
            kind="note",
            at=note.created_at,
            title="Note",
            text=note.body,
            detail=_by(note.author) + (", edited" if note.edited_at else ""),
            author_id=note.author_id,
        )


def imports(contact: Contact, newest: Newest) -> Iterator[Event]:
    """Files that rows about them stood in, found by an index on the contact."""
    about = ImportRow.objects.filter(contact_id=contact.id)
    imported = ContactImport.objects.filter(status__in=ContactImport.IMPORTED, id__in=about.values("contact_import_id"))
    jobs = newest(imported, "created_at")
    rows: dict[UUID, list[ImportRow]] = {}
    for row in about.filter(contact_import_id__in=[job.id for job in jobs]).order_by("row_number"):
        rows.setdefault(row.contact_import_id, []).append(row)
    for job in jobs:
        row, *again = rows[job.id]
        numbers = ", ".join(f"{each.row_number:,}" for each in (row, *again))
        yield Event(
            id=job.id,
            kind="import",
            at=job.created_at,
            title=_ROW_TITLES.get(ImportRow.Outcome(row.outcome), "Found in an import"),
            source=f"{job.file_name}, row{'s' if again else ''} {numbers}",
            url=reverse("import_job", args=[job.id]),
            number=row.number,
        )


def changes(contact: Contact, newest: Newest) -> Iterator[Event]:
    """Lists, tags, the archive, merges."""
    for change in newest(ContactChange.objects.filter(contact=contact).select_related("actor"), "at"):
        named = f": {change.name}" if change.name and change.kind in _NAMED else ""
        yield Event(
            id=change.id,
            kind="change",
            at=change.at,
            title=f"{change.get_kind_display()}{named}",
            detail=_by(change.actor),
        )


def bulk_actions(contact: Contact, newest: Newest) -> Iterator[Event]:
    """What was done with them and many others at once, if it changed something."""
    rows = ContactJobRow.objects.filter(contact_id=contact.id, outcome=ContactJobRow.Outcome.CHANGED)
    jobs = ContactJob.objects.filter(id__in=rows.values("job_id")).select_related("created_by")
    for job in newest(jobs, "created_at"):
        yield Event(
            id=job.id,
            kind="change",
            at=job.created_at,
            title=f"Bulk action: {str(job)[:1].lower()}{str(job)[1:]}",
            detail=_by(job.created_by),
        )


def _by(user: User | None) -> str:
    return f"By {user}" if user else ""
