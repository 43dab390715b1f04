"""Audiences: who a campaign is for, as lists, tags and filters to include and exclude."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import models
from django.db.models import Exists, OuterRef

from contacts.filters.rules import RuleProblem, read_rule
from contacts.filters.select import chosen
from contacts.models import Contact, ContactFilter, ContactTag, ListMember
from contacts.querysets import ContactQuerySet
from tenants.models import Tenant
from tenants.scope import current_tenant_id

__all__ = ["Audience", "members"]


@dataclass(frozen=True, slots=True)
class Audience:
    """Whoever any of the lists, tags or filters contains, or everybody, minus those whom an excluded one contains."""

    lists: Collection[UUID] = ()
    tags: Collection[UUID] = ()
    everyone: bool = False
    excluded_lists: Collection[UUID] = ()
    excluded_tags: Collection[UUID] = ()
    filters: Collection[UUID] = ()
    excluded_filters: Collection[UUID] = ()


def members(audience: Audience) -> ContactQuerySet[Contact]:
    """The active tenant's contacts in the audience, each once, the archived ones aside.

    A filter that cannot be used any more, because its field or list is gone, includes nobody; as an exclusion it
    leaves everybody out, for it cannot be told whom it was to protect.
    """
    contacts = Contact.objects.get_queryset().active()
    if not audience.everyone:
        contacts = contacts.filter(id__in=_contact_ids(audience))
    if audience.excluded_lists:
        contacts = contacts.exclude(Exists(_in_lists(audience.excluded_lists).filter(contact_id=OuterRef("id"))))
    if audience.excluded_tags:
        contacts = contacts.exclude(Exists(_with_tags(audience.excluded_tags).filter(contact_id=OuterRef("id"))))
    for rows in _by_filters(audience.excluded_filters, broken=Contact.objects.get_queryset()):
        contacts = contacts.exclude(Exists(rows.filter(id=OuterRef("id"))))
    return contacts


def _contact_ids(audience: Audience) -> models.QuerySet[Any, Any]:
    """One subquery, which PostgreSQL joins. Several of them with OR it would ask anew for each contact."""
    parts: list[models.QuerySet[Any, Any]] = []
    if audience.lists:
        parts.append(_in_lists(audience.lists).values("contact_id"))
    if audience.tags:
        parts.append(_with_tags(audience.tags).values("contact_id"))
    parts += [rows.values("id") for rows in _by_filters(audience.filters, broken=Contact.objects.get_queryset().none())]
    if not parts:
        return _in_lists(()).values("contact_id")
    return parts[0].union(*parts[1:], all=True) if len(parts) > 1 else parts[0]


def _by_filters(ids: Collection[UUID], *, broken: models.QuerySet[Contact]) -> Iterator[models.QuerySet[Contact]]:
    """Whom each of the filters chooses; ``broken`` for one that cannot be used any more."""
    if not ids:
        return
    tenant = Tenant.objects.get(id=current_tenant_id())
    for kept in ContactFilter.objects.filter(id__in=list(ids)).order_by("id"):
        try:
            yield chosen(read_rule(kept.rule), tenant)
        except RuleProblem:
            yield broken


def _in_lists(lists: Collection[UUID]) -> models.QuerySet[ListMember]:
    return ListMember.objects.filter(contact_list_id__in=list(lists))


def _with_tags(tags: Collection[UUID]) -> models.QuerySet[ContactTag]:
    return ContactTag.objects.filter(tag_id__in=list(tags))
