"""Several numbers of one person: one is preferred, each belongs to nobody else, and consent stays with the number."""

import threading
from urllib.parse import quote

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client
from django.urls import reverse

from consent.models import ConsentRecord
from consent.services import is_suppressed, opt_out
from contacts.models import Contact, ContactNumber
from contacts.services import add_number, create_contact, prefer_number, remove_number
from contacts.services.numbers import MAX_FURTHER_NUMBERS
from messaging.models import InboundMessage
from tenants.models import AuditEntry, Tenant
from tenants.scope import tenant_scope
from tests.cast import Cast, make_company
from tests.web import sign_in, text_of

HOME, WORK, OTHER = "+12025550101", "+12025550102", "+12025550103"


@pytest.fixture
def alice(client: Client, cast: Cast) -> Client:
    return sign_in(client, cast.alice, cast.clinic.tenant)


@pytest.fixture
def ann(cast: Cast) -> Contact:
    """Ann, with a second number for work."""
    with tenant_scope(cast.clinic.tenant.id):
        ann = create_contact(tenant=cast.clinic.tenant, number=HOME, values={"first_name": "Ann"})
        add_number(tenant=cast.clinic.tenant, contact=ann, number=WORK, label="work")
    return ann


def further_of(cast: Cast, number: str = WORK) -> ContactNumber:
    with tenant_scope(cast.clinic.tenant.id):
        return ContactNumber.objects.select_related("contact").get(number=number)


def test_a_number_is_added_by_hand(alice: Client, cast: Cast, ann: Contact) -> None:
    answer = alice.post(
        reverse("contact_number_add", args=[ann.id]), {"number": "(202) 555-0103", "label": " my  mum "}
    )
    assert answer.status_code == 302
    assert further_of(cast, OTHER).label == "my mum"
    page = text_of(alice.get(reverse("contact", args=[ann.id])))
    assert all(shown in page for shown in ("(202) 555-0102", "(202) 555-0103", "my mum", "(preferred)"))


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("", "This field is required."),
        ("12", "No such number can exist"),
        ("555-0100", "check the digits and the area code"),
        ("\x00", "Null characters are not allowed."),
        ("9" * 41, "at most 40 characters"),
        (HOME, "This person has this number already."),
        (WORK, "This person has this number already."),
        ("+1 202 555 0104", "Ben Bay has this number already."),
        ("+1 202 555 0105", "Ben Bay has this number already."),
    ],
)
def test_a_number_that_cannot_be_added_says_why(alice: Client, cast: Cast, ann: Contact, typed: str, says: str) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        ben = create_contact(
            tenant=cast.clinic.tenant, number="+12025550104", values={"first_name": "Ben", "last_name": "Bay"}
        )
        add_number(tenant=cast.clinic.tenant, contact=ben, number="+12025550105")
    answer = alice.post(reverse("contact_number_add", args=[ann.id]), {"number": typed, "label": "kept"})
    assert answer.status_code == 422
    page = text_of(answer)
    assert says in page
    assert 'value="kept"' in page


def test_there_is_an_end_to_the_numbers_of_one_person(cast: Cast, ann: Contact) -> None:
    tenant = cast.clinic.tenant
    with tenant_scope(tenant.id):
        for n in range(1, MAX_FURTHER_NUMBERS):
            add_number(tenant=tenant, contact=ann, number=f"+1202555{200 + n:04}")
        with pytest.raises(ValidationError, match="Remove one first"):
            add_number(tenant=tenant, contact=ann, number=OTHER)


def test_another_tenant_may_know_the_same_number(cast: Cast, ann: Contact) -> None:
    with tenant_scope(cast.shop.tenant.id):
        assert create_contact(tenant=cast.shop.tenant, number=WORK, values={}).number == WORK


@pytest.mark.usefixtures("ann")
def test_nobody_else_is_created_with_a_further_number(alice: Client) -> None:
    answer = alice.post(reverse("contact_add"), {"number": WORK, "first_name": "Ben"})
    assert answer.status_code == 422
    assert "This number is known already" in text_of(answer)
    assert "Ann" in text_of(answer)


def test_the_preferred_number_changes_places(alice: Client, cast: Cast, ann: Contact) -> None:
    further = further_of(cast)
    assert alice.post(reverse("contact_number_prefer", args=[ann.id, further.id])).status_code == 302
    with tenant_scope(cast.clinic.tenant.id):
        assert Contact.objects.get(id=ann.id).number == WORK
        assert ContactNumber.objects.get(contact=ann).number == HOME
        assert Contact.objects.by_number(HOME).get() == Contact.objects.by_number(WORK).get() == ann


def test_consent_stays_with_its_number(alice: Client, cast: Cast, ann: Contact) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        opt_out(number=HOME, source="reply", wording="STOP")
        prefer_number(further=further_of(cast))
        assert is_suppressed(number=HOME)
        assert not is_suppressed(number=WORK)
    address = reverse("contact", args=[ann.id])
    assert "This number gets no texts" not in text_of(alice.get(address))
    page = text_of(alice.get(f"{address}?number={quote(HOME)}"))
    assert "This number gets no texts" in page
    assert "Agreements and opt-outs belong to a number" in page


