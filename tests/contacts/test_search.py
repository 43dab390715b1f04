"""Search finds people by the beginning of what is known of them, in the spellings that people type."""

import pytest
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from common.calling_codes import calling_code, countries_like, international_starts
from contacts.among import Asking
from contacts.models import Contact
from contacts.selections import Selection
from contacts.services import (
    add_number,
    create_contact,
    create_field,
    get_or_create_tag,
    tag_contact,
)
from tenants.scope import tenant_scope
from tenants.services import allow_countries
from tests.cast import Cast
from tests.web import sign_in, text_of

PEOPLE = {
    "Ann": ("+12025550101", {"first_name": "Ann", "last_name": "O'Brien", "email": "Ann.OB@Example.com"}),
    "José": ("+12125550102", {"first_name": "José", "last_name": "Müller-Groß"}),
    "Mary": ("+12025550103", {"first_name": "Mary Ann", "last_name": "van der Berg"}),
    "Lee": ("+442079460104", {"first_name": "Lee", "last_name": "Brien"}),
    "李": ("+12025550105", {"first_name": "李", "last_name": "小龙"}),
}


@pytest.fixture
def alice(client: Client, cast: Cast) -> Client:
    return sign_in(client, cast.alice, cast.clinic.tenant)


@pytest.fixture
def people(cast: Cast) -> dict[str, Contact]:
    """The people above; Ann visits in Boston and is a regular, Lee has a second number."""
    tenant = cast.clinic.tenant
    with tenant_scope(tenant.id):
        allow_countries(tenant=tenant, countries=["US", "GB", "FR"])
        create_field(label="City", kind="text")
        create_field(label="Visits", kind="number")
        made = {
            name: create_contact(tenant=tenant, number=number, values=values)
            for name, (number, values) in PEOPLE.items()
            if name != "Ann"
        }
        made["Ann"] = create_contact(
            tenant=tenant, number=PEOPLE["Ann"][0], values=PEOPLE["Ann"][1], fields={"city": "Boston", "visits": "202"}
        )
        tag_contact(contact=made["Ann"], tag=get_or_create_tag(name="Regular guest"))
        add_number(tenant=tenant, contact=made["Lee"], number="+33612345678")
    return made


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("ann", {"Ann"}),
        ("ANN o'b", {"Ann"}),
        ("o\u2019brien", {"Ann"}),
        ("o brien", {"Ann"}),
        ("obrien ann", {"Ann"}),
        ("O'Brien, Ann", {"Ann"}),
        ("brien", {"Lee"}),
        ("jose", {"José"}),
        ("JOSÉ", {"José"}),
        ("mullergross", {"José"}),
        ("muller gross", {"José"}),
        ("mary", {"Mary"}),
        ("mary ann van der", {"Mary"}),
        ("van der berg mary", {"Mary"}),
        ("berg", set()),
        ("李", {"李"}),
        ("小龙 李", {"李"}),
        ("ann.ob@ex", {"Ann"}),
        ("ANN.OB@EXAMPLE.COM", {"Ann"}),
        ("boston", {"Ann"}),
        ("regular", {"Ann"}),
        ("regular guest", {"Ann"}),
        ("guest", set()),
        ("202", {"Ann", "Mary", "李"}),
        ("(202) 555-01", {"Ann", "Mary", "李"}),
        ("+1 202 555 0103", {"Mary"}),
        ("1202555", {"Ann", "Mary", "李"}),
        ("020 7946", {"Lee"}),
        ("7946", set()),
        ("0044 20", {"Lee"}),
        ("+44", {"Lee"}),
        ("06 12 34", {"Lee"}),
        ("+33 6", {"Lee"}),
        ("\uff12\uff10\uff12\uff15\uff15\uff15\uff10\uff11\uff10\uff11", {"Ann"}),
        ("\u0662\u0660\u0662\u0665\u0665\u0665\u0660\u0661\u0660\u0663", {"Mary"}),
        ("%", set()),
        ("_", set()),
        ("'", set()),
        ("---", set()),
        ("+", set()),
        ("0", set()),
        ("a\x00nn", {"Ann"}),
        ("x" * 500, set()),
        ("9" * 500, set()),
        ("a " * 200, set()),
        ("Σ ß İ \U0001f600", set()),
    ],
)
@pytest.mark.usefixtures("people")
def test_who_is_found(alice: Client, text: str, names: set[str]) -> None:
    answer = alice.get(reverse("contacts"), {"q": text})
    assert answer.status_code == 200
    found = {contact.first_name.split()[0] for contact, _, _ in answer.context["rows"]}
    assert found == names
    assert answer.context["count"] == len(names)


