"""Starting and cancelling bulk actions."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from common.ids import id_or_none_such
from common.places import zone_named
from common.tasks import enqueue_on_commit
from contacts.bulk.actions import COLUMNS
from contacts.exporting.columns import choices
from contacts.fields import ValueProblem, read
from contacts.models import ContactField, ContactJob, ContactJobRow, ContactList, Tag
from contacts.services.lists import get_or_create_tag
from contacts.tasks import run_contact_job
from tenants.audit import record
from tenants.models import Tenant

__all__ = ["MAX_CHOSEN", "People", "cancel_job", "start_job"]

MAX_CHOSEN: Final = 400
"""So many can be chosen one by one; more by a filter."""

_Kind = ContactJob.Kind


@dataclass(frozen=True, slots=True)
class People:
    """Whom a bulk action is about: chosen ones, or everybody whom the filters of the list show."""

    chosen: Collection[UUID] = ()
    query: Mapping[str, str] | None = None
    expected: int | None = None
    """How many, as somebody typed to confirm it: if there are others when it begins, nobody is touched."""


@dataclass(frozen=True, slots=True)
class _Plan:
    about: str = ""
    parameters: Mapping[str, object] = field(default_factory=dict)


@transaction.atomic
def start_job(
    *, tenant: Tenant, kind: str, people: People, values: Mapping[str, str], user_id: UUID | None
) -> ContactJob:
    """Begin a bulk action; raises ``ValidationError`` by field.

    ``values`` is what the kind needs: ``tag`` (a name), ``list`` (an id), ``field`` with ``value``.
    """
    plan = _plan(tenant, kind, values)
    chosen = sorted(set(people.chosen))
    if people.query is None and not chosen:
        raise ValidationError("Choose at least one contact.")
    if people.query is None and len(chosen) > MAX_CHOSEN:
        raise ValidationError(f"At most {MAX_CHOSEN} contacts can be chosen one by one. Use a filter for more.")
    job = ContactJob.objects.create(
        kind=kind,
        about=plan.about[:200],
        parameters=dict(plan.parameters),
        query=None if people.query is None else dict(people.query),
        expected=people.expected,
        rows_total=0 if people.query is not None else len(chosen),
        created_by_id=user_id,
    )
    if people.query is None:
        ContactJobRow.objects.bulk_create(ContactJobRow(job=job, contact_id=one) for one in chosen)
    record("bulk.started", target=job, after={"kind": kind, "people": job.rows_total or None})
    enqueue_on_commit(run_contact_job, str(job.tenant_id), str(job.id))
    return job


@transaction.atomic
def cancel_job(*, job: ContactJob) -> None:
    """Stop a bulk action after the people it is working on now; what is done stays done."""
    # Waits for the chunk under way, so that nothing changes after this.
    found = ContactJob.objects.select_for_update(of=("self",)).get(id=job.id)
    if found.status not in ContactJob.OPEN:
        raise ValidationError("It has ended already.")
    found.status, found.finished_at = ContactJob.Status.CANCELLED, timezone.now()
    found.leased_until, found.query = None, None
    found.save(update_fields=["status", "finished_at", "leased_until", "query"])
    record("bulk.cancelled", target=job, after={"done": found.rows_done})


def _plan(tenant: Tenant, kind: str, values: Mapping[str, str]) -> _Plan:
    if kind not in _Kind.values:
        raise ValidationError({"kind": "Choose what to do."})
    if kind in (_Kind.ADD_TAG, _Kind.REMOVE_TAG):
        tag = _tag(values.get("tag", ""), made=kind == _Kind.ADD_TAG)
        return _Plan(tag.name, {"tag": str(tag.id)})
    if kind in (_Kind.ADD_TO_LIST, _Kind.REMOVE_FROM_LIST):
        found = ContactList.objects.filter(id=id_or_none_such(values.get("list"))).first()
        if found is None:
            raise ValidationError({"list": "Choose a list."})
        return _Plan(found.name, {"list": str(found.id)})
    if kind == _Kind.EXPORT:
        return _file(values)
    return _field(tenant, values) if kind == _Kind.SET_FIELD else _Plan()


def _file(values: Mapping[str, str]) -> _Plan:
    known = dict(choices())
    columns = [key for key in values.get("columns", "").split(",") if key in known]
    if not columns:
        raise ValidationError({"columns": "Choose at least one column."})
    if values.get("format") not in ("csv", "xlsx"):
        raise ValidationError({"format": "Choose what kind of file it shall be."})
    return _Plan(values["format"].upper(), {"columns": columns, "format": values["format"]})


def _tag(name: str, *, made: bool) -> Tag:
    if made:
        return get_or_create_tag(name=name)
    tag = Tag.objects.filter(name__iexact=" ".join(name.split())).first()
    if tag is None:
        raise ValidationError({"tag": "There is no tag with this name."})
    return tag


def _field(tenant: Tenant, values: Mapping[str, str]) -> _Plan:
    key, typed = values.get("field", ""), values.get("value", "").strip()
    if key in COLUMNS:
        if key == "timezone" and typed:
            typed = zone_named(typed)
            if not typed:
                raise ValidationError({"value": "This is no time zone. Write it such as America/New_York."})
        if key == "language" and len(typed) > 10:
            raise ValidationError({"value": "Write the language in short, such as en or es."})
        return _Plan(COLUMNS[key], {"field": key, "value": typed})
    own = ContactField.objects.filter(key=key, deleted_at=None).first()
    if own is None:
        raise ValidationError({"field": "Choose a field."})
    try:
        value = read(typed, own.type, tenant.country)
    except ValueProblem as problem:
        raise ValidationError({"value": str(problem)}) from None
    return _Plan(own.label, {"field": key, "value": value})
