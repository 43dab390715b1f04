"""What the list of contacts asks of PostgreSQL stays on indexes under row-level security, for common and rare matches.

Each case runs as the pages run it. The statements it made are explained again, under the settings they ran under: a case
fails on a sequential scan of a table of contacts.
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import inf
from typing import Any, Final

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from benchmarks.crowd import fill
from benchmarks.crowd_cases import QUICK, RULES, SEARCHES, named
from contacts.among import Asking
from contacts.filters.rules import read_rule
from contacts.filters.select import live_count
from contacts.models import Contact, ContactField, ContactFilter, ContactList, Tag
from contacts.selections import Selection
from tenants.models import Tenant
from tenants.operations import RUNTIME_ROLE
from tenants.scope import tenant_scope
from tests.cast import make_company
from tests.database import empty

pytestmark = [pytest.mark.xdist_group("plans"), pytest.mark.django_db]

PEOPLE: Final = 40_000
OTHERS: Final = 15_000
TABLES: Final = {
    "contacts_contact",
    "contacts_contactnumber",
    "contacts_contactvalue",
    "contacts_contacttag",
    "contacts_listmember",
    "consent_consentstate",
}


@dataclass(frozen=True)
class Crowd:
    """The large tenant and the ids of what it has."""

    tenant: Tenant
    ids: dict[str, str]
    middle: str
    """A contact halfway down the list."""


@pytest.fixture(scope="module")
def crowd(django_db_setup: None, django_db_blocker: Any) -> Iterator[Crowd]:
    """Very many contacts, committed, with another tenant's beside them."""
    with django_db_blocker.unblock():
        tenant = make_company("Crowd", "crowd@crowd.example", "+12025550190").tenant
        other = make_company("Others", "others@crowd.example", "+12025550191").tenant
        fill(tenant.id, PEOPLE)
        fill(other.id, OTHERS)
        with tenant_scope(tenant.id):
            ids = {
                str(each): str(each.pk)
                for model in (ContactField, Tag, ContactList)
                for each in model._default_manager.all()
            }
            middle = str(Contact.objects.order_by("-id").values_list("id", flat=True)[PEOPLE // 2])
        yield Crowd(tenant, ids, middle)
        empty()


# --- Reading plans --------------------------------------------------------------------------------------------------


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for inner in plan.get("Plans", []):
        yield from nodes(inner)


def faults(statements: list[str], most_rows: float) -> list[str]:
    """Sequential scans of tables of contacts, and scans of any kind that touch so many rows."""
    found = []
    for sql in statements:
        if sql.startswith("SET LOCAL enable_seqscan"):
            with connection.cursor() as cursor:
                cursor.execute(sql)
        if not re.match(r"\(?SELECT", sql) or not any(table in sql for table in TABLES):
            continue
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {sql}")
            answer = cursor.fetchone()[0]
        plan = (json.loads(answer) if isinstance(answer, str) else answer)[0]["Plan"]
        scanned = [node["Relation Name"] for node in nodes(plan) if node["Node Type"] == "Seq Scan"]
        found += [f"sequential scan of {table}: {sql[:3000]}" for table in scanned if table in TABLES]
        if max(rows_read(plan), default=0) >= most_rows:
            found.append(f"a scan goes through everybody: {sql[:3000]}")
    return found


def rows_read(plan: dict[str, Any]) -> Iterator[int]:
    """The rows that each scan of a plan touched, those it threw away included."""
    for node in nodes(plan):
        if node.get("Relation Name") in TABLES:
            yield int((node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"])


def faults_of(crowd: Crowd, act: Callable[[], object], *, most_rows: float = inf) -> list[str]:
    with tenant_scope(crowd.tenant.id):
        with CaptureQueriesContext(connection) as captured:
            act()
        return faults([query["sql"] for query in captured], most_rows)


def look(crowd: Crowd, query: dict[str, str], *, deep: bool) -> None:
    """The page and its count, in all ways: rows that name many, and those that name few, looked up."""
    selection, among_many = Selection(query, crowd.tenant.calling_codes), Asking(few=1_000)
    for ask in (among_many.walked, among_many.joined, Asking().walked):
        selection.page_by(ask, crowd.middle if deep else None)
        selection.count_by(ask, 10_000)


# --- The cases ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("deep", [False, True], ids=["first page", "deep page"])
@pytest.mark.parametrize("case", SEARCHES)
def test_searches_stay_on_their_indexes(crowd: Crowd, case: str, deep: bool) -> None:
    assert faults_of(crowd, lambda: look(crowd, {"q": SEARCHES[case]}, deep=deep)) == []


@pytest.mark.parametrize("deep", [False, True], ids=["first page", "deep page"])
@pytest.mark.parametrize("case", QUICK)
def test_quick_filters_stay_on_their_indexes(crowd: Crowd, case: str, deep: bool) -> None:
    query = {name: crowd.ids.get(value, value) for name, value in QUICK[case].items()}
    assert faults_of(crowd, lambda: look(crowd, query, deep=deep)) == []


@pytest.mark.parametrize("deep", [False, True], ids=["first page", "deep page"])
@pytest.mark.parametrize("case", RULES)
def test_filters_stay_on_their_indexes(crowd: Crowd, case: str, deep: bool) -> None:
    rule = read_rule(named(RULES[case], crowd.ids))

    def act() -> None:
        kept = ContactFilter.objects.create(name="Kept", rule=named(RULES[case], crowd.ids))
        look(crowd, {"filter": str(kept.id)}, deep=deep)
        live_count(rule, crowd.tenant, 10_000)

    assert faults_of(crowd, act) == []


# --- That the check can fail ----------------------------------------------------------------------------------------


def test_a_search_without_an_index_is_found(crowd: Crowd) -> None:
    for naive in ({"first_name__icontains": "xaver"}, {"fields__city": "Nowhere"}, {"first_key__startswith": "xaver"}):
        assert faults_of(crowd, lambda naive=naive: list(Contact.objects.filter(**naive)[:50])), naive  # type: ignore[misc]


def test_a_missing_index_is_found(crowd: Crowd) -> None:
    def act() -> None:
        look(crowd, {"q": "xaver"}, deep=False)

    assert faults_of(crowd, act, most_rows=PEOPLE) == []
    with connection.cursor() as cursor:
        # The test's transaction is rolled back, and the index with it.
        cursor.execute(f"SET LOCAL ROLE NONE; DROP INDEX contact_first_key; SET LOCAL ROLE {RUNTIME_ROLE}")
    assert faults_of(crowd, act, most_rows=PEOPLE)
