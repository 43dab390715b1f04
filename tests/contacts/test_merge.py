"""Duplicates: who may be the same person, and two contacts that become one without losing anything."""

from threading import Barrier, Thread
from typing import Any
from uuid import UUID

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client
from django.urls import reverse

from campaigns.launch import plan_campaign
from campaigns.models import CampaignRecipient
from campaigns.services import launch
from consent.ledger import OptIn
from consent.models import ConsentRecord
from consent.services import is_suppressed, opt_in, opt_out
from contacts.duplicates import find_duplicates
from contacts.models import (
    Contact,
    ContactNote,
    ContactNumber,
    ContactTag,
    ContactValue,
    DuplicatePair,
    DuplicateSearch,
    ImportRow,
    ListMember,
)
from contacts.services import (
    add_note,
    add_number,
    add_to_list,
    archive_contact,
    create_contact,
    create_field,
    create_list,
    get_or_create_tag,
    merge_contacts,
    start_search,
    tag_contact,
)
from contacts.tasks import resume_searches
from messaging.models import InboundMessage, Message
from support.models import Conversation
from support.services import note_inbound
from tenants.models import AuditEntry
from tenants.scope import tenant_scope
from tests.campaigns.conftest import make_draft, make_list
from tests.cast import Cast, make_cast
from tests.contacts.test_import import load
from tests.web import sign_in, text_of

ANN, ANNA, THIRD = "+12025550101", "+12025550102", "+12025550103"


@pytest.fixture
def cast(transactional_db: None) -> Cast:
    """Committed, because searches and merges commit."""
    return make_cast()


def person(cast: Cast, number: str, first: str = "", fields: dict[str, str] | None = None, **values: str) -> Contact:
    with tenant_scope(cast.clinic.tenant.id):
        return create_contact(
            tenant=cast.clinic.tenant, number=number, values={"first_name": first, **values}, fields=fields or {}
        )


def search(cast: Cast) -> set[tuple[UUID, UUID, str]]:
    with tenant_scope(cast.clinic.tenant.id):
        job = start_search(user_id=cast.mona.id)
    find_duplicates(cast.clinic.tenant.id, job.id)
    with tenant_scope(cast.clinic.tenant.id):
        return set(DuplicatePair.objects.filter(dismissed_at=None).values_list("one_id", "other_id", "why"))


# --- Finding ------------------------------------------------------------------------------------------------------


def test_who_may_be_the_same_person(cast: Cast) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        zip_code = create_field(label="Zip code", kind="text").key
        color = create_field(label="Color", kind="text").key
    a = person(cast, ANN, "Ann", last_name="Lee", email="ann@mail.example", fields={zip_code: "10001", color: "red"})
    b = person(cast, ANNA, "Anna", email="ANN@mail.example")
    c = person(cast, THIRD, "ANN", last_name="Lée", fields={zip_code: "10001"})
    person(cast, "+12025550104", "Ann", last_name="Lee", fields={color: "red"})
    person(cast, "+12025550105", "Ann", last_name="Lee", fields={zip_code: "20002"})
    person(cast, "+12025550106", "", fields={zip_code: "10001"})
    assert search(cast) == {(a.id, b.id, "email"), (a.id, c.id, "name")}
    with tenant_scope(cast.clinic.tenant.id):
        archive_contact(contact=b)
    assert search(cast) == {(a.id, c.id, "name")}


def test_an_address_of_many_tells_nothing(cast: Cast) -> None:
    for n in range(21):
        person(cast, f"+120255501{n:02d}", f"P{n}", email="info@company.example")
    assert search(cast) == set()


def test_a_dismissed_pair_is_never_offered_again(client: Client, cast: Cast) -> None:
    a, b = person(cast, ANN, email="a@mail.example"), person(cast, ANNA, email="a@mail.example")
    assert search(cast) == {(a.id, b.id, "email")}
    sign_in(client, cast.mona, cast.clinic.tenant)
    assert "a@mail.example" in text_of(client.get(reverse("duplicates")))
    with tenant_scope(cast.clinic.tenant.id):
        pair = DuplicatePair.objects.get()
    client.post(reverse("pair_dismiss", args=[pair.id]))
    assert search(cast) == set()
    assert "No duplicates" in text_of(client.get(reverse("duplicates")))


