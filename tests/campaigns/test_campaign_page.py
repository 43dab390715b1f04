"""Review, launch, and the page of a campaign that is under way."""

import re
from datetime import timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from campaigns import views
from campaigns.models import Campaign, CampaignRecipient
from consent.purpose_rules import Rules, set_rules
from messaging.models import Batch, Message
from messaging.pipeline.transitions import recount
from tenants.scope import tenant_scope
from tests.campaigns.conftest import NUMBERS, make_draft, make_list
from tests.campaigns.pages import reload, sent
from tests.cast import Cast, Company
from tests.web import text_of


def test_a_campaign_starts_now(alice: Client, cast: Cast, draft: Campaign) -> None:
    response = alice.post(reverse("campaign_review", args=[draft.id]), {"when": "now"})
    assert response["Location"] == reverse("campaign", args=[draft.id])
    assert reload(cast.clinic, draft).status == Campaign.Status.LAUNCHING
    # A second click on the same button finds it started, and says so.
    launched_at = reload(cast.clinic, draft).launched_at
    for when in ("now", "later", ""):
        again = alice.post(reverse("campaign_review", args=[draft.id]), {"when": when}, follow=True)
        assert again.redirect_chain == [(reverse("campaign", args=[draft.id]), 302)]
        assert "This campaign was started meanwhile." in text_of(again)
    assert reload(cast.clinic, draft).launched_at == launched_at


@pytest.mark.parametrize("when", ["now", "later"])
def test_only_what_was_looked_at_is_sent(alice: Client, cast: Cast, draft: Campaign, when: str) -> None:
    url = reverse("campaign_review", args=[draft.id])
    typed = {"when": when, "scheduled_at": f"{timezone.now() + timedelta(days=200):%Y-%m-%dT10:00}"}

    def look() -> dict[str, str]:
        seen = re.search(r'name="seen" value="(\w+)"', text_of(alice.get(url)))
        assert seen
        return typed | {"seen": seen.group(1)}

    def others_change(**values: object) -> None:
        with tenant_scope(cast.clinic.tenant.id):
            Campaign.objects.filter(id=draft.id).update(**values)

    with tenant_scope(cast.clinic.tenant.id):
        set_rules(purpose="marketing", rules=Rules(footer="chosen"))
    sender = {"sender_id": cast.clinic.sender.id}
    for changes in ({"body": "Other"}, {"everyone": True}, sender, {"stop_footer": False}):
        looked_at = look()
        others_change(**changes)
        late = alice.post(url, looked_at, follow=True)
        assert late.redirect_chain == [(url, 302)]
        assert "Somebody changed this campaign while you looked at it. It has not been sent." in text_of(late)
        assert reload(cast.clinic, draft).status == "draft"
    looked_at = look()
    others_change(name="Only the team sees it")
    alice.post(url, looked_at)
    assert reload(cast.clinic, draft).status == ("launching" if when == "now" else "scheduled")


def test_a_later_time_is_the_wall_clock_of_the_tenant(alice: Client, cast: Cast, draft: Campaign) -> None:
    zone = ZoneInfo(cast.clinic.tenant.timezone)
    at = (timezone.now().astimezone(zone) + timedelta(days=2)).replace(hour=9, minute=30, second=0, microsecond=0)
    alice.post(reverse("campaign_review", args=[draft.id]), {"when": "later", "scheduled_at": f"{at:%Y-%m-%dT%H:%M}"})
    scheduled = reload(cast.clinic, draft)
    assert (scheduled.status, scheduled.scheduled_at) == (Campaign.Status.SCHEDULED, at)
    page = text_of(alice.get(reverse("campaign", args=[draft.id])))
    assert "9:30 AM" in page


@pytest.mark.parametrize(
    ("typed", "problem"),
    [
        ({}, "This field is required."),
        ({"when": "never"}, "Select a valid choice."),
        ({"when": "later"}, "Choose a date and time."),
        ({"when": "later", "scheduled_at": "soon"}, "Enter a valid date/time."),
        ({"when": "later", "scheduled_at": "2020-01-01T10:00"}, "Choose a time in the future"),
        ({"when": "later", "scheduled_at": "9999-12-31T23:59"}, "Choose a time within a year"),
        ({"when": "later", "scheduled_at": f"{timezone.now().year + 1}-12-31T23:59"}, "Choose a time within a year"),
        ({"when": "later", "scheduled_at": "2027-03-14T02:30"}, "The clocks skip this time"),
        ({"when": "now", "confirmed_count": "many"}, "Type the number in digits."),
    ],
    ids=str,
)
def test_a_wrong_launch_starts_nothing(
    alice: Client, cast: Cast, draft: Campaign, typed: dict[str, str], problem: str
) -> None:
    response = alice.post(reverse("campaign_review", args=[draft.id]), typed)
    assert response.status_code == 422
    assert problem in text_of(response)
    assert reload(cast.clinic, draft).status == Campaign.Status.DRAFT


