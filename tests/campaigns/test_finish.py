"""The end of a campaign on its pages, and a campaign that is spread over hours."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from campaigns.launch import plan_campaign
from campaigns.models import Campaign
from common.lanes import MARKETING
from messaging.models import Batch, Sender
from messaging.pipeline.dispatch import run_next_batch
from tenants.models import AuditEntry
from tenants.scope import tenant_scope
from tests.campaigns.conftest import make_draft, make_list
from tests.cast import Cast, Company
from tests.web import sign_in, text_of

pytestmark = pytest.mark.django_db(transaction=True)

NUMBERS = [f"+120255501{n:02d}" for n in range(12)]


@pytest.fixture
def clinic(committed_cast: Cast) -> Company:
    return committed_cast.clinic


@pytest.fixture
def mona(client: Client, committed_cast: Cast, clinic: Company) -> Client:
    sign_in(client, committed_cast.mona, clinic.tenant)
    return client


def pace(company: Company, **limits: object) -> None:
    with tenant_scope(company.tenant.id):
        Sender.objects.update(**limits)


def read(company: Company, campaign: Campaign) -> Campaign:
    with tenant_scope(company.tenant.id):
        return Campaign.objects.get(id=campaign.id)


def test_the_review_says_when_it_will_be_through(mona: Client, clinic: Company) -> None:
    draft = make_draft(clinic, make_list(clinic, NUMBERS))
    page = reverse("campaign_review", args=[draft.id])
    assert "done about" not in text_of(mona.get(page)), "nothing limits a simulated number"
    pace(clinic, parts_per_second="0.01", parts_per_day=1_000)
    shown = " ".join(text_of(mona.get(page)).split())
    assert "about 20 minutes at 0.01 parts a second and 1,000 parts a day; done about" in shown


def test_the_progress_says_what_is_still_to_come(mona: Client, clinic: Company) -> None:
    draft = make_draft(clinic, make_list(clinic, NUMBERS))
    pace(clinic, parts_per_second="0.01")
    mona.post(reverse("campaign_review", args=[draft.id]), {"when": "now"})
    plan_campaign(clinic.tenant.id, draft.id)
    shown = " ".join(text_of(mona.get(reverse("campaign", args=[draft.id]))).split())
    assert "Still about 20 minutes at 0.01 parts a second; done about" in shown
    mona.post(reverse("campaign_act", args=[draft.id, "pause"]))
    assert "done about" not in text_of(mona.get(reverse("campaign", args=[draft.id])))


def test_a_campaign_is_spread_over_hours(mona: Client, clinic: Company) -> None:
    draft = make_draft(clinic, make_list(clinic, NUMBERS))
    answer = mona.post(reverse("campaign_review", args=[draft.id]), {"when": "now", "spread_hours": "2"})
    assert answer.status_code == 302
    plan_campaign(clinic.tenant.id, draft.id)
    launched = read(clinic, draft)
    assert launched.launched_at
    with tenant_scope(clinic.tenant.id):
        due = list(Batch.objects.order_by("not_before").values_list("not_before", flat=True))
        assert AuditEntry.objects.filter(action="campaign.launched", after={"spread_hours": 2}).exists()
    assert len(due) == 12
    assert [at - launched.launched_at for at in due[1:]] == [timedelta(minutes=10 * n) for n in range(1, 12)]
    assert "done about" in text_of(mona.get(reverse("campaign", args=[draft.id])))


def test_what_is_spread_waits_for_its_time(mona: Client, clinic: Company) -> None:
    draft = make_draft(clinic, make_list(clinic, NUMBERS))
    pace(clinic, parts_per_day=0)
    mona.post(reverse("campaign_review", args=[draft.id]), {"when": "now", "spread_hours": "1"})
    plan_campaign(clinic.tenant.id, draft.id)
    assert run_next_batch(MARKETING), "the first is due, and waits for the next day"
    assert not run_next_batch(MARKETING)


@pytest.mark.parametrize(("purpose", "hours"), [("marketing", "73"), ("marketing", "-1"), ("transactional", "2")])
def test_not_every_spread_is_possible(mona: Client, clinic: Company, purpose: str, hours: str) -> None:
    draft = make_draft(clinic, make_list(clinic, NUMBERS), purpose=purpose)
    answer = mona.post(reverse("campaign_review", args=[draft.id]), {"when": "now", "spread_hours": hours})
    assert answer.status_code == 422
    assert read(clinic, draft).status == "draft"
