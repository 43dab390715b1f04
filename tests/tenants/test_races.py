"""Two people create the same thing at the same moment: one of them gets a sentence, nobody an error page."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from contacts.models import Contact, ContactList, Tag
from contacts.services import create_contact, create_list, get_or_create_tag
from messaging.models import MessageTemplate, ProviderAccount, Sender
from messaging.services import add_provider_account, add_sender, save_template
from support.models import Conversation
from support.services import open_conversation
from tenants.models import User
from tenants.permissions import Role
from tenants.scope import tenant_scope
from tenants.services import add_member, invite, open_invitations
from tests.cast import Company, make_company
from tests.web import sign_in

NUMBER = "+12025550142"
SOON = 0.4
"""Seconds in which the second request reaches the row that the first one has not committed."""
SID = "AC" + "d" * 32


@dataclass(frozen=True)
class Race:
    """``first`` creates it inside an open transaction while ``data`` is posted to ``address``."""

    first: Callable[[Company], object]
    address: str
    data: dict[str, str]
    count: Callable[[], int]
    says: str = ""
    status: int = 422
    with_account: list[str] = field(default_factory=list)


def _template(company: Company) -> MessageTemplate:
    return save_template(template=MessageTemplate(name="Race", purpose="support", body="Hi"))


RACES = {
    "contact": Race(
        lambda company: create_contact(tenant=company.tenant, number=NUMBER, values={}),
        "contact_add",
        {"number": NUMBER},
        lambda: Contact.objects.filter(number=NUMBER).count(),
        "A contact with this number exists already.",
    ),
    "list": Race(
        lambda _: create_list(name="Race"),
        "lists",
        {"name": "Race"},
        lambda: ContactList.objects.filter(name="Race").count(),
        "There is a list with this name already.",
    ),
    "template": Race(
        _template,
        "template_new",
        {"name": "Race", "purpose": "support", "body": "Hi"},
        lambda: MessageTemplate.objects.filter(name="Race").count(),
        "There is a template with this name already.",
    ),
    "sender": Race(
        lambda company: add_sender(tenant=company.tenant, account=company.account, value=NUMBER, kind="long_code"),
        "sender_add",
        {"value": NUMBER, "kind": "long_code"},
        lambda: Sender.objects.filter(value=NUMBER).count(),
        "This number is a sender already.",
        with_account=["account"],
    ),
    "account": Race(
        lambda _: add_provider_account(kind="twilio", name="Race", credentials={"account_sid": SID, "auth_token": "t"}),
        "account_add",
        {"name": "Race", "account_sid": SID, "auth_token": "t"},
        lambda: ProviderAccount.objects.filter(name="Race").count(),
        "There is an account with this name already.",
    ),
    "invitation": Race(
        lambda company: invite(email="new@clinic.example", role=Role.VIEWER, invited_by=company.owner),
        "member_invite",
        {"email": "new@clinic.example", "role": "viewer"},
        lambda: open_invitations().filter(email="new@clinic.example").count(),
        "Somebody else has just invited this person.",
    ),
    "conversation": Race(
        lambda company: open_conversation(tenant=company.tenant, number=NUMBER),
        "conversation_open",
        {"number": NUMBER},
        lambda: Conversation.objects.filter(number=NUMBER).count(),
        status=302,
    ),
}


@pytest.fixture
def company(transactional_db: None) -> Company:
    return make_company("Harbor Clinic", "alice@clinic.example", "+12025550190")


def while_uncommitted(company: Company, first: Callable[[], object], second: Callable[[], object]) -> None:
    """Begin ``second`` in another connection while ``first`` is done but not committed; end both."""

    def run() -> None:
        try:
            second()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    with tenant_scope(company.tenant.id, durable=True):
        first()
        thread.start()
        thread.join(SOON)
        assert thread.is_alive(), "it did not have to wait"
    thread.join(20)
    assert not thread.is_alive()


@pytest.mark.parametrize("name", RACES)
def test_the_second_one_is_told(company: Company, name: str) -> None:
    race = RACES[name]
    client = sign_in(Client(), company.owner, company.tenant)
    client.get(reverse("home"))
    data = race.data | dict.fromkeys(race.with_account, str(company.account.id))
    answers: list[HttpResponse] = []
    while_uncommitted(
        company,
        lambda: race.first(company),
        lambda: answers.append(client.post(reverse(race.address), data)),
    )
    assert [answer.status_code for answer in answers] == [race.status]
    assert race.says in answers[0].content.decode()
    with tenant_scope(company.tenant.id):
        assert race.count() == 1


def test_both_get_the_same_tag(company: Company) -> None:
    tags: list[Tag] = []

    def tag() -> None:
        with tenant_scope(company.tenant.id):
            tags.append(get_or_create_tag(name="Race"))

    while_uncommitted(company, lambda: tags.append(get_or_create_tag(name="Race")), tag)
    assert len(tags) == 2
    assert tags[0] == tags[1]


def test_a_list_is_renamed_to_a_name_that_is_just_taken(company: Company) -> None:
    with tenant_scope(company.tenant.id):
        old = create_list(name="Old")
    client = sign_in(Client(), company.owner, company.tenant)
    answers: list[HttpResponse] = []
    while_uncommitted(
        company,
        lambda: create_list(name="Race"),
        lambda: answers.append(client.post(reverse("list_rename", args=[old.id]), {"name": "Race"})),
    )
    assert answers[0].status_code == 422
    assert "There is a list with this name already." in answers[0].content.decode()


def test_two_first_senders_make_one_default(company: Company) -> None:
    with tenant_scope(company.tenant.id):
        Sender.objects.all().delete()

    def add(number: str) -> Sender:
        return add_sender(tenant=company.tenant, account=company.account, value=number, kind="long_code")

    def second() -> None:
        with tenant_scope(company.tenant.id):
            add("+12025550143")

    while_uncommitted(company, lambda: add(NUMBER), second)
    with tenant_scope(company.tenant.id):
        assert Sender.objects.count() == 2
        assert Sender.objects.get(is_default=True).value == NUMBER


def test_a_person_who_is_added_to_two_tenants_at_once_is_one_user(company: Company) -> None:
    other = make_company("Corner Shop", "charlie@shop.example", "+12025550191")

    def second() -> None:
        with tenant_scope(other.tenant.id):
            add_member(email="new@clinic.example", role=Role.VIEWER)

    while_uncommitted(company, lambda: add_member(email="New@clinic.example", role=Role.VIEWER), second)
    assert User.objects.filter(email="new@clinic.example").count() == 1
