"""The columns of the list of contacts: each member chooses them, and a page costs the same whatever they are."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from contacts.models import ContactField
from contacts.services import (
    add_to_list,
    create_contact,
    create_field,
    create_list,
    delete_field,
    get_or_create_tag,
    tag_contact,
)
from tenants.models import Membership
from tenants.scope import tenant_scope
from tests.cast import Cast
from tests.web import sign_in, text_of

HOSTILE = "<script>alert('x')</script>"
ALL = ["tags", "lists", "field:visits", "field:member", "field:birthday", "added"]


@pytest.fixture
def alice(client: Client, cast: Cast) -> Client:
    return sign_in(client, cast.alice, cast.clinic.tenant)


@pytest.fixture(autouse=True)
def fields(cast: Cast) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        for label, kind in (("Visits", "number"), ("Member", "yes_no"), ("Birthday", "date")):
            create_field(label=label, kind=kind)


def people(cast: Cast, numbers: range) -> None:
    tenant = cast.clinic.tenant
    with tenant_scope(tenant.id):
        guests = create_list(name=f"Guests {numbers.start}")
        for n in numbers:
            values = {"visits": "1200", "member": "yes", "birthday": "1990-03-31"}
            contact = create_contact(
                tenant=tenant, number=f"+120255501{n:02d}", values={"first_name": "Ann"}, fields=values
            )
            add_to_list(contact=contact, contact_list=guests)
            for name in ("VIP", HOSTILE):
                tag_contact(contact=contact, tag=get_or_create_tag(name=name))


def choose(client: Client, *columns: str, query: str = "") -> str:
    answer = client.post(reverse("contact_columns"), {"column": columns, "query": query})
    assert answer.status_code == 302
    return str(answer.url)  # type: ignore[attr-defined]


def shown(client: Client) -> list[str]:
    return list(client.get(reverse("contacts")).context["columns"])


def test_a_member_chooses_columns_for_themselves(alice: Client, cast: Cast) -> None:
    people(cast, range(1))
    assert shown(alice) == ["number", "email"]
    assert choose(alice, *ALL, query="q=ann&tag=%00") == f"{reverse('contacts')}?q=ann&tag=%00"
    assert shown(alice) == ["tags", "lists", "added", "field:visits", "field:member", "field:birthday"]
    page = text_of(alice.get(reverse("contacts")))
    for words in ("VIP", "Guests 0", "1,200", "Yes", "March 31, 1990", "Birthday"):
        assert words in page
    assert HOSTILE not in alice.get(reverse("contacts")).content.decode()
    choose(alice)
    assert shown(alice) == []
    vera = sign_in(Client(), cast.vera, cast.clinic.tenant)
    assert shown(vera) == ["number", "email"]
    choose(vera, "email")
    assert (shown(vera), shown(alice)) == (["email"], [])


@pytest.mark.parametrize("columns", [["number; DROP"], ["fields"], ["number", "email", *ALL[:5]], ["\x00"]])
def test_what_cannot_be_shown_is_refused_with_a_reason(alice: Client, cast: Cast, columns: list[str]) -> None:
    people(cast, range(1))
    page = alice.get(choose(alice, *columns))
    assert "olumns" in " ".join(str(message) for message in page.context["messages"])
    assert list(page.context["columns"]) == ["number", "email"]


def test_a_deleted_field_is_no_column_any_more(alice: Client, cast: Cast) -> None:
    people(cast, range(1))
    choose(alice, "field:visits", "number")
    with tenant_scope(cast.clinic.tenant.id):
        delete_field(field=ContactField.objects.get(key="visits"))
    assert shown(alice) == ["number"]


def test_another_tenants_members_are_not_touched(alice: Client, cast: Cast) -> None:
    choose(alice, "email")
    with tenant_scope(cast.shop.tenant.id):
        assert set(Membership.objects.values_list("contact_columns", flat=True)) == {None}


def test_more_people_cost_no_more_queries(alice: Client, cast: Cast) -> None:
    choose(alice, *ALL)
    counts = []
    for numbers in (range(2), range(2, 12)):
        people(cast, numbers)
        alice.get(reverse("contacts"))
        with CaptureQueriesContext(connection) as queries:
            assert len(alice.get(reverse("contacts")).context["rows"]) == numbers.stop
        counts.append(len(queries))
    assert counts[0] == counts[1]
