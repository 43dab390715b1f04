"""From a condition to a selection of contacts: one small function per subject, and nothing taken from a request as a name.

Rows of other tables are asked for through ``Ask``; how, is decided elsewhere (``contacts.among``).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from uuid import UUID

from django.db.models import Q
from django.db.models.functions import Left
from django.utils import timezone

from common.calling_codes import international_starts
from common.ids import id_or_none_such
from consent.models import ConsentRecord, ConsentState, Suppression
from consent.purposes import PURPOSES_WITH_CONSENT
from consent.validity import ending_within
from contacts.among import Ask
from contacts.fields import Kind, ValueProblem, key_of, read
from contacts.filters.rules import Condition, RuleProblem
from contacts.filters.words import OPERATORS, operators_of
from contacts.folding import fold
from contacts.models import (
    ContactField,
    ContactImport,
    ContactList,
    ContactTag,
    ContactValue,
    ImportRow,
    ListMember,
    Tag,
)
from contacts.querysets import starts
from tenants.models import Tenant

__all__ = ["Known", "condition_q"]

_MOST_DAYS: Final = 36_500
_GONE: Final = (
    "A condition is about a {what} that does not exist any more. Choose another one, or remove the condition."
)


@dataclass(frozen=True)
class Known:
    """What exists in the tenant, read once per rule; another tenant's ids are as unknown as made-up ones."""

    tenant: Tenant
    fields: Mapping[str, ContactField]

    @classmethod
    def of(cls, tenant: Tenant) -> "Known":
        fields = ContactField.objects.filter(deleted_at=None)
        return cls(tenant, {str(field.id): field for field in fields})


def condition_q(condition: Condition, known: Known, ask: Ask) -> Q:
    """The condition as a filter on contacts; raises ``RuleProblem`` when it makes no sense (any more)."""
    field = known.fields.get(condition.target) if condition.subject == "field" else None
    if condition.subject == "field" and field is None:
        raise RuleProblem(_GONE.format(what="field"))
    if condition.operator not in operators_of(condition.subject, Kind(field.kind) if field else None):
        raise RuleProblem("Choose how each condition compares.")
    if OPERATORS[condition.operator][1] and not condition.value.strip():
        raise RuleProblem("Give each condition a value, or remove it.")
    return _SUBJECTS[condition.subject](condition, known, ask)


def _field(condition: Condition, known: Known, ask: Ask) -> Q:
    field = known.fields[condition.target]
    values = ContactValue.objects.filter(field_id=field.id)
    found = ask(values.filter(_keys(condition, field, known)), "contact_id")
    return ~found if condition.operator in ("is_not", "starts_not", "unknown") else found


def _keys(condition: Condition, field: ContactField, known: Known) -> Q:
    """The keys of the values that the condition is about, the same for "is" and "is not"."""
    if condition.operator in ("known", "unknown"):
        return Q()
    if condition.operator in ("starts", "starts_not"):
        return starts("key", fold(condition.value))
    if condition.operator in ("last_days", "next_days"):
        first, last = _days(condition, known)
        return Q(key__gte=first.isoformat(), key__lte=last.isoformat())
    return Q((_COMPARED.get(condition.operator, "key"), _key(condition.value, field, known)))


_COMPARED: Final = {"at_least": "key__gte", "at_most": "key__lte", "before": "key__lt", "after": "key__gt"}


def _key(value: str, field: ContactField, known: Known) -> str:
    try:
        return key_of(read(value, field.type, known.tenant.country), Kind(field.kind))
    except ValueProblem as problem:
        raise RuleProblem(f"“{field.label}”: {problem}") from None


def _tag(condition: Condition, known: Known, ask: Ask) -> Q:
    tag_id = _existing(Tag, condition.target, "tag")
    found = ask(ContactTag.objects.filter(tag_id=tag_id), "contact_id")
    return ~found if condition.operator == "has_not" else found


def _list(condition: Condition, known: Known, ask: Ask) -> Q:
    list_id = _existing(ContactList, condition.target, "list")
    found = ask(ListMember.objects.filter(contact_list_id=list_id), "contact_id")
    return ~found if condition.operator == "not_in" else found


def _import(condition: Condition, known: Known, ask: Ask) -> Q:
    import_id = _existing(ContactImport, condition.target, "import")
    found = ask(ImportRow.objects.filter(contact_import_id=import_id, contact_id__isnull=False), "contact_id")
    return ~found if condition.operator == "not_in" else found