def test_the_other_tenants_people_are_not_found(client: Client, cast: Cast, people: dict[str, Contact]) -> None:
    sign_in(client, cast.charlie, cast.shop.tenant)
    for text in ("ann", "boston", "regular", "202", "+33 6"):
        assert client.get(reverse("contacts"), {"q": text}).context["rows"] == []


def test_pages_of_a_search_show_everybody_once_newest_first(cast: Cast) -> None:
    tenant = cast.clinic.tenant
    with tenant_scope(tenant.id):
        create_field(label="City", kind="text")
        for n in range(120):
            # Every third by name, every third by city, some by both.
            fields = {"city": "Boston"} if n % 3 == 1 or n % 10 == 0 else {}
            create_contact(
                tenant=tenant,
                number=f"+1202555{1000 + n}",
                values={"first_name": "Bostjan" if n % 3 == 0 else "Cleo"},
                fields=fields,
            )
        everybody = list(Contact.objects.order_by("-id"))
        expected = [
            each.id for each in everybody if each.first_name == "Bostjan" or each.fields.get("city") == "Boston"
        ]
        selection = Selection({"q": "bost"}, ["1"])
        seen, cursor = [], ""
        while True:
            page = selection.page(cursor)
            seen += [each.id for each in page.rows]
            cursor = page.next
            if not cursor:
                break
        assert seen == expected
        assert len(seen) > 50
        assert selection.count(1_000) == len(expected)
        assert selection.count(10) == 11
        for ask in (Asking(few=0).walked, Asking(few=0).joined):
            assert [each.id for each in selection.page_by(ask, None).rows] == expected[:50]
            assert selection.count_by(ask, 1_000) == len(expected)


@given(st.text(max_size=30))
def test_any_text_can_be_the_beginning_of_a_number_or_not(text: str) -> None:
    for start in international_starts(text, ["1", "44"]):
        assert start[0] == "+"
        assert start[1:].isascii()
        assert start[1:].isdigit()


# --- Allowed countries ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("country", "code", "like"), [("US", "1", "CA"), ("GB", "44", "JE"), ("DE", "49", "DE")])
def test_countries_share_their_calling_code(country: str, code: str, like: str) -> None:
    assert calling_code(country) == code
    assert {country, like} <= countries_like(country)


@pytest.mark.parametrize(
    ("number", "says"),
    [
        ("+1 204 234 5678", ""),
        ("+44 20 7946 0104", "a number of Britain (UK)"),
        ("+800 1234 5678", "an international service number"),
    ],
)
def test_numbers_of_other_countries_are_refused(alice: Client, number: str, says: str) -> None:
    answer = alice.post(reverse("contact_add"), {"number": number})
    assert answer.status_code == (422 if says else 302)
    if says:
        page = text_of(answer)
        assert says in page
        assert "Settings, Countries" in page


def test_allowing_a_country(alice: Client, cast: Cast) -> None:
    assert alice.post(reverse("countries"), {"countries": ["US", "GB"]}).status_code == 302
    assert alice.post(reverse("contact_add"), {"number": "+44 20 7946 0104"}).status_code == 302
    assert alice.post(reverse("contact_add"), {"number": "+1 204 234 5678"}).status_code == 422
    assert "Britain (UK)" in text_of(alice.get(reverse("countries")))
    assert alice.post(reverse("countries"), {"countries": ["XX"]}).status_code == 422
    assert alice.post(reverse("countries"), {}).status_code == 302
    assert alice.post(reverse("contact_add"), {"number": "+1 204 234 5678"}).status_code == 302


@pytest.mark.parametrize("name", ["bob", "vera"])
def test_who_may_not_change_settings_sees_the_countries(client: Client, cast: Cast, name: str) -> None:
    sign_in(client, getattr(cast, name), cast.clinic.tenant)
    assert "United States" in text_of(client.get(reverse("countries")))
    assert client.post(reverse("countries"), {"countries": ["GB"]}).status_code == 403
