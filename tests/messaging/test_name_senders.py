"""A name as a sender: nobody can answer it, so each text says how else to end them; some countries let none through."""

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from campaigns.preview import preview_text
from campaigns.recipients import audience_of
from campaigns.services import launch
from campaigns.tasks import plan
from consent.ledger import OptIn, record_opt_ins
from consent.models import PreferenceLink
from messaging.models import Message, Sender
from messaging.pipeline.dispatch import run_next_batch
from messaging.reasons import reason_of
from messaging.registration import name_problem, states_of
from messaging.services import add_provider_account, add_sender, make_default_sender, send_reply
from tenants.scope import tenant_scope
from tests.campaigns.conftest import make_draft, make_list
from tests.cast import Cast, Company
from tests.web import sign_in, text_of

pytestmark = pytest.mark.django_db(transaction=True)

LONDON, BERLIN, WASHINGTON, TORONTO, TOLL_FREE = (
    "+447911123456",
    "+4915112345678",
    "+12025550101",
    "+14165550123",
    "+18005550101",
)


def named(company: Company, value: str = "HarborCln") -> Sender:
    with tenant_scope(company.tenant.id):
        return add_sender(tenant=company.tenant, account=company.account, value=value, kind="name")


@pytest.mark.parametrize(
    ("value", "is_name"),
    [
        ("HarborCln", True),
        ("Shop 24", True),
        ("3M", False),
        ("3Mx", True),
        ("12345", False),
        ("TwelveLetter", False),
        ("Café Uno", False),
        (" Shop ", True),
        ("Sh\nop", False),
        ("<b>hi</b>", False),
        ("", False),
    ],
)
def test_what_is_a_name(cast: Cast, value: str, is_name: bool) -> None:
    if is_name:
        assert named(cast.clinic, value).value == value.strip()
        return
    with pytest.raises(ValidationError, match="3 to 11 letters"):
        named(cast.clinic, value)


def test_telnyx_accounts_have_none(cast: Cast) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        account = add_provider_account(
            kind="telnyx", name="T", credentials={"api_key": "KEY", "public_key": "A" * 43 + "="}
        )
        with pytest.raises(ValidationError, match="Twilio only"):
            add_sender(tenant=cast.clinic.tenant, account=account, value="Harbor", kind="name")


@pytest.mark.parametrize(
    ("number", "barred"), [(LONDON, False), (BERLIN, False), (WASHINGTON, True), (TORONTO, True), (TOLL_FREE, True)]
)
def test_countries_that_let_none_through(number: str, barred: bool) -> None:
    assert bool(name_problem(number)) is barred


def test_a_campaign_from_a_name(committed_cast: Cast, network: str) -> None:
    clinic = committed_cast.clinic
    sender = named(clinic)
    people = make_list(clinic, [LONDON, WASHINGTON])
    campaign = make_draft(clinic, people, body="Sale", sender=sender, purpose="transactional")
    with tenant_scope(clinic.tenant.id):
        record_opt_ins([OptIn(one, "transactional", "web_form") for one in (LONDON, WASHINGTON)], actor_id=None)
        shown = preview_text(campaign, audience_of(campaign)).text
        assert "No replies. Opt out: http" in shown
        assert "STOP" not in shown
        launch(campaign=campaign)
    plan(str(clinic.tenant.id), str(campaign.id))
    while run_next_batch("transactional"):
        pass
    with tenant_scope(clinic.tenant.id):
        london, washington = (Message.objects.get(number=one) for one in (LONDON, WASHINGTON))
        assert london.status == "accepted"
        assert london.body.startswith("Harbor Clinic: Sale\nNo replies. Opt out: http")
        assert PreferenceLink.objects.filter(number=LONDON).exists()
        assert washington.status == "blocked"
        assert reason_of(washington).startswith("Carriers in US let through no texts that come from a name")


def test_staff_who_write_from_a_name(cast: Cast) -> None:
    clinic = cast.clinic
    sender = named(clinic)
    with tenant_scope(clinic.tenant.id):
        make_default_sender(sender=sender)
        record_opt_ins([OptIn(BERLIN, "support", "web_form")], actor_id=None)
        sent = send_reply(tenant=clinic.tenant, number=BERLIN, contact_id=None, body="Hello", user_id=cast.bob.id)
        assert sent.body.startswith("Harbor Clinic: Hello\nNo replies. Opt out: http")
        assert "{" not in sent.body


def test_it_stands_in_for_no_number(client: Client, cast: Cast) -> None:
    named(cast.clinic)
    sign_in(client, cast.alice, cast.clinic.tenant)
    page = text_of(client.get(reverse("pool_add")))
    assert "HarborCln" not in page
    assert "HarborCln" in text_of(client.get(reverse("senders")))


def test_where_it_is_to_be_registered_is_told(cast: Cast) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        secrets = {"account_sid": "AC" + "a" * 32, "auth_token": "t" * 32}
        account = add_provider_account(kind="twilio", name="Twilio", credentials=secrets)
        sender = add_sender(tenant=cast.clinic.tenant, account=account, value="HarborCln", kind="name")
        state = states_of([sender])[sender.id]
        assert (state.status, state.problem) == ("not_noted", "")
        assert "the countries that it texts to" in state.to_do
