"""What can be done with the tenant's own fields."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.utils import timezone

from common.bulk import json_rows
from common.tasks import enqueue_on_commit
from common.unique import AlreadyThere, unique
from contacts.fields import CHOICE_LENGTH, MAX_CHOICES, FieldType, Kind, ValueProblem, read
from contacts.folding import fold
from contacts.importing.columns import custom_name
from contacts.models import Contact, ContactField, ContactValue
from contacts.tasks import wipe_field
from contacts.values import refresh_values
from tenants.audit import record
from tenants.models import Tenant

__all__ = [
    "MAX_CONVERTED",
    "MAX_FIELDS",
    "create_field",
    "delete_field",
    "ensure_fields",
    "move_field",
    "read_values",
    "update_field",
]

MAX_FIELDS: Final = 100
MAX_CONVERTED: Final = 20_000
"""So many contacts' values are converted to another kind in one request; the page says so beyond."""
_NAMED_PROBLEMS: Final = 10


def create_field(*, label: str, kind: str, choices: Sequence[str] = ()) -> ContactField:
    """Add a field; raises ``ValidationError`` by field of the form."""
    fields = list(ContactField.objects.all())
    if len(fields) >= MAX_FIELDS:
        raise ValidationError(f"There are {MAX_FIELDS} fields, which is the most. Delete one that nobody needs first.")
    field = ContactField(key=_free_key(label, {field.key for field in fields}), position=_end(fields))
    _describe(field, label, kind, choices)
    try:
        with unique():
            field.save()
    except AlreadyThere:
        raise ValidationError({"label": "There is a field with this name already."}) from None
    record("field.added", target=field, after=_facts(field))
    return field


@transaction.atomic
def update_field(*, tenant: Tenant, field: ContactField, label: str, kind: str, choices: Sequence[str] = ()) -> None:
    """Rename a field or make it another kind; its values are converted.

    Raises ``ValidationError`` naming the values that do not fit the new kind; then nothing has changed.
    """
    field = _locked(field)
    before, old = _facts(field), field.type
    _describe(field, label, kind, choices)
    field.save()
    if field.type != old:
        _convert(tenant, field)
    record("field.changed", target=field, before=before, after=_facts(field))


@transaction.atomic
def move_field(*, field: ContactField, up: bool) -> None:
    """Show a field one place earlier or later."""
    fields = list(
        ContactField.objects.select_for_update(of=("self",)).filter(deleted_at=None).order_by("position", "id")
    )
    if field not in fields:
        return
    place = fields.index(field)
    other = place - 1 if up else place + 1
    if not 0 <= other < len(fields):
        return
    fields[place], fields[other] = fields[other], fields[place]
    for position, each in enumerate(fields):
        each.position = position
    ContactField.objects.bulk_update(fields, ["position"])
    record("field.moved", target=field, before={"position": place}, after={"position": other})


@transaction.atomic
def delete_field(*, field: ContactField) -> None:
    """Delete a field with everybody's values of it. It is gone at once; a task takes the values out of the contacts."""
    field = _locked(field)
    field.deleted_at = timezone.now()
    field.save(update_fields=["deleted_at"])
    record("field.deleted", target=field, before=_facts(field))
    enqueue_on_commit(wipe_field, str(field.tenant_id), str(field.id))


def ensure_fields(*, names: Iterable[str]) -> dict[str, ContactField]:
    """The fields by these keys; those that do not exist yet are added as text fields, as an import does.

    Raises ``ValidationError`` when there would be too many.
    """
    fields = {field.key: field for field in ContactField.objects.all()}
    wanted = list(dict.fromkeys(names))
    going = [name for name in wanted if name in fields and fields[name].deleted_at]
    if going:
        raise ValidationError(
            f"The field “{fields[going[0]].label}” is being deleted. Wait a minute, or give the column another name."
        )
    missing = [name for name in wanted if name not in fields]
    if len(fields) + len(missing) > MAX_FIELDS:
        raise ValidationError(
            f"This would make more than {MAX_FIELDS} fields. Leave columns out that nobody needs, or delete fields."
        )
    position = _end(fields.values())
    for offset, name in enumerate(missing):
        label = name.replace("_", " ").capitalize()
        defaults = {"label": label, "position": position + offset}
        fields[name], added = ContactField.objects.get_or_create(key=name, defaults=defaults)
        if added:
            record("field.added", target=fields[name], after=_facts(fields[name]))
    return {name: fields[name] for name in wanted}


