"""Audiences: who a campaign is for, as lists and tags to include and exclude."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q

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
    contacts = Contact.objects.get_queryset()
    if not audience.everyone:
        contacts = contacts.filter(_in(audience.lists, audience.tags))
    if audience.excluded_lists or audience.excluded_tags:
        contacts = contacts.exclude(_in(audience.excluded_lists, audience.excluded_tags))
    return contacts


def _in(lists: Collection[UUID], tags: Collection[UUID]) -> Q:
    in_lists = ListMember.objects.filter(contact_list_id__in=list(lists)).values("contact_id")
    with_tags = ContactTag.objects.filter(tag_id__in=list(tags)).values("contact_id")
    return Q(id__in=in_lists) | Q(id__in=with_tags)
