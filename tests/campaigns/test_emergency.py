"""An emergency alert goes past hours and limits, for a reason that is kept; never past an opt-out or to who did not agree."""

import pytest
from django.test import Client
from django.urls import reverse

from campaigns.models import Campaign
from campaigns.services import launch
from campaigns.tasks import plan
from consent.frequency_limits import Policy, set_policy
from consent.ledger import OptIn, record_opt_ins
from consent.own_hours import set_own_hours
from consent.quiet_hours import WEEKDAYS
from consent.services import opt_out
from messaging.models import Message
from messaging.pipeline.dispatch import run_next_batch
from messaging.services import set_part_price, set_spend_limit
from messaging.stored_decision import stored_decision
from tenants.models import AuditEntry
from tenants.scope import tenant_scope
from tests.campaigns.conftest import make_draft, make_list
from tests.cast import Cast
from tests.web import sign_in, text_of

pytestmark = pytest.mark.django_db(transaction=True)

ANN, BEN, CLEO = "+12025550101", "+12025550102", "+12025550103"
REASON = "The water main broke; the clinic is closed today"


def alert(cast: Cast, **fields: object) -> Campaign:
    """A text about an order or a booking, to one who agreed, one who opted out, one who never agreed."""
    people = make_list(cast.clinic, [ANN, BEN, CLEO], agreed=[])
    with tenant_scope(cast.clinic.tenant.id):
        record_opt_ins([OptIn(one, "transactional", "web_form") for one in (ANN, BEN)], actor_id=None)
        opt_out(number=BEN, source="reply", wording="STOP")
    return make_draft(cast.clinic, people, **{"body": "We are closed today", "purpose": "transactional", **fields})


def at_every_limit(cast: Cast) -> None:
    """Nothing may go: no hour of the week, no more texts, no more money."""
    with tenant_scope(cast.clinic.tenant.id):
        set_own_hours(purpose="transactional", week={day: [] for day in WEEKDAYS})
        set_policy(purpose="transactional", policy=Policy(texts=1, hours=24, counts=True, obeys=True))
        set_part_price(micros=10_000_000, currency="USD")
        set_spend_limit(micros=1_000_000)


@pytest.mark.parametrize(("reason", "ann"), [(REASON, "accepted"), ("", "blocked")])
def test_it_goes_past_hours_and_limits_only(committed_cast: Cast, network: str, reason: str, ann: str) -> None:
    """The same without a reason stays: it is the reason that lets it go."""
    campaign = alert(committed_cast)
    at_every_limit(committed_cast)
    tenant = committed_cast.clinic.tenant
    with tenant_scope(tenant.id):
        launch(campaign=campaign, emergency_reason=reason)
    plan(str(tenant.id), str(campaign.id))
    while run_next_batch("transactional"):
        pass
    with tenant_scope(tenant.id):
        found = {one.number: (one.status, one.decision["rule"]) for one in Message.objects.all()}
        assert found[ANN][0] == ann
        assert found[BEN] == ("blocked", "number_is_not_suppressed")
        assert found[CLEO] == ("blocked", "person_agreed")
        if reason:
            kept = stored_decision(Message.objects.get(number=ANN).decision)
            assert kept
            assert kept.text == "Allowed: an emergency alert, past hours and limits"
            assert "Record" in kept.ground


def post(client: Client, campaign: Campaign, **typed: str) -> object:
    form = {"when": "now", "is_emergency": "on", "emergency_reason": REASON, **typed}
    return client.post(reverse("campaign_review", args=[campaign.id]), form)


def test_a_manager_sends_one(client: Client, cast: Cast) -> None:
    campaign = alert(cast)
    sign_in(client, cast.mona, cast.clinic.tenant)
    assert "This is an emergency" in text_of(client.get(reverse("campaign_review", args=[campaign.id])))
    post(client, campaign)
    with tenant_scope(cast.clinic.tenant.id):
        campaign.refresh_from_db()
        assert (campaign.status, campaign.emergency_reason) == ("launching", REASON)
        assert AuditEntry.objects.get(action="campaign.launched").after["emergency"] == REASON
    assert REASON in text_of(client.get(reverse("campaign", args=[campaign.id])))


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ({"emergency_reason": ""}, "Say what has happened."),
        ({"emergency_reason": "urgent"}, "Say what has happened, so that it can be understood years later."),
        ({"when": "later", "scheduled_at": "2030-01-01T10:00"}, "An emergency is sent now."),
    ],
)
def test_what_is_refused(client: Client, cast: Cast, typed: dict[str, str], says: str) -> None:
    campaign = alert(cast)
    sign_in(client, cast.mona, cast.clinic.tenant)
    answer = client.post(
        reverse("campaign_review", args=[campaign.id]),
        {"when": "now", "is_emergency": "on", "emergency_reason": REASON, **typed},
    )
    assert answer.status_code == 422
    assert says in text_of(answer)
    with tenant_scope(cast.clinic.tenant.id):
        assert Campaign.objects.get().status == "draft"


def test_an_offer_is_none(client: Client, cast: Cast) -> None:
    campaign = alert(cast, purpose="marketing")
    with tenant_scope(cast.clinic.tenant.id):
        record_opt_ins([OptIn(ANN, "marketing", "web_form")], actor_id=None)
    sign_in(client, cast.mona, cast.clinic.tenant)
    assert "This is an emergency" not in text_of(client.get(reverse("campaign_review", args=[campaign.id])))
    answer = client.post(
        reverse("campaign_review", args=[campaign.id]),
        {"when": "now", "is_emergency": "on", "emergency_reason": REASON},
    )
    assert answer.status_code == 422
    with tenant_scope(cast.clinic.tenant.id):
        assert Campaign.objects.get().status == "draft"


def test_an_agent_cannot(client: Client, cast: Cast) -> None:
    campaign = alert(cast)
    sign_in(client, cast.bob, cast.clinic.tenant)
    answer = client.post(reverse("campaign_review", args=[campaign.id]), {"when": "now"})
    assert answer.status_code == 403
