"""Keeping the index of field values true to ``Contact.fields``: set-based, in the caller's transaction.

Every service that changes ``Contact.fields`` calls ``refresh_values`` (or ``add_values`` for new contacts) in the same
transaction; deleting a contact takes its values along.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Final
from uuid import UUID

from django.db import connection

from common.bulk import insert_rows
from contacts.fields import Kind, key_of
from contacts.models import Contact, ContactField, ContactValue
from tenants.scope import current_tenant_id

__all__ = ["add_values", "refresh_values", "wipe_some"]

_WIPED_AT_ONCE: Final = 5_000


def add_values(values: Iterable[tuple[UUID, Mapping[str, str]]]) -> int:
    """Index the fields of contacts that have no values in the index yet; returns how many values went in."""
    tenant_id = current_tenant_id()
    fields = {field.key: (field.id, Kind(field.kind)) for field in ContactField.objects.filter(deleted_at=None)}
    rows = [
        (tenant_id, field[0], key, contact_id)
        for contact_id, own in values
        for name, value in own.items()
        if (field := fields.get(name)) and (key := key_of(value, field[1]))
    ]
    if not rows:
        return 0
    # In the order of the index, so that rows that come together land together.
    rows.sort()
    columns = {"tenant_id": "uuid", "field_id": "uuid", "key": "text", "contact_id": "uuid"}
    return insert_rows(ContactValue._meta.db_table, columns, rows, on_conflict="DO NOTHING")


def refresh_values(contact_ids: Collection[UUID]) -> int:
    """Index the fields of these contacts anew; returns how many values they have now."""
    ids = list(contact_ids)
    if not ids:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM contacts_contactvalue v USING unnest(%s::uuid[]) AS gone(id) "
            "WHERE v.tenant_id = %s AND v.contact_id = gone.id",
            [ids, current_tenant_id()],
        )
    return add_values(Contact.objects.filter(id__in=ids).values_list("id", "fields"))


def wipe_some(field: ContactField) -> bool:
    """Take the values of a deleted field out of some contacts; False when there was nothing left but the field."""
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH chosen AS (SELECT contact_id FROM contacts_contactvalue WHERE tenant_id = %(tenant)s "
            "AND field_id = %(field)s ORDER BY key, contact_id LIMIT %(limit)s), "
            "wiped AS (UPDATE contacts_contact c SET fields = c.fields - %(key)s FROM chosen "
            "WHERE c.tenant_id = %(tenant)s AND c.id = chosen.contact_id) "
            "DELETE FROM contacts_contactvalue v USING chosen "
            "WHERE v.tenant_id = %(tenant)s AND v.field_id = %(field)s AND v.contact_id = chosen.contact_id",
            {"tenant": field.tenant_id, "field": field.id, "limit": _WIPED_AT_ONCE, "key": field.key},
        )
        if cursor.rowcount:
            return True
    field.delete()
    return False
