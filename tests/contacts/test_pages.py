"""The pages of contacts and lists: who may open them, what they answer, and that nothing typed is lost or executed."""

from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from consent.ledger import OptIn
from consent.models import ConsentRecord, ConsentState
from consent.services import is_suppressed, opt_in, opt_out
from contacts.models import Contact, ContactList, ContactTag, ListMember, Tag
from contacts.services import add_to_list, create_contact, create_list, get_or_create_tag, tag_contact
from tenants.scope import tenant_scope
from tests.cast import Cast, Company
from tests.web import sign_in

HOSTILE = "<script>alert('x')</script>\"><b>"
NUMBER = "+12025550101"


@dataclass(frozen=True)
class Stock:
    """What a company has on its pages: a contact, in a list, with a tag."""

    contact: Contact
    contact_list: ContactList
    tag: Tag


def stock(company: Company, number: str = NUMBER, **values: str) -> Stock:
    with tenant_scope(company.tenant.id):
        contact = create_contact(
            tenant=company.tenant, number=number, values={"first_name": "Ann", "last_name": "Alba"} | values
        )
        contact_list, tag = create_list(name="Guests"), get_or_create_tag(name="VIP")
        add_to_list(contact=contact, contact_list=contact_list)
        tag_contact(contact=contact, tag=tag)
    return Stock(contact, contact_list, tag)


@pytest.fixture
def clinic(cast: Cast) -> Stock:
    return stock(cast.clinic)


@pytest.fixture
def alice(client: Client, cast: Cast) -> Client:
    return sign_in(client, cast.alice, cast.clinic.tenant)


def agree(company: Company, number: str, purpose: str = "marketing") -> None:
    with tenant_scope(company.tenant.id):
        opt_in(opt_in=OptIn(number, purpose, "paper", wording="Signed at the desk"))


Address = Callable[[Stock], str]

READ: dict[str, tuple[Address, set[str]]] = {
    "contacts": (lambda has: reverse("contacts"), {"alice", "mona", "bob", "vera"}),
    "lists": (lambda has: reverse("lists"), {"alice", "mona", "bob", "vera"}),
    "add": (lambda has: reverse("contact_add"), {"alice", "mona", "bob"}),
    "edit": (lambda has: reverse("contact_edit", args=[has.contact.id]), {"alice", "mona", "bob"}),
    "opt-in": (lambda has: reverse("contact_opt_in", args=[has.contact.id]), {"alice", "mona", "bob"}),
    "imports": (lambda has: reverse("imports"), {"alice", "mona"}),
}

WRITE: dict[str, tuple[Address, dict[str, str]]] = {
    "edit": (lambda has: reverse("contact_edit", args=[has.contact.id]), {"first_name": "Changed"}),
    "opt-in": (
        lambda has: reverse("contact_opt_in", args=[has.contact.id]),
        {"purpose": "reminder", "source": "paper", "wording": "Form 7"},
    ),
    "opt-out": (lambda has: reverse("contact_opt_out", args=[has.contact.id]), {}),
    "tag": (lambda has: reverse("contact_tag", args=[has.contact.id]), {"tag": "new"}),
    "list add": (lambda has: reverse("contact_list_add", args=[has.contact.id]), {"list": str(uuid4())}),
    "list remove": (lambda has: reverse("contact_list_remove", args=[has.contact.id, has.contact_list.id]), {}),
    "list rename": (lambda has: reverse("list_rename", args=[has.contact_list.id]), {"name": "Changed"}),
    "list delete": (lambda has: reverse("list_delete", args=[has.contact_list.id]), {}),
}


@pytest.mark.parametrize("name", ["alice", "mona", "bob", "vera"])
@pytest.mark.parametrize("page", READ)
def test_each_page_opens_for_those_who_may(client: Client, cast: Cast, clinic: Stock, page: str, name: str) -> None:
    address, readers = READ[page]
    sign_in(client, getattr(cast, name), cast.clinic.tenant)
    assert client.get(address(clinic)).status_code == (200 if name in readers else 403)


