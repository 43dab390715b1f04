"""What a row must look like where its type alone does not say: add an entry here when ``world`` cannot fill a table.

A shape gets the tenant's side of the world and the row's number, and returns the value of one column.
"""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.utils import timezone

from campaigns.models import Campaign
from common.encryption import encrypt
from consent.appending import NewRecord, append
from consent.quiet_hours import WEEKDAYS
from contacts.models import Contact, ContactImport, ContactJob, ImportFilePart, ImportRow

if TYPE_CHECKING:
    from tests.prober.world import Side

__all__ = ["FORMS", "MADE_BY", "NOT_FILLED", "ROWS", "SHAPES"]

Shape = Callable[["Side", int], object]

_SEALED: Final = "the sealer writes the log"
NOT_FILLED: Final = {
    "tenants.membership": "the people of the world are its rows",
    "consent.pendingseal": _SEALED,
    "consent.ledgerleaf": _SEALED,
    "consent.ledgertile": _SEALED,
    "consent.ledgerhead": _SEALED,
    "consent.headbucket": _SEALED,
    "consent.checkpoint": _SEALED,
    "consent.givencheckpoint": "who downloads a checkpoint writes it down",
    "consent.dailycheckpoint": _SEALED,
}
"""Tables that the world fills by services, and why."""

MADE_BY: Final[dict[str, Callable[[dict[str, object]], object]]] = {
    # Chained, as the pages that prove something need it.
    "consent.consentrecord": lambda values: append([NewRecord(**{name: values[name] for name in _RECORD})]),
}
"""Rows that a service makes from their values."""
_RECORD: Final = ("id", "number", "purpose", "act", "source", "wording", "evidence", "actor_id", "occurred_at")

ROWS: Final = {
    "consent.suppression": 1,
    "consent.possibleoptout": 1,
    "messaging.partprice": 1,
    "messaging.spendlimit": 1,
    "consent.optoutrules": 1,
    "consent.evidenceretention": 1,
    "messaging.subaccount": 1,
    "consent.doubleoptin": 1,
    "tenants.tenantexport": 1,
    "contacts.importfilepart": len(ContactImport.Status),
    # The last one is used by nothing, so it can be deleted.
    "contacts.contactlist": 4,
    # The last one is archived.
    "contacts.contact": 4,
}
"""How many rows, where it is not three or one for each status."""

_HEADER: Final = "Mobile phone,First name,Last name,Nickname"


def _file(side: "Side", n: int) -> bytes:
    """An import file in which every cell is a canary."""
    cells = [side.canaries.number(20 + n), *(side.text(ImportFilePart, name, 40) for name in ("first", "last", "nick"))]
    return f"{_HEADER}\n{','.join(cells)}\n".encode()


def _columns(side: "Side", n: int) -> list[str]:
    return ["number", "first_name", "last_name", side.text(ContactImport, "columns", 40).lower()]


_DONE_IMPORT: Final = list(ContactImport.Status).index(ContactImport.Status.DONE)
_DONE_JOB: Final = list(ContactJob.Status).index(ContactJob.Status.DONE)


def _rule(side: "Side", n: int) -> object:
    condition = {"subject": "first_name", "operator": "starts", "target": "", "value": side.text(Contact, "rule", 40)}
    return {"match": "all", "parts": [condition]}


def _one_of(side: "Side", label: str, n: int, turn: int) -> object:
    return side.id(label, n) if n % 3 == turn else None


def _field_key(side: "Side", n: int) -> str:
    return f"canary-{side.letter}-field-{n}"


def _key_of(column: str) -> Shape:
    return lambda side, n: side.texts[f"{Contact._meta.db_table}.{column}"][n].lower()


def _since_launch(side: "Side", n: int) -> object:
    started = list(Campaign.Status)[n] not in (Campaign.Status.DRAFT, Campaign.Status.SCHEDULED)
    return timezone.now() - timedelta(minutes=30) if started else None


FORMS: Final[dict[str, Callable[["Side"], dict[str, list[str]]]]] = {
    "contact_bulk": lambda side: {
        "kind": ["add_tag"],
        "contact": [str(side.id("contacts.contact", 0))],
        "tag": ["New"],
    },
}
"""What a form sends that only a later step of its page shows, by route."""