def test_an_act_of_consent_is_about_the_number_on_the_page(alice: Client, cast: Cast, ann: Contact) -> None:
    opt_in = {"purpose": "reminder", "source": "paper", "wording": "Form 7"}
    page = f"{reverse('contact_opt_in', args=[ann.id])}?number={quote(WORK)}"
    assert "(202) 555-0102" in text_of(alice.get(page))
    assert alice.post(page, opt_in).status_code == 302
    alice.post(reverse("contact_opt_out", args=[ann.id]), {"number": WORK})
    with tenant_scope(cast.clinic.tenant.id):
        assert set(ConsentRecord.objects.values_list("number", flat=True)) == {WORK}


@pytest.mark.parametrize("number", [OTHER, "\x00", "x" * 500])
def test_no_consent_of_a_number_that_is_not_theirs(alice: Client, cast: Cast, ann: Contact, number: str) -> None:
    assert alice.post(reverse("contact_opt_out", args=[ann.id]), {"number": number}).status_code == 404
    assert alice.get(reverse("contact", args=[ann.id]), {"number": number}).status_code == 200
    with tenant_scope(cast.clinic.tenant.id):
        assert not ConsentRecord.objects.exists()


def test_a_number_is_taken_away(alice: Client, cast: Cast, ann: Contact) -> None:
    further = further_of(cast)
    address = reverse("contact_number_remove", args=[ann.id, further.id])
    assert alice.post(address).status_code == 302
    assert alice.post(address).status_code == 404
    with tenant_scope(cast.clinic.tenant.id):
        assert not Contact.objects.by_number(WORK).exists()
        assert create_contact(tenant=cast.clinic.tenant, number=WORK, values={}).number == WORK


@pytest.mark.parametrize("act", [prefer_number, remove_number])
def test_a_page_that_is_out_of_date_changes_nothing(cast: Cast, ann: Contact, act: object) -> None:
    further = further_of(cast)
    with tenant_scope(cast.clinic.tenant.id):
        prefer_number(further=further_of(cast))
        with pytest.raises(ValidationError, match="Look at them again"):
            act(further=further)  # type: ignore[operator]
        assert Contact.objects.get(id=ann.id).number == WORK


@pytest.mark.parametrize("number", ["+12025550102", "555-0102", "2025550102", "20255501"])
def test_search_finds_further_numbers(alice: Client, ann: Contact, number: str) -> None:
    rows = alice.get(reverse("contacts"), {"q": number}).context["rows"]
    assert [contact for contact, _, _ in rows] == ([] if number == "555-0102" else [ann])


def test_a_text_from_a_further_number_is_theirs(alice: Client, cast: Cast, ann: Contact) -> None:
    from messaging.providers.base import InboundText
    from messaging.services.receiving import receive
    from support.services import note_inbound

    text = InboundText("SM" + "1" * 32, cast.clinic.sender.value, WORK, "Am I early?")
    with tenant_scope(cast.clinic.tenant.id):
        inbound = receive(cast.clinic.account, text)
        assert inbound is not None
        assert inbound.contact == ann
        conversation = note_inbound(inbound=InboundMessage.objects.get())
    assert "Ann" in text_of(alice.get(reverse("conversation", args=[conversation.id])))
    timeline = text_of(alice.get(reverse("contact", args=[ann.id])))
    assert "Am I early?" in timeline
    with tenant_scope(cast.clinic.tenant.id):
        remove_number(further=further_of(cast))
    assert "This number is not in your contacts" in text_of(alice.get(reverse("conversation", args=[conversation.id])))


def test_the_audit_log_knows_without_the_number(cast: Cast, ann: Contact) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        prefer_number(further=further_of(cast))
        remove_number(further=further_of(cast, HOME))
        entries = list(AuditEntry.objects.filter(action__startswith="contact.number").order_by("id"))
    acts = ["contact.number_added", "contact.number_preferred", "contact.number_removed"]
    assert [entry.action for entry in entries] == acts
    assert not any("555" in f"{entry.target_name}{entry.before}{entry.after}" for entry in entries)


@pytest.mark.parametrize("act", ["contact_number_prefer", "contact_number_remove"])
def test_another_tenants_numbers_do_not_exist(client: Client, cast: Cast, ann: Contact, act: str) -> None:
    further = further_of(cast)
    sign_in(client, cast.charlie, cast.shop.tenant)
    assert client.post(reverse(act, args=[ann.id, further.id])).status_code == 404
    assert client.post(reverse("contact_number_add", args=[ann.id]), {"number": OTHER}).status_code == 404
    assert further_of(cast) == further


@pytest.mark.django_db(transaction=True)
def test_two_at_once_cannot_give_one_number_to_two_people() -> None:
    """One adds it as a further number while the other makes a contact of it: the second waits, and is told."""
    tenant = make_company("Harbor Clinic", "alice@clinic.example", "+12025550190").tenant
    with tenant_scope(tenant.id):
        ann = create_contact(tenant=tenant, number=HOME, values={"first_name": "Ann"})
    refused: list[str] = []
    other = threading.Thread(target=_create_meanwhile, args=(tenant, refused))
    with tenant_scope(tenant.id):
        add_number(tenant=tenant, contact=ann, number=WORK)
        other.start()
        other.join(timeout=0.4)
    other.join()
    assert refused == ["A contact with this number exists already."]
    with tenant_scope(tenant.id):
        assert Contact.objects.count() == 1


def _create_meanwhile(tenant: Tenant, refused: list[str]) -> None:
    try:
        with tenant_scope(tenant.id):
            create_contact(tenant=tenant, number=WORK, values={})
    except ValidationError as error:
        refused.extend(error.messages)
    finally:
        connection.close()
