"""Planning a launched campaign: one worker at a time, no recipient left out, and failures that can be seen."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from threading import Event
from time import sleep
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.db.models import F
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from campaigns import launch as launching
from campaigns import services, tasks
from campaigns.launch import plan_campaign, take_turn
from campaigns.models import Campaign, CampaignRecipient
from campaigns.progress import progress_of, to_plan
from common.lanes import MARKETING
from messaging.models import Batch, Message
from messaging.pipeline.dispatch import run_next_batch
from tenants.scope import tenant_scope
from tests.campaigns.conftest import make_draft, make_list
from tests.campaigns.pages import reload
from tests.cast import Cast, Company
from tests.web import sign_in, text_of

pytestmark = pytest.mark.django_db(transaction=True)

NUMBERS = [f"+120255501{n:02d}" for n in range(6)]
WAIT = 20.0
"""Seconds after which something that waits for another thread counts as stuck."""


@pytest.fixture
def clinic(committed_cast: Cast, monkeypatch: pytest.MonkeyPatch) -> Company:
    """Its campaigns are planned in pages of two."""
    monkeypatch.setattr(launching, "MAX_BATCH", 2)
    return committed_cast.clinic


def launched(company: Company, *, name: str = "Spring") -> Campaign:
    """A campaign for six people, of whom four agreed; nobody has planned it yet."""
    campaign = make_draft(company, make_list(company, NUMBERS, agreed=NUMBERS[:4], name=name), name=name)
    with tenant_scope(company.tenant.id):
        services.launch(campaign=campaign)
    return campaign


def plan_pages(company: Company, campaign: Campaign, pages: int) -> None:
    """What a worker does that dies after so many pages."""
    assert launching._freeze(company.tenant.id, campaign.id)
    for _ in range(pages):
        with tenant_scope(company.tenant.id):
            assert launching._plan_next_page(campaign.id)


def act(company: Company, campaign: Campaign, action: Callable[..., None]) -> None:
    with tenant_scope(company.tenant.id):
        action(campaign=Campaign.objects.get(id=campaign.id))


@contextmanager
def alongside(work: Callable[[], object]) -> Iterator[None]:
    """Does ``work`` in another thread and waits for its end; raises what it raised."""

    def run() -> None:
        try:
            work()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(run)
        yield
        done.result(WAIT)


def statuses(company: Company) -> list[str]:
    """The messages' statuses in the order in which they were planned; every recipient has one."""
    with tenant_scope(company.tenant.id):
        assert not CampaignRecipient.objects.filter(message=None).exists()
        linked = CampaignRecipient.objects.values_list("message_id", flat=True)
        rows = Message.objects.order_by("id").values_list("id", "status")
        assert sorted(linked) == [message_id for message_id, _ in rows]
        return [status for _, status in rows]


@pytest.mark.parametrize(("pages", "paused_first"), [(0, False), (1, True), (2, False), (3, False)])
def test_each_recipient_of_a_campaign_cancelled_early_has_a_reason(
    clinic: Company, pages: int, paused_first: bool
) -> None:
    campaign = launched(clinic)
    plan_pages(clinic, campaign, pages)
    if paused_first:
        act(clinic, campaign, services.pause)
    act(clinic, campaign, services.cancel)
    with tenant_scope(clinic.tenant.id):
        blocked = Message.objects.filter(status="blocked").count()
        progress = progress_of(Campaign.objects.all())[campaign.id]
        assert (progress.waiting, progress.stopped, progress.blocked) == (0, 6 - blocked, blocked)
    assert to_plan() == [(clinic.tenant.id, campaign.id)]
    plan_campaign(clinic.tenant.id, campaign.id)
    assert to_plan() == []
    assert sorted(statuses(clinic)) == ["blocked"] * blocked + ["cancelled"] * (6 - blocked)
    with tenant_scope(clinic.tenant.id):
        cancelled = Campaign.objects.get()
        assert (cancelled.status, cancelled.planned_at is not None) == ("cancelled", True)
        assert progress_of([cancelled])[campaign.id].by_status == progress.by_status | {"cancelled": 6 - blocked}
        assert all(Message.objects.values_list("decision__rule", flat=True))
        assert not Batch.objects.filter(state__in=["queued", "leased"]).exists()
    assert not run_next_batch(MARKETING)


def test_a_campaign_cancelled_before_its_audience_was_frozen_has_recipients_too(clinic: Company) -> None:
    campaign = launched(clinic)
    act(clinic, campaign, services.cancel)
    plan_campaign(clinic.tenant.id, campaign.id)
    assert statuses(clinic) == ["cancelled"] * 6
    assert reload(clinic, campaign).audience_count == 6


def test_a_campaign_cancelled_before_its_launch_has_nobody_to_plan(clinic: Company) -> None:
    campaign = make_draft(clinic, make_list(clinic, NUMBERS))
    with tenant_scope(clinic.tenant.id):
        services.schedule(campaign=campaign, at=timezone.now() + timedelta(hours=1))
        services.cancel(campaign=campaign)
    assert to_plan() == []