SHAPES: Final[dict[str, Shape]] = {
    "analytics.dailyfigure.value": lambda side, n: 1,
    "campaigns.audiencechoice.contact_list": lambda side, n: _one_of(side, "contacts.contactlist", n, 0),
    "campaigns.audiencechoice.tag": lambda side, n: _one_of(side, "contacts.tag", n, 1),
    "campaigns.audiencechoice.contact_filter": lambda side, n: _one_of(side, "contacts.contactfilter", n, 2),
    "campaigns.campaign.everyone": lambda side, n: True,
    "campaigns.campaign.launched_at": _since_launch,
    "campaigns.campaign.scheduled_at": lambda side, n: timezone.now() + timedelta(days=1) if n == 1 else None,
    "consent.hiddennumberkey.encrypted": lambda side, n: encrypt(side.letter * 64),
    "consent.changednumber.number": lambda side, n: side.canaries.number(n),
    "consent.doubleoptin.doors": lambda side, n: ["import"],
    "consent.endedpurpose.number": lambda side, n: side.canaries.number(80 + n),
    "consent.optoutquestion.number": lambda side, n: side.canaries.number(90 + n),
    "consent.optoutquestion.language": lambda side, n: "en",
    "consent.optoutrules.keep": lambda side, n: "reminder",
    "consent.evidenceretention.years": lambda side, n: 7,
    "consent.pendingoptin.number": lambda side, n: side.canaries.number(70 + n),
    "consent.numbermark.cleared_at": lambda side, n: None,
    "consent.numbermark.holds_since": lambda side, n: timezone.now(),
    "consent.numbermark.number": lambda side, n: side.canaries.number(60 + n),
    "messaging.partprice.currency": lambda side, n: "USD",
    "consent.ownhours.week": lambda side, n: {day: [["08:00", "21:00"]] for day in WEEKDAYS},
    "consent.suppression.number": lambda side, n: side.canaries.number(2),
    "consent.possibleoptout.number": lambda side, n: side.canaries.number(1),
    "contacts.contact.number": lambda side, n: side.canaries.number(n),
    "contacts.contact.archived_at": lambda side, n: timezone.now() if n == 3 else None,
    "contacts.contact.language": lambda side, n: "en",
    "contacts.contactjob.counts": lambda side, n: {},
    "contacts.contactjob.kind": lambda side, n: "export" if n == _DONE_JOB else "add_tag",
    "contacts.contactjob.parameters": lambda side, n: {"format": "csv", "tag": side.text(ContactJob, "tag", 40)},
    "contacts.duplicatesearch.finished_at": lambda side, n: timezone.now(),
    # In the order of their ids, which is that of their making.
    "contacts.duplicatepair.one": lambda side, n: side.id("contacts.contact", 0 if n < 2 else 1),
    "contacts.duplicatepair.other": lambda side, n: side.id("contacts.contact", 2 if n else 1),
    "contacts.exportpiece.job": lambda side, n: side.id("contacts.contactjob", _DONE_JOB),
    "contacts.exportpiece.position": lambda side, n: -n,
    "contacts.contact.fields": lambda side, n: {_field_key(side, 0): side.text(Contact, "fields", 40)},
    "contacts.contactfield.key": lambda side, n: _field_key(side, n),
    "contacts.contactnumber.number": lambda side, n: side.canaries.number(40 + n),
    "contacts.contact.first_key": _key_of("first_name"),
    "contacts.contact.last_key": _key_of("last_name"),
    "contacts.contact.timezone": lambda side, n: "America/New_York",
    "contacts.contactfilter.rule": _rule,
    "contacts.contactimport.columns": _columns,
    "contacts.contactimport.contact_list": lambda side, n: side.id("contacts.contactlist", n % 3),
    "contacts.contactimport.counts": lambda side, n: {"created": 1, "rejected": 1},
    "contacts.contactimport.purposes": lambda side, n: ["marketing"],
    "contacts.contactimport.basis": lambda side, n: ContactImport.Basis.WEB_FORM.value,
    "contacts.contactimport.rows_total": lambda side, n: 1,
    "contacts.contactimport.warnings": lambda side, n: [],
    "contacts.importfilepart.position": lambda side, n: 0,
    "contacts.importfilepart.content": _file,
    "contacts.contactimport.encoding": lambda side, n: "utf-8",
    "contacts.contactimport.header": lambda side, n: [*_HEADER.split(",")[:3], side.text(ContactImport, "header", 40)],
    "contacts.contactimport.finished_at": lambda side, n: timezone.now() if n == _DONE_IMPORT else None,
    "contacts.importcolumns.columns": lambda side, n: ["number", side.text(ContactImport, "columns", 40).lower()],
    "contacts.importrow.contact_import": lambda side, n: side.id("contacts.contactimport", _DONE_IMPORT),
    "contacts.importrow.before": lambda side, n: {"first_name": side.text(ImportRow, "before", 40)},
    "contacts.importrow.preferred": lambda side, n: side.canaries.number(n),
    "contacts.importrow.cells": lambda side, n: [side.text(ImportRow, "cells", 40)] * 4,
    "messaging.batch.cause_kind": lambda side, n: "campaign",
    "messaging.batch.cause_id": lambda side, n: side.id("campaigns.campaign", n),
    "messaging.batch.tally": lambda side, n: {"delivered": 1},
    "messaging.provideraccount.encrypted_credentials": lambda side, n: encrypt(json.dumps({"secret": side.letter})),
    "messaging.sender.country": lambda side, n: "US",
    "messaging.sender.is_default": lambda side, n: n == 0,
    "tenants.tenantexport.status": lambda side, n: "done",
    "tenants.tenantexport.expires_at": lambda side, n: timezone.now() + timedelta(days=1),
    "tenants.invitation.expires_at": lambda side, n: timezone.now() + timedelta(days=1),
    "messaging.servicenumber.number": lambda side, n: side.canaries.number(80 + n),
    "messaging.sender.value": lambda side, n: side.canaries.number(90 + n),
}
