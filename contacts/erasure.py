"""Erasing people: what is about them goes, what law and the platform's promises require stays without their name.

Each app erases its own tables: those above contacts are named in ``ERASURE_HANDLERS``. The entries
of the consent ledger stay without saying whom they are about, and a suppression as a keyed hash of the number, so that
nothing is sent after an opt-out; messages stay as figures (number, status,
parts, times) without their text. The contact's row stays as an empty shell that no query of ``Contact.objects`` finds,
so that those figures need no change, and no index on every table that names a contact.
"""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final, cast
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.utils.module_loading import import_string

from consent.erasure import erase_people
from contacts.erased_files import erase_from_imports
from contacts.exporting.pieces import forget_people
from contacts.models import Contact, ContactChange, ContactNote, ContactNumber, ContactTag, ListMember
from contacts.values import refresh_values
from tenants.scope import current_tenant_id

__all__ = ["Handler", "People", "erase"]


@dataclass(frozen=True, slots=True)
class People:
    """Whom to erase: their contacts, all their numbers, their e-mail addresses."""

    contact_ids: Collection[UUID]
    numbers: Collection[str]
    emails: Collection[str]


Handler = Callable[[People], None]
"""Erases one app's data of some people of the active tenant, in a constant number of statements."""

_EMPTY_SHELLS: Final = """
UPDATE contacts_contact SET
    number = '-' || substr(replace(gen_random_uuid()::text, '-', ''), 1, 15),
    first_name = '', last_name = '', first_key = '', last_key = '', email = '', language = '', timezone = '',
    timezone_source = '', fields = '{}', archived_at = now(), erased_at = now(), updated_at = now()
WHERE tenant_id = %(tenant)s AND id = ANY(%(ids)s::uuid[])
"""


def erase(contact_ids: Collection[UUID]) -> list[UUID]:
    """Erase contacts in the caller's transaction; returns those there were. Nothing of it can be brought back."""
    people = _lock(contact_ids)
    if not people.contact_ids:
        return []
    for path in settings.ERASURE_HANDLERS:
        cast(Handler, import_string(path))(people)
    forget_people(people.contact_ids)
    erase_people(numbers=people.numbers)
    erase_from_imports(people.contact_ids, people.numbers, people.emails)
    for model in (ContactNote, ContactChange, ListMember, ContactTag, ContactNumber):
        model._default_manager.filter(contact_id__in=people.contact_ids).delete()
    with connection.cursor() as cursor:
        cursor.execute(_EMPTY_SHELLS, {"tenant": current_tenant_id(), "ids": list(people.contact_ids)})
    refresh_values(people.contact_ids)
    return list(people.contact_ids)


def _lock(contact_ids: Collection[UUID]) -> People:
    """The people, locked in the order of their ids, as everybody locks many rows."""
    rows = Contact.objects.select_for_update(of=("self",)).filter(id__in=list(contact_ids)).order_by("id")
    found = list(rows.values_list("id", "number", "email"))
    ids = [contact_id for contact_id, _, _ in found]
    further = ContactNumber.objects.filter(contact_id__in=ids).values_list("number", flat=True)
    return People(
        contact_ids=ids,
        numbers=sorted({number for _, number, _ in found} | set(further)),
        emails=sorted({re.sub(r"\s", "", email).lower() for _, _, email in found if email}),
    )