def read_values(values: Mapping[str, str]) -> dict[str, str]:
    """Check values by key for one contact; raises ``ValidationError`` with ``field_<key>`` for each that does not fit."""
    fields = {field.key: field for field in ContactField.objects.filter(key__in=list(values), deleted_at=None)}
    problems: dict[str, str] = {}
    canonical: dict[str, str] = {}
    for key, value in values.items():
        try:
            # Canonical values read the same in every country; the form has read what was typed in this one.
            canonical[key] = read(value, fields[key].type, "US")
        except KeyError:
            problems[f"field_{key}"] = "There is no such field."
        except ValueProblem as problem:
            problems[f"field_{key}"] = str(problem)
    if problems:
        raise ValidationError(problems)
    return canonical


def _describe(field: ContactField, label: str, kind: str, choices: Sequence[str]) -> None:
    field.label = " ".join(label.split())
    field.kind = kind
    field.choices = _checked_choices(choices) if kind == Kind.CHOICE else []
    field.full_clean(exclude=["tenant", "choices"])
    same = ContactField.objects.filter(label__iexact=field.label, deleted_at=None).exclude(id=field.id)
    if same.exists():
        raise ValidationError({"label": "There is a field with this name already."})


def _checked_choices(choices: Iterable[str]) -> list[str]:
    clean = list(dict.fromkeys(filter(None, (" ".join(choice.split()) for choice in choices))))
    if len(clean) < 2:
        raise ValidationError({"choices": "Give at least two choices, one on each line."})
    if len(clean) > MAX_CHOICES:
        raise ValidationError({"choices": f"Give at most {MAX_CHOICES} choices."})
    for choice in clean:
        if len(choice) > CHOICE_LENGTH or "\x00" in choice:
            raise ValidationError(
                {"choices": f"A choice can have {CHOICE_LENGTH} characters. Shorten “{choice[:20]}…”."}
            )
    alike: dict[str, str] = {}
    for choice in clean:
        other = alike.setdefault(fold(choice) or choice, choice)
        if other != choice:
            raise ValidationError({"choices": f"“{other}” and “{choice}” are too much alike."})
    return clean


def _free_key(label: str, taken: Collection[str]) -> str:
    base = custom_name(label) or "field"
    key, number = base, 2
    while key in taken:
        key, number = f"{base[:36]}_{number}", number + 1
    return key


def _end(fields: Iterable[ContactField]) -> int:
    return max((field.position for field in fields), default=-1) + 1


def _facts(field: ContactField) -> dict[str, object]:
    return {"label": field.label, "kind": field.kind, "choices": list(field.choices)}


def _locked(field: ContactField) -> ContactField:
    found = ContactField.objects.select_for_update(of=("self",)).filter(id=field.id, deleted_at=None).first()
    if found is None:
        raise ValidationError("This field was deleted meanwhile.")
    return found


def _convert(tenant: Tenant, field: ContactField) -> None:
    """Make all values fit the field's type, or say which do not."""
    having = ContactValue.objects.filter(field=field)
    ids: list[UUID] = list(having.values_list("contact_id", flat=True)[: MAX_CONVERTED + 1])
    if len(ids) > MAX_CONVERTED:
        raise ValidationError(
            {"kind": f"More than {MAX_CONVERTED:,} contacts have a value here. Add a new field and import the values."}
        )
    contacts = Contact.objects.select_for_update(of=("self",)).filter(id__in=ids).order_by("id")
    values = [(contact.tenant_id, contact.id, contact.fields.get(field.key, "")) for contact in contacts]
    new = _read_all({value for _, _, value in values}, field.type, tenant.country)
    changed = [(tenant_id, contact_id, new[value]) for tenant_id, contact_id, value in values if new[value] != value]
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE contacts_contact c SET fields = jsonb_set(c.fields, ARRAY[%s], to_jsonb(r.value)), updated_at = now() "
            "FROM json_to_recordset(%s) AS r(tenant_id uuid, id uuid, value text) "
            "WHERE c.tenant_id = r.tenant_id AND c.id = r.id",
            [field.key, json_rows(("tenant_id", "id", "value"), changed)],
        )
    refresh_values(ids)


def _read_all(values: Collection[str], field: FieldType, country: str) -> dict[str, str]:
    read_as: dict[str, str] = {}
    unfit: list[str] = []
    for value in values:
        try:
            read_as[value] = read(value, field, country)
        except ValueProblem:
            unfit.append(value)
    if unfit:
        named = ", ".join(f"“{value[:40]}”" for value in sorted(unfit)[:_NAMED_PROBLEMS])
        more = f" and {len(unfit) - _NAMED_PROBLEMS} more" if len(unfit) > _NAMED_PROBLEMS else ""
        raise ValidationError({"kind": f"These values do not fit: {named}{more}. Change them first."})
    return read_as
