"""The first text to a person names the business and the way out; later ones as the business chose."""

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from campaigns.models import Campaign
from campaigns.services import launch
from campaigns.tasks import plan
from consent.ledger import OptIn, record_opt_ins
from consent.purpose_rules import Rules, set_rules
from messaging.first_texts import as_first, newcomers
from messaging.models import InboundMessage, Message
from messaging.services import send_reply
from tenants.scope import tenant_scope
from tests.campaigns.conftest import make_draft, make_list
from tests.cast import Cast, Company
from tests.web import sign_in, text_of

pytestmark = pytest.mark.django_db(transaction=True)

ANN, BEN = "+12025550101", "+12025550102"
END = "Reply STOP to opt out, HELP for help."


@pytest.mark.parametrize(
    ("body", "first"),
    [
        ("Sale today", f"Harbor Clinic: Sale today\n{END}"),
        ("harbor clinic has news", f"harbor clinic has news\n{END}"),
        ("{{ brand }} has news", f"{{{{ brand }}}} has news\n{END}"),
        ("Text STOP to end. Sale", "Harbor Clinic: Text STOP to end. Sale"),
        ("Harbor Clinic sale. Reply STOP to opt out.", "Harbor Clinic sale. Reply STOP to opt out."),
    ],
)
def test_what_a_first_text_says(body: str, first: str) -> None:
    assert as_first(body, "Harbor Clinic") == first
    assert as_first(first, "Harbor Clinic") == first


def bodies(company: Company, campaign: Campaign) -> dict[str, str]:
    with tenant_scope(company.tenant.id):
        launch(campaign=campaign)
    plan(str(company.tenant.id), str(campaign.id))
    with tenant_scope(company.tenant.id):
        return dict(Message.objects.filter(batch__cause_id=campaign.id).values_list("number", "body"))


def test_of_a_campaign(committed_cast: Cast) -> None:
    clinic = committed_cast.clinic
    people = make_list(clinic, [ANN, BEN])
    with tenant_scope(clinic.tenant.id):
        set_rules(purpose="marketing", rules=Rules(footer="first", repeat_hours=0))
    first = bodies(clinic, make_draft(clinic, people, body="Sale today"))
    assert set(first.values()) == {f"Harbor Clinic: Sale today\n{END}"}
    with tenant_scope(clinic.tenant.id):
        Message.objects.filter(number=ANN).update(status="delivered")
        assert newcomers([ANN, BEN]) == {BEN}
    # What was never handed over told nobody anything.
    again = bodies(clinic, make_draft(clinic, people, body="Sale tomorrow"))
    assert again == {ANN: "Sale tomorrow", BEN: f"Harbor Clinic: Sale tomorrow\n{END}"}
    with tenant_scope(committed_cast.shop.tenant.id):
        assert newcomers([ANN]) == {ANN}, "another business is new to them"


@pytest.mark.parametrize(
    ("rule", "chosen", "ends"),
    [
        ("always", False, True),
        ("always", True, True),
        ("chosen", False, False),
        ("chosen", True, True),
        ("first", True, False),
    ],
)
@pytest.mark.parametrize("purpose", ["marketing", "transactional"])
def test_the_footer_follows_the_rule(cast: Cast, purpose: str, rule: str, chosen: bool, ends: bool) -> None:
    people = make_list(cast.clinic, [ANN])
    with tenant_scope(cast.clinic.tenant.id):
        set_rules(purpose=purpose, rules=Rules(footer=rule))
    draft = make_draft(cast.clinic, people, body="News", purpose=purpose, stop_footer=chosen)
    assert draft.text.endswith(END) is ends


def test_a_rule_that_changed_since_holds_when_it_starts(cast: Cast) -> None:
    draft = make_draft(cast.clinic, make_list(cast.clinic, [ANN]), body="News")
    assert draft.text.endswith(END)
    with tenant_scope(cast.clinic.tenant.id):
        set_rules(purpose="marketing", rules=Rules(footer="first"))
        launch(campaign=draft)
        assert not Campaign.objects.get(id=draft.id).stop_footer


def test_a_text_must_have_room_for_both(cast: Cast) -> None:
    with pytest.raises(ValidationError, match="With your name"):
        make_draft(cast.clinic, make_list(cast.clinic, [ANN]), body="x" * 1590)


def test_staff_who_begin_a_conversation_and_who_answer(cast: Cast) -> None:
    clinic = cast.clinic
    with tenant_scope(clinic.tenant.id):
        record_opt_ins([OptIn(ANN, "support", "web_form")], actor_id=None)
        one = send_reply(tenant=clinic.tenant, number=ANN, contact_id=None, body="Hello", user_id=cast.bob.id)
        assert one.body == f"Harbor Clinic: Hello\n{END}"
        Message.objects.update(status="delivered")
        two = send_reply(tenant=clinic.tenant, number=ANN, contact_id=None, body="Are you there?", user_id=cast.bob.id)
        assert two.body == "Are you there?"
        InboundMessage.objects.create(
            provider_account=clinic.account, provider_message_id="x", sender=clinic.sender, number=BEN, body="Hi"
        )
        three = send_reply(tenant=clinic.tenant, number=BEN, contact_id=None, body="Hello", user_id=cast.bob.id)
        assert three.body == "Hello", "they know whom they wrote to"


def test_the_composer_shows_it(client: Client, cast: Cast) -> None:
    draft = make_draft(cast.clinic, make_list(cast.clinic, [ANN]), body="Wine at https://bit.ly/x")
    sign_in(client, cast.alice, cast.clinic.tenant)
    page = text_of(client.get(reverse("campaign_edit", args=[draft.id])))
    assert "This would be the first text that P0 gets from you" in page
    assert "Harbor Clinic: Wine at" in page
    assert "Carriers block links of public shorteners such as bit.ly" in page
    assert "“Wine” (alcohol)" in page
