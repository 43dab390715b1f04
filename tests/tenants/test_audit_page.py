"""The audit page: every entry is a sentence, filters are answered by an index, and the file holds what the page shows."""

import csv
import io
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from common.ids import created_at, first_id, uuid7
from contacts.services import create_contact, create_list, delete_list, update_contact
from tenants.audit import Actor, acting, record
from tenants.audit_log import BY_PLATFORM, BY_PRODUCT, AuditSearch, entries
from tenants.models import AuditEntry, Membership, User
from tenants.scope import tenant_scope
from tenants.services import change_role
from tests.cast import Cast
from tests.web import confirm, sign_in, text_of

ADA = Actor("Ada", by_platform=True)


@pytest.fixture
def mona(client: Client, cast: Cast) -> Client:
    return sign_in(client, cast.mona, cast.clinic.tenant)


def bob(cast: Cast) -> Membership:
    return Membership.objects.get(user=cast.bob)


def as_member(user: User) -> Actor:
    return Actor(str(user), user.id, "203.0.113.7")


def words(answer: Any) -> str:
    """The page as one line of text."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", text_of(answer)))


@pytest.mark.parametrize(("name", "status"), [("alice", 200), ("mona", 200), ("bob", 403), ("vera", 403)])
def test_owners_and_managers_see_it(client: Client, cast: Cast, name: str, status: int) -> None:
    sign_in(client, getattr(cast, name), cast.clinic.tenant)
    assert client.get(reverse("audit_log")).status_code == status
    assert client.post(reverse("audit_export")).status_code == status
    assert (reverse("audit_log") in text_of(client.get(reverse("team")))) is (status == 200)


def test_an_entry_reads_as_a_sentence(mona: Client, cast: Cast) -> None:
    with tenant_scope(cast.clinic.tenant.id), acting(as_member(cast.alice)):
        change_role(membership=bob(cast), role="viewer")
    page = words(mona.get(reverse("audit_log")))
    assert "alice@clinic.example changed the role of" in page
    assert "Role agent became viewer" in page
    assert "from 203.0.113.7" in page


def test_what_still_exists_is_linked_and_what_does_not_is_named(mona: Client, cast: Cast) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        contact = create_contact(tenant=cast.clinic.tenant, number="+12025550101", values={"first_name": "Ann"})
        update_contact(contact=contact, values={"first_name": "Annabel"})
        gone = create_list(name="Old list")
        delete_list(contact_list=gone)
    answer = mona.get(reverse("audit_log"))
    assert f'<a href="{reverse("contact", args=[contact.id])}">Annabel</a>' in text_of(answer)
    assert "deleted the list Old list" in words(answer)
    assert '<a href="/contacts/lists/">Old list</a>' not in text_of(answer)
    with tenant_scope(cast.clinic.tenant.id):
        kept = AuditEntry.objects.filter(target_id=contact.id)
        assert all("Ann" not in f"{row.target_name}{row.before}{row.after}" for row in kept)


def test_names_are_shown_as_text(mona: Client, cast: Cast) -> None:
    with tenant_scope(cast.clinic.tenant.id), acting(Actor("<b>Eve</b>")):
        record("list.renamed", target_name="<script>x</script>", before={"name": "<i>a"}, after={"name": "&amp;"})
    source = mona.get(reverse("audit_log")).content.decode()
    for hostile in ("<b>Eve", "<script>x", "<i>a"):
        assert hostile not in source
    assert "&amp;amp;" in source


def test_what_a_platform_admin_did_is_marked(mona: Client, cast: Cast) -> None:
    with tenant_scope(cast.clinic.tenant.id), acting(ADA):
        record("list.created", target_name="By support")
    assert "Ada Platform admin made the list By support" in words(mona.get(reverse("audit_log"), {"by": "platform"}))


def test_the_other_tenants_entries_are_not_there(mona: Client, cast: Cast) -> None:
    with tenant_scope(cast.shop.tenant.id):
        record("list.created", target_name="Secret list")
    assert "Secret list" not in words(mona.get(reverse("audit_log")))
    assert "Secret list" not in export(mona)


FILTERS: dict[str, Callable[[Cast], tuple[dict[str, str], set[str]]]] = {
    "nothing": lambda _: ({}, {"by alice", "by bob", "by ada", "by nobody"}),
    "a person": lambda c: ({"by": str(c.bob.id)}, {"by bob"}),
    "the platform": lambda _: ({"by": BY_PLATFORM}, {"by ada"}),
    "the product": lambda _: ({"by": BY_PRODUCT}, {"by nobody"}),
    "a kind": lambda _: ({"about": "tag"}, {"by bob"}),
    "both": lambda c: ({"about": "list", "by": str(c.bob.id)}, set()),
    "from today": lambda _: ({"since": f"{_today():%Y-%m-%d}"}, {"by alice", "by bob", "by ada", "by nobody"}),
    "until yesterday": lambda _: ({"until": f"{_today() - timedelta(days=1):%Y-%m-%d}"}, set()),
}


def _today() -> datetime:
    from zoneinfo import ZoneInfo

    return datetime.now(ZoneInfo("America/New_York"))


@pytest.mark.parametrize("name", FILTERS)
def test_filters(mona: Client, cast: Cast, name: str) -> None:
    query, expected = FILTERS[name](cast)
    with tenant_scope(cast.clinic.tenant.id):
        for actor, action in ((as_member(cast.alice), "list.created"), (as_member(cast.bob), "tag.created")):
            with acting(actor):
                record(action, target_name=f"by {actor.name.partition('@')[0].lower()}")
        with acting(ADA):
            record("list.created", target_name="by ada")
        record("list.created", target_name="by nobody")
    page, file = words(mona.get(reverse("audit_log"), query)), export(mona, query)
    everything = {"by alice", "by bob", "by ada", "by nobody"}
    assert {text for text in everything if text in page} == expected
    assert {text for text in everything if text in file} == expected


def test_a_day_is_the_tenants_day() -> None:
    at = datetime(2026, 3, 8, 4, 30, tzinfo=UTC)
    assert created_at(first_id(at)) == at
    assert first_id(at) < first_id(at + timedelta(milliseconds=1))
    before, made, after = datetime.now(UTC) - timedelta(seconds=1), uuid7(), datetime.now(UTC) + timedelta(seconds=1)
    assert first_id(before) < made < first_id(after)


@pytest.mark.parametrize(
    "query",
    [
        {"since": "yesterday"},
        {"since": "0001-01-01"},
        {"until": "9999-12-31"},
        {"since": "2026-05-02", "until": "2026-05-01"},
        {"by": "nobody"},
        {"about": "x\x00"},
        {"target": "1"},
    ],
)
def test_filters_that_cannot_be_meant_are_explained(mona: Client, query: dict[str, str]) -> None:
    answer = mona.get(reverse("audit_log"), query)
    assert answer.status_code == 422
    assert "These filters cannot be used" in text_of(answer)
    assert mona.post(reverse("audit_export"), query).status_code == 302


@pytest.mark.parametrize("cursor", ["", "x", "\x00", "ffffffff-ffff-ffff-ffff-ffffffffffff"])
def test_odd_cursors_begin_at_the_front(mona: Client, cursor: str) -> None:
    assert mona.get(reverse("audit_log"), {"before": cursor}).status_code == 200


def test_pages_follow_each_other_without_gap(mona: Client, cast: Cast) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        for number in range(120):
            record("list.created", target_name=f"List-{number:03}")
    seen: list[str] = []
    address = reverse("audit_log")
    while address:
        source = text_of(mona.get(address))
        seen += re.findall(r"List-\d{3}", source)
        following = re.search(r'href="(\?before=[^"]+)" rel="next"', source)
        address = reverse("audit_log") + following.group(1) if following else ""
    once = list(dict.fromkeys(seen))
    assert once == [f"List-{number:03}" for number in reversed(range(120))]


def export(client: Client, query: dict[str, str] | None = None) -> str:
    answer: Any = client.post(reverse("audit_export"), query or {})
    assert answer["Content-Disposition"].startswith('attachment; filename="audit-log-')
    return b"".join(answer.streaming_content).decode()


def test_the_file_holds_safe_cells_and_is_recorded_itself(
    mona: Client, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tenants.audit_export.PAGE", 2)
    with tenant_scope(cast.clinic.tenant.id):
        for number in range(5):
            record("list.created", target_name=f"=cmd|{number}")
    rows = list(csv.DictReader(io.StringIO(export(mona, {"about": "list"}).removeprefix("\ufeff"))))
    assert [row["Name"] for row in rows] == [f"'=cmd|{number}" for number in reversed(range(5))]
    assert rows[0]["What"] == "made the list =cmd|4"
    page = words(mona.get(reverse("audit_log"), {"about": "audit"}))
    assert "Mona exported the audit log" in page
    assert "About list" in page


def test_whoever_exports_has_confirmed_recently(mona: Client, cast: Cast) -> None:
    confirm(mona, cast.mona, seconds_ago=3600)
    answer = mona.post(reverse("audit_export"), HTTP_REFERER="http://testserver/settings/audit/")
    assert answer.status_code == 302
    assert "/accounts/" in answer["Location"]


MANY = """
INSERT INTO tenants_auditentry (id, tenant_id, at, action, actor_id, actor_name, by_platform, target_kind, target_id,
                                target_name, before, after)