@pytest.mark.parametrize("page", READ)
def test_whoever_is_signed_out_is_led_to_the_log_in(client: Client, clinic: Stock, page: str) -> None:
    address = READ[page][0](clinic)
    answer = client.get(address)
    assert answer.status_code == 302
    assert answer.url == f"{reverse('account_login')}?next={address.replace('/', '%2F')}"  # type: ignore[attr-defined]


@pytest.mark.parametrize("act", WRITE)
def test_a_viewer_changes_nothing(client: Client, cast: Cast, clinic: Stock, act: str) -> None:
    address, data = WRITE[act]
    sign_in(client, cast.vera, cast.clinic.tenant)
    assert client.post(address(clinic), data).status_code == 403
    assert unchanged(cast, clinic)


@pytest.mark.parametrize("act", WRITE)
def test_another_tenants_ids_do_not_exist(client: Client, cast: Cast, clinic: Stock, act: str) -> None:
    address, data = WRITE[act]
    sign_in(client, cast.charlie, cast.shop.tenant)
    assert client.post(address(clinic), data).status_code == 404
    assert unchanged(cast, clinic)


@pytest.mark.parametrize("page", ["edit", "opt-in"])
def test_another_tenants_pages_do_not_exist(client: Client, cast: Cast, clinic: Stock, page: str) -> None:
    sign_in(client, cast.charlie, cast.shop.tenant)
    assert client.get(READ[page][0](clinic)).status_code == 404


def unchanged(cast: Cast, has: Stock) -> bool:
    with tenant_scope(cast.clinic.tenant.id):
        return (
            Contact.objects.get(id=has.contact.id).first_name == "Ann"
            and not is_suppressed(number=has.contact.number)
            and not ConsentRecord.objects.exists()
            and ContactTag.objects.count() == 1
            and ListMember.objects.count() == 1
            and ContactList.objects.get(id=has.contact_list.id).name == "Guests"
        )


# --- The list of contacts -----------------------------------------------------------------------------------------


def names_on(answer: Any) -> set[str]:
    return {contact.first_name for contact, _, _ in answer.context["rows"]}


@pytest.fixture
def four(alice: Client, cast: Cast, clinic: Stock) -> None:
    """Ann opted in, Ben opted out of everything without ever agreeing, Cleo agreed and left, Dan never said a word."""
    with tenant_scope(cast.clinic.tenant.id):
        for name, number in (("Ben", "+12025550102"), ("Cleo", "+12025550103"), ("Dan", "+12025550104")):
            create_contact(tenant=cast.clinic.tenant, number=number, values={"first_name": name})
    agree(cast.clinic, NUMBER)
    agree(cast.clinic, "+12025550103")
    with tenant_scope(cast.clinic.tenant.id):
        opt_out(number="+12025550102", source="reply", wording="STOP")
        opt_out(number="+12025550103", source="reply", wording="STOP")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, {"Ann", "Ben", "Cleo", "Dan"}),
        ({"q": "an"}, {"Ann"}),
        ({"q": "alba"}, {"Ann"}),
        ({"q": "(202) 555-0102"}, {"Ben"}),
        ({"q": "nobody"}, set()),
        ({"q": " \x00a\x00n\x00 "}, {"Ann"}),
        ({"consent": "opt_in"}, {"Ann"}),
        ({"consent": "opt_out"}, {"Ben", "Cleo"}),
        ({"consent": "none"}, {"Dan"}),
        ({"consent": "sideways", "list": "no-id", "tag": "'\"", "before": "no-id"}, {"Ann", "Ben", "Cleo", "Dan"}),
    ],
)
@pytest.mark.usefixtures("four")
def test_search_and_filters(alice: Client, query: dict[str, str], expected: set[str]) -> None:
    answer = alice.get(reverse("contacts"), query)
    assert answer.status_code == 200
    assert names_on(answer) == expected