@pytest.mark.parametrize(("typed", "starts"), [("", False), ("6", False), ("3", True), (" 3 ", True), ("0,003", True)])
def test_a_large_audience_is_confirmed_by_its_count(
    alice: Client, cast: Cast, draft: Campaign, monkeypatch: pytest.MonkeyPatch, typed: str, starts: bool
) -> None:
    monkeypatch.setattr(views, "CONFIRM_FROM", 3)
    url = reverse("campaign_review", args=[draft.id])
    assert "Type the number of people to confirm" in text_of(alice.get(url))
    response = alice.post(url, {"when": "now", "confirmed_count": typed})
    assert response.status_code == (302 if starts else 422)
    assert (reload(cast.clinic, draft).status == Campaign.Status.LAUNCHING) is starts
    assert starts or "Type 3 to confirm" in text_of(response), "the number that the button names"


def test_what_nobody_would_get_cannot_be_started_from_the_page(alice: Client, cast: Cast) -> None:
    nobody = make_list(cast.clinic, NUMBERS[:2], agreed=[])
    campaign = make_draft(cast.clinic, nobody)
    page = text_of(alice.get(reverse("campaign_review", args=[campaign.id])))
    assert "Nobody in the audience can be texted now" in page
    assert 'name="when"' not in page


def test_each_recipient_stands_there_with_the_reason(alice: Client, cast: Cast, draft: Campaign) -> None:
    campaign = sent(cast.clinic, draft, {NUMBERS[1]: "delivered", NUMBERS[4]: "blocked", NUMBERS[2]: "undelivered"})
    page = text_of(alice.get(reverse("campaign", args=[campaign.id])))
    assert "Has not agreed to this kind of text" in page
    assert "The phone network could not deliver it" in page
    for key in ("delivered", "blocked", "not_delivered"):
        # Each number leads to the recipients behind it.
        assert re.search(rf'id="outcome-{key}" href="[^"]*\?status={key}#recipients">1<', page), key


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ({"status": "delivered"}, [1]),
        ({"status": "blocked"}, [4]),
        ({"status": "waiting"}, [2]),
        ({"status": "not_delivered"}, []),
        ({"answer": "replied"}, [1]),
        ({"answer": "opted_out"}, []),
        ({"q": "0104"}, [4]),
        ({"q": "p2"}, [2]),
        ({"q": "P4"}, [4]),
        ({"q": "(202) 555-01"}, [1, 2, 4]),
        ({"q": "\x00"}, [1, 2, 4]),
        ({"status": "x", "answer": "y", "after": "z"}, [1, 2, 4]),
    ],
    ids=str,
)
def test_the_recipients_are_filtered(
    alice: Client, cast: Cast, draft: Campaign, query: dict[str, str], numbers: list[int]
) -> None:
    campaign = sent(cast.clinic, draft, {NUMBERS[1]: "delivered", NUMBERS[4]: "blocked", NUMBERS[2]: "queued"})
    with tenant_scope(cast.clinic.tenant.id):
        CampaignRecipient.objects.filter(number=NUMBERS[1]).update(replied_at=timezone.now())
    page = alice.get(reverse("campaign", args=[campaign.id]), query)
    assert sorted(row.number for row in page.context["page"].rows) == [NUMBERS[n] for n in numbers]
    assert numbers or "No recipient of this campaign matches." in text_of(page)


def test_the_progress_polls_while_it_runs_and_stops_when_done(alice: Client, cast: Cast, draft: Campaign) -> None:
    campaign = sent(cast.clinic, draft, {NUMBERS[1]: "delivered", NUMBERS[2]: "queued"})
    url = reverse("campaign", args=[campaign.id])
    part = {"part": "progress", "seen": "sending"}
    running = text_of(alice.get(url, part, headers={"HX-Request": "true"}))
    assert "every 2s" in running
    assert "1 of 2" in running
    assert "campaign-actions" not in running
    assert "<html" not in running
    with tenant_scope(cast.clinic.tenant.id):
        Message.objects.update(status="delivered")
        recount(list(Batch.objects.values_list("id", flat=True)))
        Campaign.objects.update(status=Campaign.Status.COMPLETED, finished_at=timezone.now())
    done = text_of(alice.get(url, part, headers={"HX-Request": "true"}))
    assert "hx-get" not in done
    # The status and the buttons of the page changed with it.
    assert 'id="campaign-status" hx-swap-oob="true"' in done
    assert reverse("campaign_act", args=[campaign.id, "pause"]) not in done


def test_a_finished_campaign_still_asks_for_the_last_receipts(alice: Client, cast: Cast, draft: Campaign) -> None:
    campaign = sent(cast.clinic, draft, {NUMBERS[1]: "sent"})
    with tenant_scope(cast.clinic.tenant.id):
        Campaign.objects.update(status=Campaign.Status.COMPLETED, finished_at=timezone.now())
    assert "every 5s" in text_of(alice.get(reverse("campaign", args=[campaign.id])))
    with tenant_scope(cast.clinic.tenant.id):
        Campaign.objects.update(finished_at=timezone.now() - timedelta(hours=1))
    assert "every 5s" not in text_of(alice.get(reverse("campaign", args=[campaign.id])))


