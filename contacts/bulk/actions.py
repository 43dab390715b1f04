"""What can be done with thousands of contacts: each action works on a chunk of them, in the caller's transaction.

An action gets contacts that exist and returns those that it changed; for the others there was nothing to do.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Final
from uuid import UUID

from django.db import connection
from django.utils import timezone

from consent.models import ConsentRecord
from consent.services import opt_out_many
from contacts.archive import archive, unarchive
from contacts.erasure import erase
from contacts.exporting.pieces import write_piece
from contacts.models import Contact, ContactJob, ContactNumber
from contacts.values import refresh_values
from contacts.zones import ZoneSource
from tenants.scope import current_tenant_id

__all__ = ["ACTIONS", "CHUNK_ROWS", "COLUMNS"]

Action = Callable[[ContactJob, Collection[UUID]], Collection[UUID]]

COLUMNS: Final = {"language": "Language", "timezone": "Time zone"}
"""Details that many can have in common; the other fields are the tenant's own."""

_CHUNK: Final = 2_000
CHUNK_ROWS: Final[Mapping[str, int]] = {
    **dict.fromkeys(ContactJob.Kind.values, _CHUNK),
    # Whoever records opt-outs holds the tenant's revocation lock, for which hand-overs wait.
    ContactJob.Kind.OPT_OUT: 500,
    ContactJob.Kind.ERASE: 500,
}
"""People in one transaction."""

_JOIN: Final = """
INSERT INTO {table} (id, tenant_id, {column}, contact_id)
SELECT gen_random_uuid(), %(tenant)s, %(target)s, chosen.id FROM unnest(%(ids)s::uuid[]) AS chosen(id) ORDER BY chosen.id
ON CONFLICT DO NOTHING RETURNING contact_id
"""
_LEAVE: Final = """
DELETE FROM {table} WHERE tenant_id = %(tenant)s AND {column} = %(target)s AND contact_id = ANY(%(ids)s::uuid[])
RETURNING contact_id
"""
_SET_FIELD: Final = """
UPDATE contacts_contact c SET fields = CASE WHEN %(value)s = '' THEN c.fields - %(key)s
    ELSE c.fields || jsonb_build_object(%(key)s, %(value)s) END, updated_at = %(now)s
FROM (SELECT id FROM contacts_contact WHERE tenant_id = %(tenant)s AND id = ANY(%(ids)s::uuid[]) ORDER BY id FOR UPDATE) chosen
WHERE c.tenant_id = %(tenant)s AND c.id = chosen.id AND coalesce(c.fields ->> %(key)s, '') <> %(value)s
RETURNING c.id
"""
_SET_COLUMN: Final = """
UPDATE contacts_contact c SET {column} = %(value)s,{further} updated_at = %(now)s
FROM (SELECT id FROM contacts_contact WHERE tenant_id = %(tenant)s AND id = ANY(%(ids)s::uuid[]) ORDER BY id FOR UPDATE) chosen
WHERE c.tenant_id = %(tenant)s AND c.id = chosen.id AND c.{column} <> %(value)s
RETURNING c.id
"""

_ZONE_SOURCE: Final = f" timezone_source = CASE WHEN %(value)s <> '' THEN '{ZoneSource.STAFF}' ELSE '' END,"


def _run(sql: str, ids: Collection[UUID], **facts: object) -> list[UUID]:
    with connection.cursor() as cursor:
        cursor.execute(sql, {"tenant": current_tenant_id(), "ids": list(ids), **facts})  # type: ignore[dict-item]
        return [row[0] for row in cursor.fetchall()]


def _add_tag(job: ContactJob, ids: Collection[UUID]) -> list[UUID]:
    return _run(_JOIN.format(table="contacts_contacttag", column="tag_id"), ids, target=job.parameters["tag"])


def _remove_tag(job: ContactJob, ids: Collection[UUID]) -> list[UUID]:
    return _run(_LEAVE.format(table="contacts_contacttag", column="tag_id"), ids, target=job.parameters["tag"])


def _add_to_list(job: ContactJob, ids: Collection[UUID]) -> list[UUID]:
    sql = _JOIN.format(table="contacts_listmember", column="contact_list_id")
    return _run(sql, ids, target=job.parameters["list"])


def _remove_from_list(job: ContactJob, ids: Collection[UUID]) -> list[UUID]:
    sql = _LEAVE.format(table="contacts_listmember", column="contact_list_id")
    return _run(sql, ids, target=job.parameters["list"])


def _set_field(job: ContactJob, ids: Collection[UUID]) -> list[UUID]:
    key, value = job.parameters["field"], job.parameters["value"]
    if key in COLUMNS:
        sql = _SET_COLUMN.format(column=key, further=_ZONE_SOURCE if key == "timezone" else "")
        return _run(sql, ids, value=value, now=timezone.now())
    changed = _run(_SET_FIELD, ids, key=key, value=value, now=timezone.now())
    refresh_values(changed)
    return changed


def _archive(_job: ContactJob, ids: Collection[UUID]) -> list[UUID]:
    return archive(ids)


def _unarchive(_job: ContactJob, ids: Collection[UUID]) -> list[UUID]:
    return unarchive(ids)


def _erase(_job: ContactJob, ids: Collection[UUID]) -> list[UUID]:
    return erase(ids)


def _opt_out(job: ContactJob, ids: Collection[UUID]) -> set[UUID]:
    """All numbers of these people are texted no more."""
    owners = dict(Contact.objects.filter(id__in=list(ids)).values_list("number", "id"))
    owners |= dict(ContactNumber.objects.filter(contact_id__in=list(ids)).values_list("number", "contact_id"))
    new = opt_out_many(
        numbers=owners,
        source=ConsentRecord.Source.STAFF,
        evidence={"recorded_on": "contact list", "job": str(job.id)},
        actor_id=job.created_by_id,
    )
    return {owners[number] for number in new}


def _export(job: ContactJob, ids: Collection[UUID]) -> Collection[UUID]:
    return write_piece(job, ids)


ACTIONS: Final[Mapping[str, Action]] = {
    ContactJob.Kind.ADD_TAG: _add_tag,
    ContactJob.Kind.REMOVE_TAG: _remove_tag,
    ContactJob.Kind.ADD_TO_LIST: _add_to_list,
    ContactJob.Kind.REMOVE_FROM_LIST: _remove_from_list,
    ContactJob.Kind.SET_FIELD: _set_field,
    ContactJob.Kind.ARCHIVE: _archive,
    ContactJob.Kind.UNARCHIVE: _unarchive,
    ContactJob.Kind.OPT_OUT: _opt_out,
    ContactJob.Kind.ERASE: _erase,
    ContactJob.Kind.EXPORT: _export,
}
