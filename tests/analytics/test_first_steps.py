"""The first steps: ticked by facts, shown to whoever can take them, and hidden for good by whoever wants that."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.timezone import now

from analytics.first_steps import first_steps
from campaigns.models import Campaign
from contacts.models import Contact
from messaging.models import Sender
from tenants.models import Membership, Tenant, TrialNumber
from tenants.permissions import Role
from tenants.scope import tenant_scope
from tenants.services import add_member, ask_for_approval, invite
from tests.cast import Company, make_company
from tests.web import sign_in, text_of


@pytest.fixture
def bakery(db: None) -> Company:
    """A tenant as it is after signing up, with a paused sender."""
    company = make_company("Bakery", "stella@bakery.example", "+12025550190", in_trial=True)
    with tenant_scope(company.tenant.id):
        Sender.objects.update(status=Sender.Status.PAUSED)
    return company


def done(company: Company) -> set[str]:
    with tenant_scope(company.tenant.id):
        owner = Membership.objects.select_related("tenant", "user").get(user=company.owner)
        return {step.title for step in first_steps(owner) if step.done}


def _own_number(company: Company) -> None:
    owner = Membership.objects.get(user=company.owner)
    TrialNumber.objects.create(number="+12025550101", member=owner, confirmed_at=now())


FACTS: dict[str, Callable[[Company], object]] = {
    "Tell people how to reach you": lambda _: Tenant.objects.update(help_contact="care@bakery.example"),
    "Set up a sender": lambda _: Sender.objects.update(status=Sender.Status.ACTIVE),
    "Bring your contacts": lambda _: Contact.objects.create(number="+12025550101"),
    "Invite a colleague": lambda company: invite(email="ann@bakery.example", role=Role.AGENT, invited_by=company.owner),
    "Send a first text": lambda _: Campaign.objects.create(name="First", body="Hello"),
    "Confirm your own number": _own_number,
    "Ask for approval": lambda company: ask_for_approval(tenant=company.tenant, plan="x" * 30),
}


@pytest.mark.parametrize("title", FACTS)
def test_each_fact_ticks_its_step(bakery: Company, title: str) -> None:
    assert done(bakery) == {"Confirm your e-mail address"}
    with tenant_scope(bakery.tenant.id):
        FACTS[title](bakery)
    assert done(bakery) == {"Confirm your e-mail address", title}


def test_when_all_is_done_the_list_is_gone(client: Client, bakery: Company) -> None:
    sign_in(client, bakery.owner, bakery.tenant)
    assert "First steps" in text_of(client.get(reverse("home")))
    with tenant_scope(bakery.tenant.id):
        for fact in FACTS.values():
            fact(bakery)
    assert "First steps" not in text_of(client.get(reverse("home")))


def test_hiding_it_is_ones_own_business(client: Client, bakery: Company) -> None:
    with tenant_scope(bakery.tenant.id):
        mona = add_member(email="mona@bakery.example", role=Role.MANAGER).user
    sign_in(client, bakery.owner, bakery.tenant)
    assert client.post(reverse("first_steps_hide")).headers["Location"] == reverse("home")
    assert "First steps" not in text_of(client.get(reverse("home")))
    page = text_of(sign_in(Client(), mona, bakery.tenant).get(reverse("home")))
    assert "First steps" in page
    assert "Ask for approval" not in page, "only an owner can"
    assert "Set up a sender" in page