@pytest.mark.usefixtures("four")
def test_lists_and_tags_filter(alice: Client, clinic: Stock) -> None:
    for query in ({"list": str(clinic.contact_list.id)}, {"tag": str(clinic.tag.id)}):
        answer = alice.get(reverse("contacts"), query)
        assert names_on(answer) == {"Ann"}
        assert f'<option value="{next(iter(query.values()))}" selected>' in answer.content.decode()


@pytest.mark.usefixtures("four")
def test_consent_is_shown_in_words(alice: Client) -> None:
    answer = alice.get(reverse("contacts"))
    shown = {contact.first_name: consent for contact, consent, _ in answer.context["rows"]}
    assert shown == {"Ann": "opted_in", "Ben": "opted_out", "Cleo": "opted_out", "Dan": "none"}
    page = answer.content.decode()
    assert all(word in page for word in ("Opted in", "Opted out", "No consent"))


@pytest.mark.usefixtures("clinic")
def test_htmx_gets_the_rows_alone_and_the_way_back_the_whole_page(alice: Client) -> None:
    rows = alice.get(reverse("contacts"), headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in rows
    assert 'id="contacts"' in rows
    assert 'id="filters-end"' in rows
    back = alice.get(reverse("contacts"), headers={"HX-Request": "true", "HX-History-Restore-Request": "true"})
    assert "<html" in back.content.decode()


def test_pages_follow_one_another(alice: Client, cast: Cast) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        Contact.objects.bulk_create(Contact(number=f"+1{area}5550{n}") for area in (202, 212) for n in range(100, 140))
    first = alice.get(reverse("contacts"))
    second = alice.get(reverse("contacts"), {"before": first.context["page"].next})
    numbers = [contact.number for answer in (first, second) for contact, _, _ in answer.context["rows"]]
    assert (len(numbers), len(set(numbers))) == (80, 80)
    assert "First page" in second.content.decode()
    assert 'rel="next"' not in second.content.decode()


@pytest.mark.parametrize(("name", "offers"), [("alice", "Import contacts"), ("bob", "Add a contact"), ("vera", "")])
def test_the_empty_page_starts_the_job(client: Client, cast: Cast, name: str, offers: str) -> None:
    page = sign_in(client, getattr(cast, name), cast.clinic.tenant).get(reverse("contacts")).content.decode()
    assert "No contacts yet" in page
    assert offers in page
    assert (reverse("contact_add") in page) is (name != "vera")


# --- Adding and changing ------------------------------------------------------------------------------------------


def test_adding_somebody(alice: Client, cast: Cast) -> None:
    answer = alice.post(reverse("contact_add"), {"number": "(202) 555-0105", "first_name": " Eve ", "language": "es"})
    with tenant_scope(cast.clinic.tenant.id):
        eve = Contact.objects.get(number="+12025550105")
    assert (eve.first_name, eve.language) == ("Eve", "es")
    assert answer.url == reverse("contact", args=[eve.id])  # type: ignore[attr-defined]
    form = alice.get(reverse("contact_add"), {"number": "+12025550106\x00"}).context["form"]
    assert form["number"].value() == "+12025550106"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({}, "This field is required."),
        ({"number": ""}, "This field is required."),
        ({"number": "12"}, "No such number can exist"),
        ({"number": "call me"}, "This is not a phone number."),
        ({"number": "2025550105", "email": "nowhere"}, "Enter a valid email address."),
        ({"number": "2025550105", "timezone": "Mars/Base"}, "There is no such time zone."),
        ({"number": "2025550105", "first_name": "x" * 81}, "at most 80 characters"),
        ({"number": "202555\x000105"}, "Null characters are not allowed."),
    ],
)
def test_a_bad_contact_is_refused_with_a_reason(alice: Client, cast: Cast, data: dict[str, str], message: str) -> None:
    answer = alice.post(reverse("contact_add"), data | {"last_name": "Kept"})
    assert answer.status_code == 422
    page = answer.content.decode()
    assert message in page
    assert 'value="Kept"' in page
    with tenant_scope(cast.clinic.tenant.id):
        assert not Contact.objects.exists()