def test_a_search_that_was_lost_is_done_by_the_sweep_and_one_is_enough(client: Client, cast: Cast) -> None:
    person(cast, ANN, email="a@mail.example")
    person(cast, ANNA, email="a@mail.example")
    sign_in(client, cast.mona, cast.clinic.tenant)
    for _ in range(2):
        client.post(reverse("duplicates_find"))
    assert "A search is under way" in text_of(client.get(reverse("duplicates")))
    resume_searches()
    with tenant_scope(cast.clinic.tenant.id):
        assert [job.found for job in DuplicateSearch.objects.all()] == [1]


def test_people_of_two_tenants_are_never_a_pair(cast: Cast) -> None:
    person(cast, ANN, email="a@mail.example")
    with tenant_scope(cast.shop.tenant.id):
        create_contact(tenant=cast.shop.tenant, number=ANN, values={"email": "a@mail.example"})
    assert search(cast) == set()


# --- Merging ------------------------------------------------------------------------------------------------------


def test_nothing_is_lost(cast: Cast) -> None:
    load(cast, f"phone,first name,city\n{ANN},Ann,Rome\n{ANNA},Anna,Oslo\n")
    with tenant_scope(cast.clinic.tenant.id):
        ann, anna = Contact.objects.get(number=ANN), Contact.objects.get(number=ANNA)
        guests, vip = create_list(name="Guests"), get_or_create_tag(name="VIP")
        for contact in (ann, anna):
            add_to_list(contact=contact, contact_list=guests)
        tag_contact(contact=anna, tag=vip)
        add_note(contact=anna, body="Prefers mornings", author_id=cast.bob.id)
        add_number(tenant=cast.clinic.tenant, contact=anna, number=THIRD)
        Contact.objects.filter(id=anna.id).update(email="anna@mail.example", language="es")
        opt_out(number=ANNA, source="reply", wording="STOP")
        text = InboundMessage.objects.create(
            provider_account=cast.clinic.account,
            provider_message_id="SIM1",
            sender=cast.clinic.sender,
            number=ANNA,
            contact=anna,
            body="Hello?",
        )
        note_inbound(inbound=text)
        records = ConsentRecord.objects.count()
        merge_contacts(kept=ann, gone=anna, taken=["first_name"])
        ann.refresh_from_db()
        assert (ann.number, ann.first_name, ann.email, ann.language) == (ANN, "Anna", "anna@mail.example", "es")
        assert ann.fields == {"city": "Rome"}
        assert set(ContactNumber.objects.values_list("number", "contact_id")) == {(ANNA, ann.id), (THIRD, ann.id)}
        assert {row.contact_id for row in ListMember.objects.all()} == {ann.id}
        assert {row.contact_id for row in ContactTag.objects.all()} == {ann.id}
        assert {row.contact_id for row in ContactNote.objects.all()} == {ann.id}
        assert {row.contact_id for row in ContactValue.objects.all()} == {ann.id}
        assert {row.contact_id for row in ImportRow.objects.all()} == {ann.id}
        assert (InboundMessage.objects.get().contact_id, Conversation.objects.get().contact_id) == (ann.id, ann.id)
        assert Contact.objects.owners([ANN, ANNA, THIRD]) == {ANN: ann, ANNA: ann, THIRD: ann}
        assert (is_suppressed(number=ANN), is_suppressed(number=ANNA)) == (False, True), "consent stays by number"
        assert ConsentRecord.objects.count() == records
        assert not Contact.objects.filter(id=anna.id).exists()
        entry = AuditEntry.objects.get(action="contact.merged")
        assert (entry.target_id, entry.target_name) == (ann.id, "")
        assert "Anna" not in str(entry.after)


@pytest.mark.parametrize("when", ["frozen", "planned"])
def test_campaigns_reach_the_person_once(cast: Cast, when: str) -> None:
    people = make_list(cast.clinic, [ANN, ANNA])
    draft = make_draft(cast.clinic, people)
    with tenant_scope(cast.clinic.tenant.id):
        opt_in(opt_in=OptIn(THIRD, "marketing", "paper"))
        launch(campaign=draft)
        ann, anna = Contact.objects.get(number=ANN), Contact.objects.get(number=ANNA)
    plan_campaign(cast.clinic.tenant.id, draft.id, seconds=0 if when == "frozen" else 10)
    with tenant_scope(cast.clinic.tenant.id):
        merge_contacts(kept=ann, gone=anna)
    plan_campaign(cast.clinic.tenant.id, draft.id)
    with tenant_scope(cast.clinic.tenant.id):
        assert CampaignRecipient.objects.count() == 2
        told = {message.number: (message.status, message.decision["rule"]) for message in Message.objects.all()}
    if when == "frozen":
        assert told == {ANN: ("queued", "all_rules_passed"), ANNA: ("blocked", "one_per_number")}
    else:
        assert told == dict.fromkeys((ANN, ANNA), ("queued", "all_rules_passed"))


