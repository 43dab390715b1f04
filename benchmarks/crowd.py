"""A tenant with very many contacts, made set-based: names, cities, tags and lists that are common and that are rare."""

from typing import Final
from uuid import UUID

from django.db import connection
from django.utils import timezone

from common.planner import refresh_statistics
from consent.appending import chained_sql
from consent.models import ConsentRecord, ConsentState, Suppression
from contacts.models import (
    Contact,
    ContactField,
    ContactList,
    ContactNumber,
    ContactTag,
    ContactValue,
    ListMember,
    Tag,
)
from contacts.services import create_field, create_list, get_or_create_tag
from tenants.scope import tenant_scope

__all__ = ["fill"]

_FIRST: Final = (
    "Mary James Ann John Maria Robert Bostjan Linda Ben Susan Carlos Aisha Wei Olga Priya Noah Emma Liam Ava Zoe"
)
_LAST: Final = (
    "Smith Garcia Lee Brown Miller Davis Lopez Wilson Moore Taylor Clark Lewis Young King Wright Hill Green Adams"
)
_CITIES: Final = "Boston Austin Denver Reno Miami Dallas Tampa Omaha Fresno Tulsa"

_CONTACTS: Final = """
WITH names AS (SELECT string_to_array(%(first)s, ' ') AS first, string_to_array(%(last)s, ' ') AS last,
                      string_to_array(%(cities)s, ' ') AS cities),
made AS (
    SELECT n, first[1 + (n::bigint * n + n / 7) %% array_length(first, 1)] || CASE WHEN n %% 3 = 0 THEN ' ' || chr(65 + n %% 26) ELSE '' END AS first,
           last[1 + (n / 3) %% array_length(last, 1)] || chr(97 + n %% 23) || chr(97 + n %% 19) AS last,
           cities[1 + (n * 7) %% array_length(cities, 1)] AS city
    FROM names, generate_series(%(begin)s, %(end)s - 1) AS n
)
INSERT INTO contacts_contact (id, tenant_id, number, first_name, last_name, first_key, last_key, email, language,
                              timezone, last_inbound_at, fields, created_at, updated_at)
SELECT (lpad(to_hex(1760000000000 + n), 12, '0') || '7' || substr(md5(n::text), 1, 3) || '8' || substr(md5(%(tenant)s::text), 1, 15))::uuid,
       %(tenant)s, '+1' || (201 + n %% 700)::text || lpad((2000000 + n)::text, 7, '0'), first, last,
       lower(replace(first, ' ', '')), lower(last),
       CASE WHEN n %% 2 = 0 THEN lower(last) || n || '@x.example' ELSE '' END, CASE WHEN n %% 10 = 0 THEN 'es' ELSE 'en' END, '',
       CASE WHEN n %% 10 = 3 THEN now() - (n %% 400) * interval '1 day' END,
       jsonb_build_object('city', city, 'visits', (n %% 100)::text), now() - (n %% 900) * interval '1 day', now()
FROM made
"""

_VALUES: Final = """
INSERT INTO contacts_contactvalue (tenant_id, field_id, key, contact_id)
SELECT c.tenant_id, f.id, CASE f.kind WHEN 'number' THEN '0' || lpad(c.fields ->> f.key, 15, '0') || '000000'
                                      ELSE lower(c.fields ->> f.key) END, c.id
FROM contacts_contact c JOIN contacts_contactfield f ON f.tenant_id = c.tenant_id
WHERE c.tenant_id = %(tenant)s AND c.fields ? f.key ORDER BY f.id, 3, c.id
"""

_AMONG: Final = """
INSERT INTO {table} (id, tenant_id, {column}, contact_id)
SELECT gen_random_uuid(), tenant_id, %(set)s, id FROM contacts_contact
WHERE tenant_id = %(tenant)s AND substr(number, 6)::bigint %% %(each)s = 1
"""

_RECORDS: Final = chained_sql(
    """
    SELECT gen_random_uuid() AS id, number, 'marketing' AS purpose,
           CASE WHEN substr(number, 6)::bigint %% 100 = 7 THEN 'opt_out' ELSE 'opt_in' END AS act,
           'web_form' AS source, '' AS wording, '{}'::jsonb AS evidence, NULL::uuid AS actor_id, created_at AS occurred_at
    FROM contacts_contact WHERE tenant_id = %(tenant)s AND substr(number, 6)::bigint %% 10 < 8
    """
)

_STATES: Final = """
INSERT INTO consent_consentstate (tenant_id, number, purpose, act, since, record_id)
SELECT tenant_id, number, purpose, act, occurred_at, id
FROM consent_consentrecord WHERE tenant_id = %(tenant)s
"""

_SUPPRESSIONS: Final = """
INSERT INTO consent_suppression (id, tenant_id, number, reason, record_id, since)
SELECT gen_random_uuid(), tenant_id, number, 'opted_out', id, occurred_at
FROM consent_consentrecord WHERE tenant_id = %(tenant)s AND act = 'opt_out'
"""

_FURTHER: Final = """
INSERT INTO contacts_contactnumber (id, tenant_id, contact_id, number, label, created_at)
SELECT gen_random_uuid(), tenant_id, id, '+44' || substr(number, 3), '', now()
FROM contacts_contact WHERE tenant_id = %(tenant)s AND substr(number, 6)::bigint %% 50 = 9
"""

_AT_ONCE: Final = 100_000


def fill(tenant_id: UUID, count: int) -> None:
    """Give a tenant so many contacts: 80 % with consent or an opt-out, half with the tag "common", 60 % in "many"."""
    for begin in range(0, count, _AT_ONCE):
        _run(
            tenant_id,
            _CONTACTS,
            begin=begin,
            end=min(begin + _AT_ONCE, count),
            first=_FIRST,
            last=_LAST,
            cities=_CITIES,
        )
    with tenant_scope(tenant_id):
        create_field(label="City", kind="text")
        create_field(label="Visits", kind="number")
        tags = {name: get_or_create_tag(name=name).id for name in ("common", "rare")}
        lists = {name: create_list(name=name).id for name in ("many", "few")}
    # Or each foreign key of what follows is looked for by an index that seemed as good among no contacts.
    refresh_statistics(Contact)
    _run(tenant_id, _VALUES)
    for name, each in (("common", 2), ("rare", 5_003)):
        _run(tenant_id, _AMONG.format(table="contacts_contacttag", column="tag_id"), set=tags[name], each=each)
    for name, each in (("many", 2), ("few", 4_001)):
        sql = _AMONG.format(table="contacts_listmember", column="contact_list_id")
        _run(tenant_id, sql, set=lists[name], each=each)
    _run(tenant_id, _RECORDS, now=timezone.now())
    refresh_statistics(ConsentRecord)
    for sql in (_STATES, _SUPPRESSIONS, _FURTHER):
        _run(tenant_id, sql)
    refresh_statistics(
        Contact, ContactField, ContactValue, ContactNumber, ContactTag, ListMember, Tag, ContactList,
        ConsentRecord, ConsentState, Suppression,
    )  # fmt: skip


def _run(tenant_id: UUID, sql: str, **values: object) -> None:
    with tenant_scope(tenant_id), connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = '600s'")
        cursor.execute(sql, {"tenant": tenant_id, **values})
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