@pytest.mark.usefixtures("clinic")
def test_a_number_that_is_known_leads_to_its_contact(alice: Client, clinic: Stock) -> None:
    answer = alice.post(reverse("contact_add"), {"number": "202-555-0101", "first_name": "Annie"})
    assert answer.status_code == 422
    page = answer.content.decode()
    assert f'<a href="{reverse("contact", args=[clinic.contact.id])}">Ann Alba</a>' in page
    assert 'value="Annie"' in page


def test_changing_details_leaves_the_number(alice: Client, cast: Cast, clinic: Stock) -> None:
    alice.post(WRITE["edit"][0](clinic), {"first_name": "Anne", "number": "+12025550199"})
    with tenant_scope(cast.clinic.tenant.id):
        assert Contact.objects.values_list("first_name", "last_name", "number").get() == ("Anne", "", NUMBER)


def test_a_bad_change_keeps_what_was_typed(alice: Client, clinic: Stock) -> None:
    answer = alice.post(WRITE["edit"][0](clinic), {"first_name": "Anne", "email": "nowhere"})
    assert answer.status_code == 422
    assert 'value="Anne"' in answer.content.decode()
    assert 'value="nowhere"' in answer.content.decode()


# --- Consent ------------------------------------------------------------------------------------------------------


def test_an_opt_in_is_recorded_with_who_wrote_it_down(alice: Client, cast: Cast, clinic: Stock) -> None:
    alice.post(WRITE["opt-in"][0](clinic), WRITE["opt-in"][1])
    with tenant_scope(cast.clinic.tenant.id):
        record = ConsentRecord.objects.get()
        assert (record.purpose, record.source, record.wording, record.actor_id) == (
            "reminder",
            "paper",
            "Form 7",
            cast.alice.id,
        )


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({}, "This field is required."),
        ({"source": "verbal"}, "Offers need agreement in writing."),
        ({"wording": " "}, "This field is required."),
        ({"purpose": "everything"}, "Select a valid choice."),
    ],
)
def test_an_opt_in_without_proof_is_refused(
    alice: Client, cast: Cast, clinic: Stock, data: dict[str, str], message: str
) -> None:
    whole = {"purpose": "marketing", "source": "paper", "wording": "Kept words"}
    answer = alice.post(WRITE["opt-in"][0](clinic), whole | data if data else {})
    assert answer.status_code == 422
    page = answer.content.decode()
    assert message in page
    assert ("Kept words" in page) is bool(data and "wording" not in data)
    with tenant_scope(cast.clinic.tenant.id):
        assert not ConsentRecord.objects.exists()


def test_staff_cannot_opt_in_for_somebody_who_opted_out(alice: Client, cast: Cast, clinic: Stock) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        opt_out(number=NUMBER, source="reply", wording="STOP")
    address, data = WRITE["opt-in"]
    assert "Only they can come back" in alice.get(address(clinic)).content.decode()
    answer = alice.post(address(clinic), data)
    assert answer.status_code == 422
    assert "This person opted out." in answer.content.decode()
    with tenant_scope(cast.clinic.tenant.id):
        assert not ConsentState.objects.filter(act="opt_in").exists()


def test_an_opt_out_recorded_by_staff_holds_at_once(alice: Client, cast: Cast, clinic: Stock) -> None:
    answer = alice.post(WRITE["opt-out"][0](clinic), follow=True)
    assert "This number gets no more texts." in answer.content.decode()
    with tenant_scope(cast.clinic.tenant.id):
        assert is_suppressed(number=NUMBER)
    assert alice.get(WRITE["opt-out"][0](clinic)).status_code == 405


# --- Lists and tags -----------------------------------------------------------------------------------------------


def test_tags_come_and_go(alice: Client, cast: Cast, clinic: Stock) -> None:
    address = WRITE["tag"][0](clinic)
    alice.post(address, {"tag": "  regular   guest "})
    alice.post(address, {"remove": str(clinic.tag.id)})
    alice.post(address, {"remove": "no-id"})
    with tenant_scope(cast.clinic.tenant.id):
        carried = ContactTag.objects.filter(contact=clinic.contact).values("tag_id")
        assert list(Tag.objects.filter(id__in=carried).values_list("name", flat=True)) == ["regular guest"]


