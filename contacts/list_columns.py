"""The columns of the list of contacts that a member chooses, and their cells: read for a page in a fixed number of queries."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.conf.locale import LANG_INFO

from contacts.fields import Kind, shown
from contacts.models import Contact, ContactField, ContactTag, ListMember
from tenants.models import Membership

__all__ = ["MAX_COLUMNS", "Cell", "cells_of", "chosen_columns", "column_choices"]

MAX_COLUMNS: Final = 6
_USUAL: Final = ("number", "email")
_DETAILS: Final[Mapping[str, str]] = {
    "number": "Number",
    "email": "E-mail",
    "tags": "Tags",
    "lists": "Lists",
    "language": "Language",
    "wrote": "Last wrote",
    "added": "Added",
}


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: ``text``, or a moment that the page writes in the reader's zone."""

    key: str
    label: str
    text: str = ""
    moment: datetime | None = None


def column_choices() -> dict[str, str]:
    """Every column by its key, with its name."""
    own = ContactField.objects.filter(deleted_at=None).order_by("position", "id").values_list("key", "label")
    return {**_DETAILS, **{f"field:{key}": label for key, label in own}}


def chosen_columns(membership: Membership, choices: Mapping[str, str]) -> dict[str, str]:
    """The columns that the member chose, as far as there still are such; the usual ones before any choice."""
    keys = _USUAL if membership.contact_columns is None else membership.contact_columns
    return {key: label for key, label in choices.items() if key in keys}


def cells_of(contacts: Sequence[Contact], columns: Mapping[str, str]) -> list[list[Cell]]:
    """The cells of each of these contacts."""
    ids = [contact.id for contact in contacts]
    names = {"tags": _tags(ids) if "tags" in columns else {}, "lists": _lists(ids) if "lists" in columns else {}}
    kinds = _kinds([key.removeprefix("field:") for key in columns if key.startswith("field:")])
    return [[_cell(contact, key, label, names, kinds) for key, label in columns.items()] for contact in contacts]


def _cell(
    contact: Contact,
    key: str,
    label: str,
    names: Mapping[str, Mapping[UUID, Sequence[str]]],
    kinds: Mapping[str, Kind],
) -> Cell:
    if key in names:
        return Cell(key, label, ", ".join(sorted(names[key].get(contact.id, ()))))
    match key:
        case "number" | "email":
            return Cell(key, label, getattr(contact, key))
        case "language":
            return Cell(key, label, LANG_INFO.get(contact.language, {}).get("name", contact.language))
        case "wrote":
            return Cell(key, label, moment=contact.last_inbound_at)
        case "added":
            return Cell(key, label, moment=contact.created_at)
    name = key.removeprefix("field:")
    return Cell(key, label, shown(str(contact.fields.get(name, "")), kinds.get(name, Kind.TEXT)))


def _kinds(keys: Collection[str]) -> dict[str, Kind]:
    if not keys:
        return {}
    return {key: Kind(kind) for key, kind in ContactField.objects.filter(key__in=keys).values_list("key", "kind")}


def _tags(ids: Sequence[UUID]) -> dict[UUID, list[str]]:
    rows = ContactTag.objects.filter(contact_id__in=ids).values_list("contact_id", "tag__name")
    return _by_contact(rows)


def _lists(ids: Sequence[UUID]) -> dict[UUID, list[str]]:
    rows = ListMember.objects.filter(contact_id__in=ids).values_list("contact_id", "contact_list__name")
    return _by_contact(rows)


def _by_contact(rows: Iterable[tuple[UUID, str]]) -> dict[UUID, list[str]]:
    found: dict[UUID, list[str]] = defaultdict(list)
    for contact_id, name in rows:
        found[contact_id].append(name)
    return found