def test_a_worker_that_dies_among_the_cancelled_is_taken_over_without_repeats(
    clinic: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign = launched(clinic)
    act(clinic, campaign, services.cancel)
    real = launching._link

    def dies(*arguments: Any) -> None:
        real(*arguments)
        raise KeyboardInterrupt

    plan_pages(clinic, campaign, 1)
    monkeypatch.setattr(launching, "_link", dies)
    with pytest.raises(KeyboardInterrupt):
        plan_campaign(clinic.tenant.id, campaign.id)
    monkeypatch.setattr(launching, "_link", real)
    plan_campaign(clinic.tenant.id, campaign.id)
    assert statuses(clinic) == ["cancelled"] * 6


def test_cancelling_waits_for_the_page_that_is_being_planned(clinic: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise the page's batch would be queued after the cancellation had looked for it."""
    campaign = launched(clinic)
    planning, cancelling = Event(), Event()
    real = launching._link

    def slow(*arguments: Any) -> None:
        planning.set()
        cancelling.wait(1.0)
        real(*arguments)

    monkeypatch.setattr(launching, "_link", slow)
    with alongside(lambda: plan_campaign(clinic.tenant.id, campaign.id)):
        assert planning.wait(WAIT)
        act(clinic, campaign, services.cancel)
        cancelling.set()
    plan_campaign(clinic.tenant.id, campaign.id)
    assert {*statuses(clinic)} <= {"cancelled", "blocked"}
    assert not run_next_batch(MARKETING)


def test_a_second_planner_leaves_at_once(clinic: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    campaign = launched(clinic)
    planning, tried = Event(), Event()
    real = launching._plan_page

    def slow(*arguments: Any) -> None:
        planning.set()
        assert tried.wait(WAIT), "the second planner waited for the first"
        real(*arguments)

    monkeypatch.setattr(launching, "_plan_page", slow)
    with alongside(lambda: plan_campaign(clinic.tenant.id, campaign.id)):
        assert planning.wait(WAIT)
        assert plan_campaign(clinic.tenant.id, campaign.id) is False
        tried.set()
    assert len(statuses(clinic)) == 6


def test_a_button_comes_between_two_pages(clinic: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    """A planner that asks for the next page at once does not get it before somebody who waits."""
    monkeypatch.setattr(launching, "MAX_BATCH", 1)
    campaign = launched(clinic)
    planning, pages = Event(), []
    real = launching._link

    def note(*arguments: Any) -> None:
        planning.set()
        sleep(0.2)
        pages.append(1)
        real(*arguments)

    monkeypatch.setattr(launching, "_link", note)
    with alongside(lambda: plan_campaign(clinic.tenant.id, campaign.id)):
        assert planning.wait(WAIT)
        act(clinic, campaign, services.pause)
    assert len(pages) <= 2
    assert reload(clinic, campaign).status == "paused"


def test_counting_an_answer_waits_for_no_page(clinic: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    campaign = launched(clinic)
    planning, counted = Event(), Event()
    real = launching._link

    def slow(*arguments: Any) -> None:
        planning.set()
        assert counted.wait(WAIT)
        real(*arguments)

    monkeypatch.setattr(launching, "_link", slow)
    with alongside(lambda: plan_campaign(clinic.tenant.id, campaign.id)):
        assert planning.wait(WAIT)
        with tenant_scope(clinic.tenant.id):
            Campaign.objects.filter(id=campaign.id).update(reply_count=F("reply_count") + 1)
        counted.set()
    assert (reload(clinic, campaign).reply_count, len(statuses(clinic))) == (1, 6)


def test_the_buttons_work_while_the_audience_is_frozen(clinic: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    campaign = launched(clinic)
    freezing, acted = Event(), Event()
    real = launching.freeze

    def slow(frozen: Campaign) -> int:
        count = real(frozen)
        freezing.set()
        assert acted.wait(WAIT), "the button waited for the whole audience"
        return count

    monkeypatch.setattr(launching, "freeze", slow)
    with alongside(lambda: plan_campaign(clinic.tenant.id, campaign.id)):
        assert freezing.wait(WAIT)
        act(clinic, campaign, services.pause)
        assert take_turn(clinic.tenant.id, campaign.id) is False
        acted.set()
    paused = reload(clinic, campaign)
    assert (paused.status, paused.audience_count) == ("paused", 6)
    with tenant_scope(clinic.tenant.id):
        assert not Message.objects.exists()
    act(clinic, campaign, services.resume)
    plan_campaign(clinic.tenant.id, campaign.id)
    assert len(statuses(clinic)) == 6


def test_the_planner_knows_a_list_that_came_a_moment_ago(clinic: Company) -> None:
    """Without fresh statistics a list of thousands takes minutes instead of milliseconds."""
    campaign = launched(clinic)
    plan_campaign(clinic.tenant.id, campaign.id)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname, reltuples FROM pg_class WHERE relname IN "
            "('contacts_contact', 'contacts_listmember', 'campaigns_campaignrecipient')"
        )
        assert dict(cursor.fetchall()) == dict.fromkeys(
            ("contacts_contact", "contacts_listmember", "campaigns_campaignrecipient"), 6.0
        )


def test_planning_that_fails_is_shown_and_tried_again_later(
    clinic: Company, client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    campaign = launched(clinic)
    sign_in(client, clinic.owner, clinic.tenant)
    url = reverse("campaign", args=[campaign.id])
    assert "has not worked yet" not in text_of(client.get(url))

    def fails(*arguments: Any) -> None:
        raise OperationalError(f"canceling statement: {NUMBERS[0]}")

    with monkeypatch.context() as patched:
        patched.setattr(launching, "freeze", fails)
        assert take_turn(clinic.tenant.id, campaign.id) is False
        assert to_plan() == []
        first = reload(clinic, campaign)
        assert "Putting the recipients in order failed." in " ".join(text_of(client.get(url)).split())
        take_turn(clinic.tenant.id, campaign.id)
    page = " ".join(text_of(client.get(url)).split())
    assert "Putting the recipients in order failed 2 times in a row." in page
    assert "pause it and resume it" in page
    assert "OperationalError" in caplog.text
    assert NUMBERS[0] not in caplog.text
    second = reload(clinic, campaign)
    assert first.plan_again_at is not None
    assert second.plan_again_at is not None
    assert second.plan_again_at > first.plan_again_at
    with tenant_scope(clinic.tenant.id):
        Campaign.objects.update(plan_again_at=timezone.now() - timedelta(seconds=1))
    assert to_plan() == [(clinic.tenant.id, campaign.id)]
    take_turn(clinic.tenant.id, campaign.id)
    assert len(statuses(clinic)) == 6
    assert reload(clinic, campaign).plan_failures == 0
    assert "has not worked yet" not in text_of(client.get(url))


def test_resuming_tries_at_once(clinic: Company) -> None:
    campaign = launched(clinic)
    with tenant_scope(clinic.tenant.id):
        Campaign.objects.update(plan_failures=7, plan_again_at=timezone.now() + timedelta(minutes=5))
    act(clinic, campaign, services.pause)
    act(clinic, campaign, services.resume)
    assert to_plan() == [(clinic.tenant.id, campaign.id)]
    assert reload(clinic, campaign).plan_failures == 0


@pytest.fixture
def hints(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """The plan tasks that are sent to the broker."""
    sent: list[tuple[str, str]] = []
    monkeypatch.setattr(tasks.plan, "apply_async", lambda args, **_: sent.append(args))
    return sent


def test_the_ticker_plans_nothing_itself(clinic: Company, hints: list[tuple[str, str]]) -> None:
    campaign = launched(clinic)
    hints.clear()
    tasks.run_due()
    assert hints == [(str(clinic.tenant.id), str(campaign.id))]
    with tenant_scope(clinic.tenant.id):
        assert not CampaignRecipient.objects.exists()
    tasks.plan(*hints[0])
    assert len(statuses(clinic)) == 6


def test_a_turn_that_is_over_leaves_the_rest_for_the_next(
    clinic: Company, hints: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign = launched(clinic)
    hints.clear()
    with monkeypatch.context() as patched:
        patched.setattr(launching, "TURN_SECONDS", 0.0)
        tasks.plan(str(clinic.tenant.id), str(campaign.id))
    assert reload(clinic, campaign).status == "launching"
    assert hints == [(str(clinic.tenant.id), str(campaign.id))]
    tasks.plan(*hints[0])
    assert len(hints) == 1
    assert reload(clinic, campaign).status == "sending"


@pytest.mark.parametrize("what", ["launch_due", "_hint", "due_to_launch", "to_plan"])
def test_one_that_fails_keeps_no_other_from_its_turn(
    clinic: Company, committed_cast: Cast, hints: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    sent = launched(clinic, name="Sent")
    plan_campaign(clinic.tenant.id, sent.id)
    first, last = launched(clinic, name="First"), launched(committed_cast.shop, name="Last")
    hints.clear()
    for company, campaign in ((clinic, first), (committed_cast.shop, last)):
        with tenant_scope(company.tenant.id):
            Campaign.objects.filter(id=campaign.id).update(status="scheduled", scheduled_at=timezone.now())
            Batch.objects.update(state="done")
    real = getattr(tasks, what)

    def fails(*arguments: Any) -> Any:
        if arguments[1:] in ((), (first.id,)):
            raise OperationalError("no")
        return real(*arguments)

    monkeypatch.setattr(tasks, what, fails)
    tasks.run_due()
    assert reload(clinic, sent).status == "completed"
    if what in ("launch_due", "_hint"):
        assert reload(committed_cast.shop, last).status == "launching"
        assert hints == [(str(committed_cast.shop.tenant.id), str(last.id))]