@pytest.mark.parametrize("tag", ["", "   ", "x" * 41])
def test_a_bad_tag_is_refused(alice: Client, cast: Cast, clinic: Stock, tag: str) -> None:
    answer = alice.post(WRITE["tag"][0](clinic), {"tag": tag}, follow=True)
    assert "Give the tag a name of at most 40 characters." in answer.content.decode()
    with tenant_scope(cast.clinic.tenant.id):
        assert Tag.objects.count() == 1


def test_lists_can_be_joined_and_left(alice: Client, cast: Cast, clinic: Stock) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        other = create_list(name="Others")
    alice.post(WRITE["list add"][0](clinic), {"list": str(other.id)})
    alice.post(WRITE["list remove"][0](clinic))
    with tenant_scope(cast.clinic.tenant.id):
        assert list(ListMember.objects.values_list("contact_list_id", flat=True)) == [other.id]
    assert alice.post(WRITE["list add"][0](clinic), {"list": "no-id"}).status_code == 404


def test_a_list_is_made_renamed_and_deleted(alice: Client, cast: Cast, clinic: Stock) -> None:
    alice.post(reverse("lists"), {"name": "Spring"})
    alice.post(WRITE["list rename"][0](clinic), {"name": "Regulars"})
    page = alice.get(reverse("lists")).content.decode()
    assert "Spring" in page
    assert f"{reverse('contacts')}?list={clinic.contact_list.id}" in page
    assert f"{reverse('campaign_new')}?list={clinic.contact_list.id}" in page
    answer = alice.post(WRITE["list delete"][0](clinic), follow=True)
    assert "Its contacts are kept." in answer.content.decode()
    with tenant_scope(cast.clinic.tenant.id):
        assert list(ContactList.objects.values_list("name", flat=True)) == ["Spring"]
        assert Contact.objects.exists()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "This field is required."),
        ("x" * 81, "at most 80 characters"),
        ("gUESTS 2", "There is a list with this name"),
    ],
)
def test_a_bad_list_name_is_refused_and_kept(alice: Client, cast: Cast, clinic: Stock, name: str, message: str) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        create_list(name="Guests 2")
    for address in (reverse("lists"), WRITE["list rename"][0](clinic)):
        answer = alice.post(address, {"name": name})
        assert answer.status_code == 422
        assert message in answer.content.decode()
        assert not name or f'value="{name}"' in answer.content.decode()
    with tenant_scope(cast.clinic.tenant.id):
        assert set(ContactList.objects.values_list("name", flat=True)) == {"Guests", "Guests 2"}


def test_a_viewer_is_shown_no_buttons_that_would_be_refused(client: Client, cast: Cast, clinic: Stock) -> None:
    sign_in(client, cast.vera, cast.clinic.tenant)
    page = client.get(reverse("lists")).content.decode()
    for address in (WRITE["list rename"][0](clinic), WRITE["list delete"][0](clinic), reverse("imports")):
        assert address not in page
    assert reverse("contact_add") not in client.get(reverse("contacts")).content.decode()


# --- Hostile input ------------------------------------------------------------------------------------------------


def test_names_are_shown_and_never_run(alice: Client, cast: Cast) -> None:
    hostile = stock(cast.clinic, first_name=HOSTILE)
    with tenant_scope(cast.clinic.tenant.id):
        create_list(name=HOSTILE)
        tag_contact(contact=hostile.contact, tag=get_or_create_tag(name=HOSTILE))
    for name in ("contacts", "lists", "edit", "opt-in"):
        page = alice.get(READ[name][0](hostile)).content.decode()
        assert HOSTILE not in page, name
        assert escape(HOSTILE) in page, name


def test_searches_are_shown_and_never_run(alice: Client, clinic: Stock) -> None:
    page = alice.get(reverse("contacts"), {"q": HOSTILE}).content.decode()
    assert HOSTILE not in page
    assert f'value="{escape(HOSTILE)}"' in page
