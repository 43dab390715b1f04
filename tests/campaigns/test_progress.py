"""The numbers of a campaign: each recipient counts once, whatever happens to the campaign meanwhile."""

import random
from collections import Counter
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns import launch as launching
from campaigns import services
from campaigns.models import Campaign, CampaignRecipient
from campaigns.outcomes import OUTCOMES, of_unplanned, with_outcome
from campaigns.progress import Progress, complete_finished, progress_of
from messaging.models import Message
from messaging.pipeline.transitions import TRANSITIONS, Change, apply_changes
from tenants.scope import tenant_scope
from tests.campaigns.conftest import make_draft, make_list
from tests.cast import Cast, Company

NUMBERS = [f"+120255501{n:02d}" for n in range(9)]
ACTIONS = {"pause": services.pause, "resume": services.resume, "cancel": services.cancel}


def test_each_status_of_a_message_belongs_to_one_outcome() -> None:
    assert Counter(status for outcome in OUTCOMES.values() for status in outcome.statuses) == dict.fromkeys(
        Message.Status, 1
    )


@given(
    tally=st.dictionaries(st.sampled_from(Message.Status.values), st.integers(0, 10**7)),
    unplanned=st.integers(0, 10**7),
    status=st.sampled_from(Campaign.Status.values),
)
def test_the_outcomes_add_up_to_the_audience(tally: dict[str, int], unplanned: int, status: str) -> None:
    audience = sum(tally.values()) + unplanned
    # Without a tenant, because nothing is read from the database here.
    progress = Progress(audience, Counter(tally), 0, of_unplanned(Campaign(tenant_id=None, status=status)))
    assert sum(count for _, _, count in progress.outcomes) == audience
    assert all(count >= 0 for _, _, count in progress.outcomes)
    assert progress.done + progress.waiting == audience
    assert 0 <= progress.handed_over <= audience
    assert 0 <= progress.percent <= 100


def test_messages_that_came_after_the_campaign_was_read_are_counted(cast: Cast, draft: Campaign) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        services.launch(campaign=draft)
        early = Campaign.objects.get(id=draft.id)
        launching.freeze(draft)
        launching._plan_next_page(draft.id)
        progress = progress_of([early])[draft.id]
    assert early.audience_count == 0
    assert sum(count for _, _, count in progress.outcomes) == progress.audience == 6


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("seed", range(4))
def test_the_numbers_add_up_at_every_moment(committed_cast: Cast, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    """A walk through a campaign's life: planned page by page, paused, resumed, sent, and sometimes cancelled."""
    monkeypatch.setattr(launching, "MAX_BATCH", 2)
    dice, clinic = random.Random(seed), committed_cast.clinic
    campaign = make_draft(clinic, make_list(clinic, NUMBERS, agreed=NUMBERS[:6]))
    with tenant_scope(clinic.tenant.id):
        services.launch(campaign=campaign)
    launching._freeze(clinic.tenant.id, campaign.id)
    steps = ["plan", "move", "pause", "resume"] * 6 + ["complete"] + ["cancel"] * (seed % 4)
    dice.shuffle(steps)
    for step in steps:
        _take(step, clinic, campaign, dice)
        _check(clinic, campaign)
    launching.plan_campaign(clinic.tenant.id, campaign.id)
    _check(clinic, campaign)
    with tenant_scope(clinic.tenant.id):
        if Campaign.objects.get().status != "paused":
            assert not CampaignRecipient.objects.filter(message=None).exists()


def _take(step: str, company: Company, campaign: Campaign, dice: random.Random) -> None:
    if step == "complete":
        complete_finished()
        return
    with tenant_scope(company.tenant.id):
        if step == "plan":
            launching._plan_next_page(campaign.id)
        elif step == "move":
            for message in Message.objects.filter(status__in=list(TRANSITIONS)):
                became = dice.choice(sorted(TRANSITIONS[Message.Status(message.status)]))
                apply_changes([Change(message.id, became)], batch_ids=[message.batch_id])
        else:
            with suppress(services.MovedOn):
                ACTIONS[step](campaign=campaign)


def _check(company: Company, campaign: Campaign) -> None:
    with tenant_scope(company.tenant.id):
        found = Campaign.objects.get(id=campaign.id)
        progress = progress_of([found])[found.id]
        shown = {key: count for key, _, count in progress.outcomes}
        assert sum(shown.values()) == progress.audience == found.audience_count == len(NUMBERS)
        # Each number leads to so many rows.
        assert shown == {key: with_outcome(found, key).count() for key in OUTCOMES}
        if found.status == "cancelled":
            on_the_road = Message.objects.filter(status__in=["queued", "deferred", "submitting"])
            assert shown["waiting"] == on_the_road.count(), "nobody waits for a message"
