"""What can be done with filters."""

from collections.abc import Callable
from typing import cast
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.module_loading import import_string

from common.unique import AlreadyThere, unique
from contacts.filters.rules import RuleProblem, read_rule
from contacts.filters.select import check
from contacts.models import ContactFilter
from tenants.audit import record
from tenants.models import Tenant

__all__ = ["MAX_FILTERS", "delete_filter", "save_filter"]

MAX_FILTERS = 200


@transaction.atomic
def save_filter(
    *, tenant: Tenant, kept: ContactFilter, name: str, rule: object, user_id: UUID | None = None
) -> ContactFilter:
    """Keep a new filter or change one; raises ``ValidationError`` for its name or its rule."""
    is_new = kept._state.adding
    if is_new and ContactFilter.objects.count() >= MAX_FILTERS:
        raise ValidationError(
            f"There are {MAX_FILTERS} filters, which is the most. Delete one that nobody needs first."
        )
    before = {"name": kept.name, "rule": kept.rule}
    try:
        check(read_rule(rule), tenant)
    except RuleProblem as problem:
        raise ValidationError({"rule": str(problem)}) from None
    kept.name, kept.rule, kept.updated_at = " ".join(name.split()), rule, timezone.now()
    if is_new:
        kept.created_by_id = user_id
    kept.full_clean(exclude=["tenant", "rule", "created_by"])
    taken = ValidationError({"name": "There is a filter with this name already."})
    if ContactFilter.objects.filter(name__iexact=kept.name).exclude(id=kept.id).exists():
        raise taken
    try:
        with unique():
            kept.save()
    except AlreadyThere:
        raise taken from None
    changed = ["rule"] if before["rule"] != kept.rule else []
    if is_new:
        record("filter.added", target=kept)
    else:
        record(
            "filter.changed",
            target=kept,
            before={"name": before["name"]},
            after={"name": kept.name, "changed": changed},
        )
    return kept


@transaction.atomic
def delete_filter(*, kept: ContactFilter) -> None:
    """Delete a filter; raises ``ValidationError`` while something that is still to happen uses it."""
    # Locked, so that nothing begins to use it meanwhile.
    found = ContactFilter.objects.select_for_update(of=("self",)).filter(id=kept.id).first()
    if found is None:
        return
    for path in settings.FILTER_USES:
        uses = cast(Callable[[ContactFilter], list[str]], import_string(path))(found)
        if uses:
            named = ", ".join(f"“{name}”" for name in uses[:5])
            raise ValidationError(f"It is still used by {named}. Choose another audience there first.")
    record("filter.deleted", target=found)
    found.delete()