def test_a_scheduled_page_is_loaded_anew_when_it_starts(alice: Client, cast: Cast, draft: Campaign) -> None:
    campaign = sent(cast.clinic, draft, {NUMBERS[1]: "queued"})
    url = reverse("campaign", args=[campaign.id])
    answer = alice.get(url, {"part": "progress", "seen": "scheduled"}, headers={"HX-Request": "true"})
    assert answer.headers["HX-Refresh"] == "true"


def test_the_page_costs_the_same_for_any_number_of_recipients(alice: Client, cast: Cast, draft: Campaign) -> None:
    campaign = sent(cast.clinic, draft, dict.fromkeys(NUMBERS[:1], "delivered"))
    url = reverse("campaign", args=[campaign.id])
    alice.get(url)  # the first page of a session costs more
    with CaptureQueriesContext(connection) as one:
        alice.get(url)
    sent(cast.clinic, draft, dict.fromkeys(NUMBERS[1:], "undelivered"))
    with CaptureQueriesContext(connection) as six:
        alice.get(url)
    assert len(six) == len(one)


@pytest.mark.parametrize(
    ("status", "action", "becomes"),
    [
        ("sending", "pause", "paused"),
        ("paused", "resume", "sending"),
        ("sending", "cancel", "cancelled"),
        ("scheduled", "cancel", "cancelled"),
        ("scheduled", "unschedule", "draft"),
        ("completed", "pause", "completed"),
        ("cancelled", "resume", "cancelled"),
        ("draft", "cancel", "draft"),
    ],
)
def test_the_buttons_do_what_they_say_or_say_why_not(
    alice: Client, cast: Cast, draft: Campaign, status: str, action: str, becomes: str
) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        Campaign.objects.filter(id=draft.id).update(
            status=status, planned_at=timezone.now(), scheduled_at=timezone.now()
        )
    response = alice.post(reverse("campaign_act", args=[draft.id, action]), follow=True)
    assert response.status_code == 200
    assert reload(cast.clinic, draft).status == becomes
    assert ("This is not possible" in text_of(response)) is (status == becomes)


def test_acting_needs_a_post(alice: Client, draft: Campaign) -> None:
    assert alice.get(reverse("campaign_act", args=[draft.id, "cancel"])).status_code == 405
    assert alice.get(reverse("campaign_preview")).status_code == 405


def test_a_cancelled_campaign_says_of_each_person_why_nothing_came(alice: Client, cast: Cast, draft: Campaign) -> None:
    campaign = sent(cast.clinic, draft, {NUMBERS[1]: "delivered", NUMBERS[2]: "cancelled"})
    with tenant_scope(cast.clinic.tenant.id):
        # Nobody has come to the third one yet.
        CampaignRecipient.objects.create(campaign=campaign, number=NUMBERS[3])
        Campaign.objects.update(status="cancelled", audience_count=3, planned_at=None, finished_at=timezone.now())
    url = reverse("campaign", args=[campaign.id])
    response = alice.get(url)
    page = text_of(response)
    assert "every 5s" in page, "the last ones come by themselves"
    assert re.search(r"Not sent to <a[^>]*status=stopped#recipients\">2 people</a>: the campaign was cancelled", page)
    assert response.context["progress"].waiting == 0
    assert "parts to be billed" not in page
    stopped = alice.get(url, {"status": "stopped"})
    assert [row.number for row in stopped.context["page"].rows] == [NUMBERS[2], NUMBERS[3]]
    # Once for wide and once for narrow pages.
    assert text_of(stopped).count("Not sent: the campaign was cancelled") == 4
    assert "Nobody here" in text_of(alice.get(url, {"status": "waiting"}))


@pytest.mark.parametrize(
    ("status", "planned", "says"),
    [
        ("launching", False, "The list is being made"),
        ("paused", False, "There is no list yet"),
        ("cancelled", True, "Nobody was in the audience"),
        ("completed", True, "Nobody was in the audience"),
    ],
)
def test_an_empty_list_of_recipients_says_why(
    alice: Client, cast: Cast, draft: Campaign, status: str, planned: bool, says: str
) -> None:
    now = timezone.now()
    with tenant_scope(cast.clinic.tenant.id):
        Campaign.objects.update(status=status, launched_at=now, planned_at=now if planned else None)
    assert says in text_of(alice.get(reverse("campaign", args=[draft.id])))


@pytest.mark.parametrize("status", Campaign.Status.values)
def test_the_page_shows_every_status(alice: Client, cast: Cast, draft: Campaign, status: str) -> None:
    launched = None if status in ("draft", "scheduled") else timezone.now()
    with tenant_scope(cast.clinic.tenant.id):
        Campaign.objects.filter(id=draft.id).update(
            status=status, launched_at=launched, scheduled_at=timezone.now() + timedelta(hours=1)
        )
    page = text_of(alice.get(reverse("campaign", args=[draft.id])))
    assert Campaign.Status(status).label in page
    assert ("Recipients" in page) is (launched is not None)
    assert Campaign.Status(status).label in text_of(alice.get(reverse("campaigns")))


def _only(company: Company) -> UUID:
    with tenant_scope(company.tenant.id):
        return Campaign.objects.get().id
