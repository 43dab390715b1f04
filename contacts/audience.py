"""Audiences: who a campaign is for, as lists and tags to include and exclude."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import models
from django.db.models import Exists, OuterRef

from contacts.models import Contact, ContactTag, ListMember
from contacts.querysets import ContactQuerySet

__all__ = ["Audience", "members"]


@dataclass(frozen=True, slots=True)
class Audience:
    """Members of any of the lists or tags, or everybody, minus members of the excluded lists and tags."""

    lists: Collection[UUID] = ()
    tags: Collection[UUID] = ()
    everyone: bool = False
    excluded_lists: Collection[UUID] = ()
    excluded_tags: Collection[UUID] = ()


def members(audience: Audience) -> ContactQuerySet[Contact]:
    """The active tenant's contacts in the audience, each once."""
    contacts = Contact.objects.get_queryset().active()
    if not audience.everyone:
        contacts = contacts.filter(id__in=_contact_ids(audience.lists, audience.tags))
    if audience.excluded_lists:
        contacts = contacts.exclude(Exists(_in_lists(audience.excluded_lists).filter(contact_id=OuterRef("id"))))
    if audience.excluded_tags:
        contacts = contacts.exclude(Exists(_with_tags(audience.excluded_tags).filter(contact_id=OuterRef("id"))))
    return contacts


def _contact_ids(lists: Collection[UUID], tags: Collection[UUID]) -> models.QuerySet[Any, Any]:
    """One subquery, which PostgreSQL joins. Two of them with OR it would ask anew for each contact."""
    in_lists = _in_lists(lists).values("contact_id")
    with_tags = _with_tags(tags).values("contact_id")
    if not tags:
        return in_lists
    return in_lists.union(with_tags, all=True) if lists else with_tags


def _in_lists(lists: Collection[UUID]) -> models.QuerySet[ListMember]:
    return ListMember.objects.filter(contact_list_id__in=list(lists))


def _with_tags(tags: Collection[UUID]) -> models.QuerySet[ContactTag]:
    return ContactTag.objects.filter(tag_id__in=list(tags))