def test_the_page_asks_field_by_field(client: Client, cast: Cast) -> None:
    ann, anna = person(cast, ANN, "Ann", email="ann@mail.example"), person(cast, ANNA, "Anna")
    sign_in(client, cast.mona, cast.clinic.tenant)
    address = reverse("contact_merge", args=[ann.id, anna.id])
    page = text_of(client.get(address))
    assert 'name="first_name"' in page
    assert 'name="email"' not in page, "only one of them has an address"
    assert "Merging cannot be undone" in page
    assert client.post(address, {"first_name": "sideways"}).status_code == 422
    answer: Any = client.post(address, {"first_name": "gone"})
    assert answer.url == reverse("contact", args=[ann.id])
    shown = text_of(client.get(answer.url))
    assert "Merged with another contact" in shown
    assert "ann@mail.example" in shown
    assert client.get(reverse("contact", args=[anna.id])).status_code == 404
    assert client.post(address, {}).status_code == 404


@pytest.mark.parametrize(("name", "status"), [("alice", 200), ("mona", 200), ("bob", 403), ("vera", 403)])
def test_who_may_merge(client: Client, cast: Cast, name: str, status: int) -> None:
    ann, anna = person(cast, ANN, "Ann"), person(cast, ANNA, "Anna")
    sign_in(client, getattr(cast, name), cast.clinic.tenant)
    address = reverse("contact_merge", args=[ann.id, anna.id])
    assert client.get(reverse("duplicates")).status_code == status
    assert client.post(reverse("duplicates_find")).status_code == (302 if status == 200 else 403)
    assert client.get(address).status_code == status
    if status == 403:
        assert client.post(address, {"first_name": "kept"}).status_code == 403
        with tenant_scope(cast.clinic.tenant.id):
            assert Contact.objects.count() == 2


def test_merging_across_tenants_is_impossible(client: Client, cast: Cast) -> None:
    ann = person(cast, ANN, "Ann")
    with tenant_scope(cast.shop.tenant.id):
        foreign = create_contact(tenant=cast.shop.tenant, number=ANNA, values={})
    for user, company in ((cast.alice, cast.clinic), (cast.charlie, cast.shop)):
        sign_in(client, user, company.tenant)
        for pair in ([ann.id, foreign.id], [foreign.id, ann.id]):
            assert client.post(reverse("contact_merge", args=pair), {}).status_code == 404
    with tenant_scope(cast.clinic.tenant.id), pytest.raises(ValidationError):
        merge_contacts(kept=ann, gone=foreign)


def test_a_contact_is_not_merged_with_itself(client: Client, cast: Cast) -> None:
    ann = person(cast, ANN, "Ann")
    sign_in(client, cast.mona, cast.clinic.tenant)
    answer = client.post(reverse("contact_merge", args=[ann.id, ann.id]), {})
    assert (answer.status_code, "two different contacts" in text_of(answer)) == (422, True)


def test_merges_at_the_same_moment_lose_nobody(cast: Cast) -> None:
    """Three contacts, three merges that contradict each other: each number ends with one person."""
    people = [person(cast, number, f"P{n}") for n, number in enumerate((ANN, ANNA, THIRD))]
    start, told = Barrier(3), []

    def one(kept: int, gone: int) -> None:
        start.wait(20)
        try:
            with tenant_scope(cast.clinic.tenant.id):
                merge_contacts(kept=people[kept], gone=people[gone])
            told.append("merged")
        except ValidationError:
            told.append("refused")
        finally:
            connection.close()

    threads = [Thread(target=one, args=pair) for pair in ((0, 1), (1, 2), (2, 0))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(told) == ["merged", "merged", "refused"] or sorted(told) == ["merged", "refused", "refused"]
    with tenant_scope(cast.clinic.tenant.id):
        owners = Contact.objects.owners([ANN, ANNA, THIRD])
        assert set(owners) == {ANN, ANNA, THIRD}
        assert set(owners.values()) == set(Contact.objects.all())
        assert Contact.objects.count() == 3 - told.count("merged")
