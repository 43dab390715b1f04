"""Making one contact of two: everything of the one goes to the other, which stays.

Consent belongs to numbers and stays with them. Each app above contacts re-points its own rows by a function named in
``MERGE_HANDLERS``. The row of the contact that goes stays as an empty shell, as after erasing.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Final, cast
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.utils import timezone
from django.utils.module_loading import import_string

from contacts.folding import fold
from contacts.models import (
    Contact,
    ContactChange,
    ContactNote,
    ContactNumber,
    DuplicatePair,
    ImportRow,
)
from contacts.values import refresh_values
from tenants.scope import current_tenant_id

__all__ = ["DETAILS", "Handler", "Merger", "merge"]

DETAILS: Final = ("first_name", "last_name", "email", "language", "timezone")


@dataclass(frozen=True, slots=True)
class Merger:
    """Which contact stays, which one goes, and the numbers of the one that goes."""

    kept_id: UUID
    gone_id: UUID
    numbers: Collection[str]


Handler = Callable[[Merger], None]
"""Re-points one app's rows of the contact that goes to the one that stays."""

_MOVE: Final = """
INSERT INTO {table} (id, tenant_id, {column}, contact_id)
SELECT gen_random_uuid(), tenant_id, {column}, %(kept)s FROM {table} WHERE tenant_id = %(tenant)s AND contact_id = %(gone)s
ON CONFLICT DO NOTHING;
DELETE FROM {table} WHERE tenant_id = %(tenant)s AND contact_id = %(gone)s
"""
_SHELL: Final = """
UPDATE contacts_contact SET
    number = '-' || substr(replace(gen_random_uuid()::text, '-', ''), 1, 15),
    first_name = '', last_name = '', first_key = '', last_key = '', email = '', language = '', timezone = '',
    timezone_source = '', fields = '{}', archived_at = now(), erased_at = now(), updated_at = now(), merged_into = %(kept)s
WHERE tenant_id = %(tenant)s AND id = %(gone)s
"""


def merge(kept: Contact, gone: Contact, taken: Collection[str]) -> None:
    """Merge two locked contacts in the caller's transaction; of ``taken`` the values of the one that goes are kept."""
    further = list(ContactNumber.objects.filter(contact=gone).values_list("number", flat=True))
    merger = Merger(kept.id, gone.id, (gone.number, *further))
    for path in settings.MERGE_HANDLERS:
        cast(Handler, import_string(path))(merger)
    ImportRow.objects.filter(contact_id=gone.id).update(contact_id=kept.id)
    for model in (ContactNote, ContactChange, ContactNumber):
        model._default_manager.filter(contact=gone).update(contact=kept)
    DuplicatePair.objects.filter(one=gone).delete()
    DuplicatePair.objects.filter(other=gone).delete()
    facts = {"tenant": str(current_tenant_id()), "kept": str(kept.id), "gone": str(gone.id)}
    with connection.cursor() as cursor:
        cursor.execute(_MOVE.format(table="contacts_contacttag", column="tag_id"), facts)
        cursor.execute(_MOVE.format(table="contacts_listmember", column="contact_list_id"), facts)
        cursor.execute(_SHELL, facts)
    ContactNumber.objects.create(contact=kept, number=gone.number)
    _take_values(kept, gone, taken)
    refresh_values([kept.id, gone.id])


def _take_values(kept: Contact, gone: Contact, taken: Collection[str]) -> None:
    for name in DETAILS:
        if name in taken or not getattr(kept, name):
            setattr(kept, name, getattr(gone, name))
            if name == "timezone":
                kept.timezone_source = gone.timezone_source
    chosen = {key: value for key, value in gone.fields.items() if f"field:{key}" in taken}
    own: Mapping[str, object] = {**gone.fields, **kept.fields, **chosen}
    kept.fields = dict(own)
    kept.first_key, kept.last_key = fold(kept.first_name), fold(kept.last_name)
    kept.updated_at = timezone.now()
    kept.save()