SELECT (lpad(to_hex(1700000000000 + n * 10000::bigint), 12, '0') || '70008000' || lpad(to_hex(n), 12, '0'))::uuid,
       %(tenant)s, to_timestamp(1700000000 + n * 10), CASE n %% 4 WHEN 0 THEN 'list.created' ELSE 'contact.changed' END,
       CASE n %% 3 WHEN 0 THEN %(alice)s WHEN 1 THEN %(bob)s END::uuid, 'Somebody', n %% 5000 = 0, 'contact',
       md5((n %% 100000)::text)::uuid, '', '{}', '{}'
FROM generate_series(1, 100000) n
"""


@pytest.mark.django_db(transaction=True)
def test_many_entries_are_found_by_an_index(cast: Cast) -> None:
    tenant = cast.clinic.tenant
    with tenant_scope(tenant.id), connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")
        cursor.execute(MANY, {"tenant": tenant.id, "alice": cast.alice.id, "bob": cast.bob.id})
    with connection.cursor() as cursor:
        cursor.execute("SELECT refresh_statistics(%s)", [[AuditEntry._meta.db_table]])
    week = {"since": datetime(2023, 11, 17).date(), "until": datetime(2023, 11, 24).date()}  # noqa: DTZ001
    with tenant_scope(tenant.id):
        target = AuditEntry.objects.order_by("id").values_list("target_id", flat=True)[500]
        searches = [
            AuditSearch(),
            AuditSearch(by=str(cast.alice.id)),
            AuditSearch(by=str(cast.mona.id)),
            AuditSearch(by=BY_PLATFORM),
            AuditSearch(by=BY_PRODUCT),
            AuditSearch(noun="list"),
            AuditSearch(noun="member"),
            AuditSearch(target=target),
            AuditSearch(zone=tenant.timezone, **week),
            AuditSearch(by=str(cast.bob.id), noun="contact", zone=tenant.timezone, **week),
        ]
        for search in searches:
            plan, read = explain(search)
            assert "Seq Scan" not in plan, (search, plan)
            assert read <= 2_000, (search, plan)


def explain(search: AuditSearch) -> tuple[str, int]:
    """The plan of a page, and how many rows it read at most in one of its steps."""
    rows = entries(search).order_by("-id")[:51]
    plan = str(rows.explain(analyze=True, costs=False, timing=False))
    counts = [
        int(number)
        for number in re.findall(r"actual rows=(\d+)|Rows Removed by Filter: (\d+)", plan)
        for number in number
        if number
    ]
    return plan, max(counts)