def _consent(condition: Condition, known: Known, ask: Ask) -> Q:
    if condition.target not in PURPOSES_WITH_CONSENT:
        raise RuleProblem("Choose what the people agreed to.")
    said = ConsentState.objects.filter(purpose=condition.target)
    match condition.operator:
        case "opted_out":
            return ask(said.filter(act=ConsentRecord.Act.OPT_OUT), "number")
        case "opted_in_after":
            agreed = said.filter(act=ConsentRecord.Act.OPT_IN)
            return ask(agreed.filter(since__gte=_begin(_date(condition.value) + timedelta(days=1), known)), "number")
        case "ends_within":
            agreed = said.filter(act=ConsentRecord.Act.OPT_IN).alias(area=Left("number", 5))
            ending = ending_within(_count_of_days(condition.value), condition.target, timezone.now())
            return ask(agreed.filter(ending), "number")
        case _:
            found = ask(said.filter(act=ConsentRecord.Act.OPT_IN), "number")
            return ~found if condition.operator == "not_opted_in" else found


def _suppressed(condition: Condition, known: Known, ask: Ask) -> Q:
    found = ask(Suppression.objects.filter(lifted_at=None), "number")
    return ~found if condition.operator == "no" else found


def _number(condition: Condition, known: Known, ask: Ask) -> Q:
    beginnings = international_starts(condition.value, known.tenant.calling_codes)
    if not beginnings:
        raise RuleProblem("Write the beginning of a number, such as +44 or 212.")
    found = Q()
    for beginning in beginnings:
        found |= starts("number", beginning)
    return ~found if condition.operator == "starts_not" else found


def _first_name(condition: Condition, known: Known, ask: Ask) -> Q:
    return _text("first_key", fold(condition.value), condition.operator)


def _last_name(condition: Condition, known: Known, ask: Ask) -> Q:
    return _text("last_key", fold(condition.value), condition.operator)


def _email(condition: Condition, known: Known, ask: Ask) -> Q:
    return _text("email", condition.value.strip().lower(), condition.operator)


def _language(condition: Condition, known: Known, ask: Ask) -> Q:
    return _text("language", condition.value.strip().lower(), condition.operator)


def _text(column: str, value: str, operator: str) -> Q:
    match operator:
        case "known":
            return ~Q((column, ""))
        case "unknown":
            return Q((column, ""))
        case "starts" | "starts_not":
            return ~starts(column, value) if operator == "starts_not" else starts(column, value)
        case _:
            return ~Q((column, value)) if operator == "is_not" else Q((column, value))


def _wrote(condition: Condition, known: Known, ask: Ask) -> Q:
    return Q(last_inbound_at=None) if condition.operator == "never" else _moment("last_inbound_at", condition, known)


def _created(condition: Condition, known: Known, ask: Ask) -> Q:
    return _moment("created_at", condition, known)


def _updated(condition: Condition, known: Known, ask: Ask) -> Q:
    return _moment("updated_at", condition, known)


def _moment(column: str, condition: Condition, known: Known) -> Q:
    """A moment of the database by days of the tenant's own calendar."""
    match condition.operator:
        case "before":
            return Q((f"{column}__lt", _begin(_date(condition.value), known)))
        case "after":
            return Q((f"{column}__gte", _begin(_date(condition.value) + timedelta(days=1), known)))
        case _:
            found = Q((f"{column}__gte", timezone.now() - timedelta(days=_count_of_days(condition.value))))
            return ~found if condition.operator == "not_last_days" else found


def _existing(model: type[Tag | ContactList | ContactImport], text: str, what: str) -> UUID:
    found = model.objects.filter(id=id_or_none_such(text)).values_list("id", flat=True).first()
    if found is None:
        raise RuleProblem(_GONE.format(what=what))
    return found


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise RuleProblem("Choose a date, written as 2026-03-31.") from None


def _begin(day: date, known: Known) -> datetime:
    return datetime.combine(day, time(), known.tenant.zone).astimezone(UTC)


def _count_of_days(text: str) -> int:
    text = text.strip()
    days = int(text) if text.isdecimal() and len(text) < 7 else 0
    if not 1 <= days <= _MOST_DAYS:
        raise RuleProblem(f"Write a number of days from 1 to {_MOST_DAYS:,}.")
    return days


def _days(condition: Condition, known: Known) -> tuple[date, date]:
    today = timezone.now().astimezone(known.tenant.zone).date()
    days = timedelta(days=_count_of_days(condition.value))
    try:
        return (today, today + days) if condition.operator == "next_days" else (today - days, today)
    except OverflowError:
        raise RuleProblem("Write a smaller number of days.") from None


_SUBJECTS: Final[dict[str, Callable[[Condition, Known, Ask], Q]]] = {
    "field": _field,
    "tag": _tag,
    "list": _list,
    "consent": _consent,
    "suppressed": _suppressed,
    "number": _number,
    "first_name": _first_name,
    "last_name": _last_name,
    "email": _email,
    "language": _language,
    "wrote": _wrote,
    "created": _created,
    "updated": _updated,
    "import": _import,
}
