"""Fixtures of the campaign tests."""

from collections.abc import Sequence
from typing import Any

import pytest
from django.test import Client

from campaigns.models import Campaign
from campaigns.services import choose_audience, save_draft
from consent.ledger import OptIn, record_opt_ins
from consent.services import opt_out
from contacts.folding import fold
from contacts.models import Contact, ContactList, ListMember
from messaging.offered_tags import known_tags
from tenants.scope import tenant_scope
from tests.cast import Cast, Company, make_cast
from tests.messaging.conftest import network  # noqa: F401 - its fixture
from tests.web import sign_in

NUMBERS = [f"+120255501{n:02d}" for n in range(6)]


@pytest.fixture
def committed_cast(transactional_db: None) -> Cast:
    """The cast in committed transactions: planning commits page by page."""
    return make_cast()


def make_list(
    company: Company, numbers: Sequence[str], *, agreed: Sequence[str] | None = None, name: str = "People"
) -> ContactList:
    """A list of contacts, of whom ``agreed`` (default all) opted in to marketing."""
    with tenant_scope(company.tenant.id):
        contact_list = ContactList.objects.create(name=name)
        for n, number in enumerate(numbers):
            contact, _ = Contact.objects.get_or_create(
                number=number, defaults={"first_name": f"P{n}", "first_key": fold(f"P{n}")}
            )
            ListMember.objects.create(contact_list=contact_list, contact=contact)
        willing = numbers if agreed is None else agreed
        record_opt_ins([OptIn(number, "marketing", "web_form") for number in willing], actor_id=None)
        return contact_list


def make_draft(company: Company, contact_list: ContactList, **fields: Any) -> Campaign:
    """A draft for one list."""
    with tenant_scope(company.tenant.id):
        campaign = Campaign(**{"name": "Spring", "body": "Hi {{ first_name | there }}", **fields})
        save_draft(campaign=campaign, known_tags={"city", *known_tags()})
        choose_audience(campaign=campaign, lists=[contact_list], tags=[])
        return campaign


@pytest.fixture
def people(cast: Cast) -> ContactList:
    """Six people of the clinic; four agreed to offers, one of these opted out."""
    found = make_list(cast.clinic, NUMBERS, agreed=NUMBERS[:4])
    with tenant_scope(cast.clinic.tenant.id):
        opt_out(number=NUMBERS[0], source="reply", wording="STOP")
    return found


@pytest.fixture
def draft(cast: Cast, people: ContactList) -> Campaign:
    return make_draft(cast.clinic, people)


@pytest.fixture
def alice(client: Client, cast: Cast) -> Client:
    """The clinic's owner, signed in."""
    sign_in(client, cast.alice, cast.clinic.tenant)
    return client
