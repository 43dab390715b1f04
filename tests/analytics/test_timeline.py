"""The timeline of a contact: everything that happened, narrowed by kind, page by page without a cut."""

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse

from analytics.timeline import KINDS, timeline
from consent.ledger import OptIn
from consent.services import opt_in
from contacts.models import Contact, ContactNote
from contacts.services import (
    add_note,
    add_to_list,
    create_contact,
    create_list,
    get_or_create_tag,
    remove_from_list,
    tag_contact,
    untag_contact,
)
from messaging.models import InboundMessage
from tenants.audit import Actor, acting
from tenants.scope import tenant_scope
from tests.cast import Cast, make_cast
from tests.contacts.test_import import load
from tests.web import sign_in, text_of

NUMBER = "+12025550101"


@pytest.fixture
def ann(cast: Cast) -> Contact:
    with tenant_scope(cast.clinic.tenant.id):
        return create_contact(tenant=cast.clinic.tenant, number=NUMBER, values={"first_name": "Ann"})


def they_wrote(cast: Cast, count: int, at: datetime | None = None) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        InboundMessage.objects.bulk_create(
            InboundMessage(
                provider_account=cast.clinic.account,
                provider_message_id=f"SIM{n}",
                sender=cast.clinic.sender,
                number=NUMBER,
                body=f"Text {n}",
                received_at=at or datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=n),
            )
            for n in range(count)
        )


def test_what_staff_did_stands_between_the_texts(cast: Cast, ann: Contact) -> None:
    with tenant_scope(cast.clinic.tenant.id), acting(Actor("Bob", cast.bob.id)):
        guests, vip = create_list(name="Guests"), get_or_create_tag(name="VIP")
        add_to_list(contact=ann, contact_list=guests)
        add_to_list(contact=ann, contact_list=guests)
        tag_contact(contact=ann, tag=vip)
        tag_contact(contact=ann, tag=vip)
        add_note(contact=ann, body="Prefers mornings", author_id=cast.bob.id)
        opt_in(opt_in=OptIn(NUMBER, "marketing", "paper"))
        remove_from_list(contact=ann, contact_list=guests)
        untag_contact(contact=ann, tag=vip)
        untag_contact(contact=ann, tag=vip)
        told = [(event.kind, event.title, event.detail) for event in timeline(ann, [NUMBER]).events]
    assert told == [
        ("change", "Tag removed: VIP", "By Bob"),
        ("change", "Taken out of a list: Guests", "By Bob"),
        ("consent", "Opted in to offers and news", "Signed paper form"),
        ("note", "Note", "By Bob"),
        ("change", "Tag added: VIP", "By Bob"),
        ("change", "Put into a list: Guests", "By Bob"),
    ]


@pytest.mark.django_db(transaction=True)
def test_imports_that_were_about_the_person_are_told(client: Client, transactional_db: None) -> None:
    cast = make_cast()
    load(cast, f"phone,first name\n{NUMBER},Ann\n+12025550102,Ben\n(202) 555-0101,Anna\n")
    with tenant_scope(cast.clinic.tenant.id):
        ann = Contact.objects.get(number=NUMBER)
        told = [(event.title, event.source) for event in timeline(ann, [NUMBER], kind="import").events]
    assert told == [("Came in with an import", "people.csv, rows 2, 4")]
    sign_in(client, cast.bob, cast.clinic.tenant)
    page = text_of(client.get(reverse("contact", args=[ann.id])))
    assert "people.csv, rows 2, 4" in page
    assert '<a href="/contacts/import/' not in page


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_shows_only_itself(client: Client, cast: Cast, ann: Contact, kind: str) -> None:
    they_wrote(cast, 3)
    with tenant_scope(cast.clinic.tenant.id):
        add_note(contact=ann, body="Prefers mornings", author_id=cast.bob.id)
    sign_in(client, cast.vera, cast.clinic.tenant)
    answer = client.get(reverse("contact", args=[ann.id]), {"kind": kind})
    assert {event.kind for event in answer.context["timeline"].events} <= {kind}
    assert len(answer.context["timeline"].events) == {"inbound": 3, "note": 1}.get(kind, 0)


@pytest.mark.parametrize("at", [None, datetime(2026, 1, 1, tzinfo=UTC)], ids=["one a minute", "all in one moment"])
def test_pages_of_what_happened_follow_one_another(
    client: Client, cast: Cast, ann: Contact, at: datetime | None
) -> None:
    they_wrote(cast, 100, at)
    with tenant_scope(cast.clinic.tenant.id):
        add_note(contact=ann, body="Prefers mornings", author_id=None)
    sign_in(client, cast.alice, cast.clinic.tenant)
    seen, older, pages = [], "", 0
    while pages == 0 or older:
        page = client.get(reverse("contact", args=[ann.id]), {"before": older}).context["timeline"]
        seen += [event.id for event in page.events]
        older, pages = page.older, pages + 1
    assert (len(seen), len(set(seen)), pages) == (101, 101, 3)


@pytest.mark.parametrize(
    "query",
    [
        {"before": "x"},
        {"before": "~"},
        {"before": "2026-01-01T00:00:00~no-id"},
        {"before": "2026-01-01T00:00:00~00000000-0000-0000-0000-000000000000"},
        {"before": "9999-12-31T23:59:59+14:00~\x00"},
        {"kind": "sideways\x00"},
    ],
)
def test_odd_places_and_kinds_show_the_newest(client: Client, cast: Cast, ann: Contact, query: dict[str, str]) -> None:
    they_wrote(cast, 2)
    sign_in(client, cast.alice, cast.clinic.tenant)
    answer = client.get(reverse("contact", args=[ann.id]), query)
    assert answer.status_code == 200
    assert len(answer.context["timeline"].events) == 2


def test_the_timeline_is_the_tenants_own(cast: Cast, ann: Contact) -> None:
    with tenant_scope(cast.shop.tenant.id):
        same = create_contact(tenant=cast.shop.tenant, number=NUMBER, values={})
        add_note(contact=same, body="A secret of the shop", author_id=None)
    they_wrote(cast, 1)
    with tenant_scope(cast.shop.tenant.id):
        assert [event.text for event in timeline(same, [NUMBER]).events] == ["A secret of the shop"]
        assert ContactNote.objects.count() == 1
    with tenant_scope(cast.clinic.tenant.id):
        assert [event.text for event in timeline(ann, [NUMBER]).events] == ["Text 0"]
