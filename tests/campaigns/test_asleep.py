"""Campaigns to people who are asleep: what is foretold, what is planned, and what they get in the morning."""

from datetime import UTC, datetime

import pytest
from django.test import Client
from django.urls import reverse

from campaigns import services
from campaigns.launch import plan_campaign
from campaigns.models import Campaign
from campaigns.preview import forecast
from campaigns.progress import complete_finished, progress_of
from campaigns.recipients import audience_of
from common.lanes import MARKETING
from messaging.models import Batch, Message
from messaging.pipeline.dispatch import run_next_batch
from tenants.scope import tenant_scope
from tests.campaigns.conftest import make_draft, make_list
from tests.cast import Cast
from tests.daylight import Daylight
from tests.web import sign_in, text_of

pytestmark = pytest.mark.django_db(transaction=True)

CAPITAL = [f"+120255501{n:02d}" for n in range(5)]
TEXAS = [f"+171355501{n:02d}" for n in range(4)]
HOLLYWOOD = [f"+132355501{n:02d}" for n in range(3)]
TOLL_FREE = ["+18005550101"]
EVERYBODY = [*CAPITAL, *TEXAS, *HOLLYWOOD, *TOLL_FREE]
BREAKFAST = datetime(2026, 11, 18, 13, 30, tzinfo=UTC)
"""08:30 in Washington, 07:30 in Houston, 05:30 in Hollywood; the latter two may be texted from nine."""


def by_status(cast: Cast) -> dict[str, int]:
    with tenant_scope(cast.clinic.tenant.id):
        (batch_tallies,) = [progress_of(Campaign.objects.all())]
        return dict(next(iter(batch_tallies.values())).by_status)


def test_the_forecast_says_who_waits_until_when(committed_cast: Cast, client: Client, daylight: Daylight) -> None:
    daylight.become(BREAKFAST)
    draft = make_draft(committed_cast.clinic, make_list(committed_cast.clinic, EVERYBODY))
    with tenant_scope(committed_cast.clinic.tenant.id):
        expected = forecast(draft, audience_of(draft))
    assert (expected.audience, expected.reachable, expected.awake) == (13, 12, 5)
    assert (expected.hours.asleep, expected.hours.placeless) == (7, 1)
    assert [(wake.at.hour, wake.their_time.hour, wake.people) for wake in expected.hours.wakes] == [
        (15, 9, 4),
        (17, 9, 3),
    ]
    sign_in(client, committed_cast.alice, committed_cast.clinic.tenant)
    page = " ".join(text_of(client.get(reverse("campaign_review", args=[draft.id]))).split())
    assert "from 9:00 AM their time" in page
    assert "Send to 12 people now" in page
    daylight.become(BREAKFAST.replace(hour=19))
    with tenant_scope(committed_cast.clinic.tenant.id):
        assert forecast(draft, audience_of(draft)).hours.asleep == 0


def test_each_zone_gets_it_in_its_own_morning(
    committed_cast: Cast, network: str, client: Client, daylight: Daylight
) -> None:
    daylight.become(BREAKFAST)
    draft = make_draft(committed_cast.clinic, make_list(committed_cast.clinic, EVERYBODY))
    with tenant_scope(committed_cast.clinic.tenant.id):
        services.launch(campaign=draft)
    plan_campaign(committed_cast.clinic.tenant.id, draft.id)
    assert by_status(committed_cast) == {"queued": 5, "deferred": 7, "blocked": 1}
    with tenant_scope(committed_cast.clinic.tenant.id):
        due = Batch.objects.exclude(due_from=None).order_by("due_from")
        assert [(batch.due_from.hour, batch.tally) for batch in due if batch.due_from] == [
            (15, {"deferred": 4}),
            (17, {"deferred": 3}),
        ]
        # They are planned for a day that is past for the database; nobody is to wake yet.
        due.update(not_before=datetime(2099, 1, 1, tzinfo=UTC))
    sign_in(client, committed_cast.alice, committed_cast.clinic.tenant)
    page = text_of(client.get(reverse("campaign", args=[draft.id])))
    assert "waits until Nov 18" in page
    assert "note their time zone" in page
    for hour, accepted in ((13, 5), (15, 9), (17, 12)):
        daylight.become(BREAKFAST.replace(hour=hour))
        while run_next_batch(MARKETING):
            complete_finished()
        assert by_status(committed_cast)["accepted"] == accepted
        complete_finished()
        with tenant_scope(committed_cast.clinic.tenant.id):
            finished = Campaign.objects.get().status == Campaign.Status.COMPLETED
        assert finished is (accepted == 12)
    with tenant_scope(committed_cast.clinic.tenant.id):
        assert not Message.objects.filter(status="deferred").exists()


def test_a_campaign_that_is_cancelled_by_night_reaches_nobody_in_the_morning(
    committed_cast: Cast, network: str, daylight: Daylight
) -> None:
    daylight.become(BREAKFAST.replace(hour=8))
    draft = make_draft(committed_cast.clinic, make_list(committed_cast.clinic, CAPITAL))
    with tenant_scope(committed_cast.clinic.tenant.id):
        services.launch(campaign=draft)
    plan_campaign(committed_cast.clinic.tenant.id, draft.id)
    assert by_status(committed_cast) == {"deferred": 5}
    with tenant_scope(committed_cast.clinic.tenant.id):
        services.cancel(campaign=Campaign.objects.get())
    daylight.become(BREAKFAST)
    assert not run_next_batch(MARKETING)
    assert by_status(committed_cast) == {"cancelled": 5}
