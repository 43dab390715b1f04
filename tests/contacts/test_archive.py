"""Archived contacts: out of everything that the business begins, still answered, and back with one click."""

import pytest
from django.test import Client
from django.urls import reverse

from campaigns.launch import plan_campaign
from campaigns.models import CampaignRecipient
from campaigns.preview import forecast
from campaigns.recipients import audience_of
from campaigns.services import launch
from contacts.audience import Audience, members
from contacts.models import Contact
from contacts.services import add_number, archive_contact, create_contact
from messaging.models import InboundMessage, Message
from messaging.pipeline.dispatch import run_next_batch
from messaging.reasons import reason_of
from messaging.services import why_or_why_not
from support.models import Conversation
from support.services import note_inbound
from tenants.models import AuditEntry
from tenants.scope import tenant_scope
from tests.campaigns.conftest import NUMBERS, make_draft, make_list
from tests.cast import Cast, make_cast
from tests.contacts.test_import import load
from tests.web import sign_in, text_of

NUMBER = NUMBERS[1]


@pytest.fixture
def ann(cast: Cast) -> Contact:
    make_list(cast.clinic, NUMBERS[:3])
    with tenant_scope(cast.clinic.tenant.id):
        return Contact.objects.get(number=NUMBER)


def archived(cast: Cast) -> set[str]:
    with tenant_scope(cast.clinic.tenant.id):
        return set(Contact.objects.get_queryset().archived().values_list("number", flat=True))


def shown(client: Client, **query: str) -> set[str]:
    return {contact.number for contact, _, _ in client.get(reverse("contacts"), query).context["rows"]}


@pytest.mark.parametrize(("name", "status"), [("alice", 302), ("mona", 302), ("bob", 302), ("vera", 403)])
def test_who_may_archive(client: Client, cast: Cast, ann: Contact, name: str, status: int) -> None:
    sign_in(client, getattr(cast, name), cast.clinic.tenant)
    for _ in range(2):
        assert client.post(reverse("contact_archive", args=[ann.id])).status_code == status
    assert archived(cast) == ({NUMBER} if status == 302 else set())
    page = text_of(client.get(reverse("contact", args=[ann.id])))
    assert (reverse("contact_unarchive", args=[ann.id]) in page) == (status == 302)
    assert client.post(reverse("contact_unarchive", args=[ann.id])).status_code == status
    assert archived(cast) == set()
    with tenant_scope(cast.clinic.tenant.id):
        told = list(
            AuditEntry.objects.filter(target_id=ann.id, action__contains="archive")
            .order_by("id")
            .values_list("action", "target_name")
        )
    assert told == ([("contact.archived", ""), ("contact.unarchived", "")] if status == 302 else [])


def test_another_tenants_contact_does_not_exist(client: Client, cast: Cast, ann: Contact) -> None:
    sign_in(client, cast.charlie, cast.shop.tenant)
    assert client.post(reverse("contact_archive", args=[ann.id])).status_code == 404
    assert archived(cast) == set()


def test_archived_people_leave_lists_searches_counts_and_audiences(client: Client, cast: Cast, ann: Contact) -> None:
    draft = make_draft(cast.clinic, make_list(cast.clinic, NUMBERS[:3], name="Again"))
    sign_in(client, cast.vera, cast.clinic.tenant)
    assert shown(client) == set(NUMBERS[:3])
    with tenant_scope(cast.clinic.tenant.id):
        archive_contact(contact=ann)
        assert forecast(draft, audience_of(draft)).audience == 2
        assert set(members(Audience(everyone=True)).values_list("number", flat=True)) == {NUMBERS[0], NUMBERS[2]}
    assert shown(client) == {NUMBERS[0], NUMBERS[2]}
    assert shown(client, q="P1") == shown(client, q=NUMBER) == set()
    assert shown(client, archived="1") == shown(client, archived="1", q="P1") == {NUMBER}
    counts = {contact_list.name: count for contact_list, count in client.get(reverse("lists")).context["rows"]}
    assert counts == {"People": 2, "Again": 2}


def test_the_page_of_an_archived_person_says_what_that_means(client: Client, cast: Cast, ann: Contact) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        archive_contact(contact=ann)
    sign_in(client, cast.vera, cast.clinic.tenant)
    page = text_of(client.get(reverse("contact", args=[ann.id])))
    assert "this person is in no list, search or campaign" in page
    assert "This contact is archived." in page


@pytest.mark.parametrize("which", ["preferred", "further"])
def test_answers_still_go_to_archived_people_and_nothing_else(cast: Cast, ann: Contact, which: str) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        number = NUMBER
        if which == "further":
            number = add_number(tenant=cast.clinic.tenant, contact=ann, number="+12025550150").number
        archive_contact(contact=ann)
        text = InboundMessage.objects.create(
            provider_account=cast.clinic.account,
            provider_message_id="SIM1",
            sender=cast.clinic.sender,
            number=number,
            body="Hello?",
        )
        assert note_inbound(inbound=text).unread_count == 1
        assert Conversation.objects.filter(number=number).exists()
        rules = {
            purpose: why_or_why_not(tenant=cast.clinic.tenant, number=number, purpose=purpose).rule
            for purpose in ("marketing", "transactional", "reminder", "support")
        }
    assert rules == {
        "marketing": "contact_is_not_archived",
        "transactional": "contact_is_not_archived",
        "reminder": "contact_is_not_archived",
        "support": "all_rules_passed",
    }
    assert archived(cast) == {NUMBER}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("when", ["frozen", "planned"])
def test_what_is_planned_already_is_blocked_with_its_reason(when: str) -> None:
    cast = make_cast()
    draft = make_draft(cast.clinic, make_list(cast.clinic, [NUMBER]))
    with tenant_scope(cast.clinic.tenant.id):
        launch(campaign=draft)
    if when == "planned":
        plan_campaign(cast.clinic.tenant.id, draft.id)
    else:
        # The audience is written down; nobody has a message yet.
        plan_campaign(cast.clinic.tenant.id, draft.id, seconds=0)
    with tenant_scope(cast.clinic.tenant.id):
        archive_contact(contact=Contact.objects.get(number=NUMBER))
    plan_campaign(cast.clinic.tenant.id, draft.id)
    while run_next_batch("marketing"):
        pass
    with tenant_scope(cast.clinic.tenant.id):
        assert CampaignRecipient.objects.count() == 1
        message = Message.objects.get(number=NUMBER)
        assert (message.status, message.decision["rule"]) == ("blocked", "contact_is_not_archived")
        assert reason_of(message) == "This contact is archived"


@pytest.mark.django_db(transaction=True)
def test_an_import_changes_an_archived_person_and_leaves_them_archived(transactional_db: None) -> None:
    cast = make_cast()
    with tenant_scope(cast.clinic.tenant.id):
        ann = create_contact(tenant=cast.clinic.tenant, number=NUMBER, values={"first_name": "Ann"})
        archive_contact(contact=ann)
    load(cast, f"phone,first name\n{NUMBER},Anna\n")
    with tenant_scope(cast.clinic.tenant.id):
        ann.refresh_from_db()
    assert (ann.first_name, ann.archived_at is not None) == ("Anna", True)
