"""The cells of many people, read in a constant number of queries."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from common.formulas import safe_cell
from common.phone_numbers import is_e164
from consent.models import ConsentState, Suppression
from contacts.fields import Kind, typed
from contacts.models import Contact, ContactField, ContactNumber, ContactTag, ListMember
from tenants.models import Tenant

__all__ = ["rows_of"]

Cells = Callable[[Contact], Sequence[str]]
"""The cells of one column (or of several that belong together) for a person."""

_PLAIN: Final = frozenset({"first_name", "last_name", "email", "language", "timezone"})


def rows_of(tenant: Tenant, contact_ids: Collection[UUID], keys: Sequence[str]) -> Iterator[list[str]]:
    """A row for each of these contacts, in the order of their ids; no cell of it is a formula."""
    people = list(Contact.objects.filter(id__in=list(contact_ids)).order_by("id"))
    columns = [_column(key, tenant, people) for key in keys]
    for person in people:
        yield [cell for column in columns for cell in column(person)]


def _column(key: str, tenant: Tenant, people: Sequence[Contact]) -> Cells:
    """One that no spreadsheet program calculates. Only the number, and only in its strict form, keeps its plus sign."""
    if key == "number":
        return lambda person: [person.number if is_e164(person.number) else safe_cell(person.number)]
    cells = _cells(key, tenant, people)
    return lambda person: [safe_cell(cell) for cell in cells(person)]


def _cells(key: str, tenant: Tenant, people: Sequence[Contact]) -> Cells:
    kind, _, name = key.partition(":")
    if key in _PLAIN:
        return lambda person: [str(getattr(person, key))]
    if kind == "field":
        return _own_field(name, tenant)
    if kind == "consent":
        return _consent(name, tenant, people)
    return _SOURCES[key](tenant, people)


def _own_field(key: str, tenant: Tenant) -> Cells:
    """As somebody in the tenant's country would type it, so that it is read back as the same value."""
    field = ContactField.objects.filter(key=key).first()
    kind = Kind(field.kind) if field else Kind.TEXT
    return lambda person: [typed(str(person.fields.get(key, "")), kind, tenant.country)]


def _consent(purpose: str, tenant: Tenant, people: Sequence[Contact]) -> Cells:
    states = ConsentState.objects.filter(number__in=[person.number for person in people], purpose=purpose)
    cells = {
        state.number: [state.get_act_display(), _moment(state.since, tenant), state.record.get_source_display()]
        for state in states.select_related("record")
    }
    return lambda person: cells.get(person.number, ["", "", ""])


def _suppressed(tenant: Tenant, people: Sequence[Contact]) -> Cells:
    rows = Suppression.objects.filter(number__in=[person.number for person in people], lifted_at=None)
    since = {row.number: _moment(row.since, tenant) for row in rows}
    return lambda person: [since.get(person.number, "")]


def _names(
    _tenant: Tenant, people: Sequence[Contact], read: Callable[[list[UUID]], Iterator[tuple[UUID, str]]]
) -> Cells:
    names: dict[UUID, list[str]] = defaultdict(list)
    for contact_id, name in read([person.id for person in people]):
        names[contact_id].append(name)
    return lambda person: [", ".join(sorted(names.get(person.id, ())))]


def _tags(ids: list[UUID]) -> Iterator[tuple[UUID, str]]:
    return iter(ContactTag.objects.filter(contact_id__in=ids).values_list("contact_id", "tag__name"))


def _lists(ids: list[UUID]) -> Iterator[tuple[UUID, str]]:
    return iter(ListMember.objects.filter(contact_id__in=ids).values_list("contact_id", "contact_list__name"))


def _numbers(ids: list[UUID]) -> Iterator[tuple[UUID, str]]:
    return iter(ContactNumber.objects.filter(contact_id__in=ids).values_list("contact_id", "number"))


def _added(tenant: Tenant, _people: Sequence[Contact]) -> Cells:
    return lambda person: [_moment(person.created_at, tenant)]


def _archived(tenant: Tenant, _people: Sequence[Contact]) -> Cells:
    return lambda person: [_moment(person.archived_at, tenant) if person.archived_at else ""]


def _moment(at: datetime, tenant: Tenant) -> str:
    return f"{at.astimezone(ZoneInfo(tenant.timezone)):%Y-%m-%d %H:%M}"


_SOURCES: Final[Mapping[str, Callable[[Tenant, Sequence[Contact]], Cells]]] = {
    "suppressed": _suppressed,
    "tags": partial(_names, read=_tags),
    "lists": partial(_names, read=_lists),
    "numbers": partial(_names, read=_numbers),
    "added": _added,
    "archived": _archived,
}
