"""The campaign pages: who may see them, what they say, and what wrong input gets."""

import html
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from campaigns import views
from campaigns.models import Campaign, CampaignRecipient
from common.lanes import MARKETING
from consent.services import opt_out
from contacts.models import Contact, ContactList, Tag
from messaging.models import Batch, Message, MessageTemplate, Sender
from messaging.pipeline.enqueue import Cause, Draft, enqueue
from messaging.pipeline.transitions import recount
from tenants.models import User
from tenants.scope import tenant_scope
from tests.campaigns.conftest import make_draft, make_list
from tests.cast import Cast, Company
from tests.web import sign_in

HOSTILE = "<script>alert(1)</script>\"'{{ x }}"
NOBODYS = "01900000-0000-7000-8000-000000000000"
NUMBERS = [f"+120255501{n:02d}" for n in range(6)]


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


def composed(people: ContactList, **changes: Any) -> dict[str, Any]:
    """What the composer sends."""
    typed = {
        "name": "Spring",
        "purpose": "marketing",
        "body": "Hi {{ first_name | there }}, spring is here",
        "stop_footer": "on",
        "lists": [str(people.id)],
    }
    return {**typed, **changes}


def text_of(response: Any) -> str:
    """What the page says, without the escapes of HTML."""
    return html.unescape(response.content.decode())


def reload(company: Company, campaign: Campaign) -> Campaign:
    with tenant_scope(company.tenant.id):
        return Campaign.objects.get(id=campaign.id)


def sent(company: Company, campaign: Campaign, statuses: Mapping[str, str]) -> Campaign:
    """The campaign as it is after its launch, with a message in the given status for each number."""
    with tenant_scope(company.tenant.id):
        now = timezone.now()
        drafts = [
            Draft(
                number=number,
                body="Spring",
                blocked=status == Message.Status.BLOCKED,
                decision={"rule": "person_agreed"}
                if status == Message.Status.BLOCKED
                else {"rule": "all_rules_passed"},
            )
            for number, status in statuses.items()
        ]
        batch, ids = enqueue(drafts, Cause(kind="campaign", id=campaign.id, lane=MARKETING, purpose="marketing"))
        for (number, status), message_id in zip(statuses.items(), ids, strict=True):
            Message.objects.filter(id=message_id).update(status=status)
            contact = Contact.objects.get(number=number)
            CampaignRecipient.objects.create(campaign=campaign, contact=contact, number=number, message_id=message_id)
        recount([batch.id])
        Batch.objects.filter(id=batch.id).update(state=Batch.State.DONE)
        Campaign.objects.filter(id=campaign.id).update(
            status=Campaign.Status.SENDING, launched_at=now, planned_at=now, audience_count=len(statuses)
        )
    return reload(company, campaign)


# --- Who may see what ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("page", "who"),
    [
        ("campaigns", ["alice", "mona", "bob", "vera"]),
        ("campaign", ["alice", "mona", "bob", "vera"]),
        ("campaign_new", ["alice", "mona"]),
        ("campaign_edit", ["alice", "mona"]),
        ("campaign_review", ["alice", "mona"]),
    ],
)
def test_a_page_opens_for_those_who_may(client: Client, cast: Cast, draft: Campaign, page: str, who: list[str]) -> None:
    url = reverse(page) if page in ("campaigns", "campaign_new") else reverse(page, args=[draft.id])
    for name in ("alice", "mona", "bob", "vera"):
        user: User = getattr(cast, name)
        sign_in(client, user, cast.clinic.tenant)
        assert client.get(url).status_code == (200 if name in who else 403), name


@pytest.mark.parametrize("action", ["pause", "resume", "cancel", "unschedule"])
def test_who_may_only_look_cannot_act(client: Client, cast: Cast, draft: Campaign, action: str) -> None:
    sign_in(client, cast.bob, cast.clinic.tenant)
    assert client.post(reverse("campaign_act", args=[draft.id, action])).status_code == 403
    assert client.post(reverse("campaign_preview"), {}).status_code == 403


def test_who_may_only_look_is_offered_nothing_to_do(client: Client, cast: Cast, draft: Campaign) -> None:
    sign_in(client, cast.vera, cast.clinic.tenant)
    assert reverse("campaign_new") not in text_of(client.get(reverse("campaigns")))
    page = text_of(client.get(reverse("campaign", args=[draft.id])))
    assert reverse("campaign_review", args=[draft.id]) not in page


@pytest.mark.parametrize("page", ["campaign", "campaign_edit", "campaign_review"])
def test_another_tenants_campaign_does_not_exist(client: Client, cast: Cast, draft: Campaign, page: str) -> None:
    sign_in(client, cast.charlie, cast.shop.tenant)
    assert client.get(reverse(page, args=[draft.id])).status_code == 404
    assert client.get(reverse(page, args=[uuid4()])).status_code == 404
    assert client.post(reverse("campaign_act", args=[draft.id, "cancel"])).status_code == 404
    assert "Spring" not in text_of(client.get(reverse("campaigns")))


@pytest.mark.parametrize("page", ["campaigns", "campaign_new", "campaign", "campaign_edit", "campaign_review"])
def test_signed_out_leads_to_the_login(client: Client, db: None, page: str) -> None:
    url = reverse(page) if page in ("campaigns", "campaign_new") else reverse(page, args=[uuid4()])
    response = client.get(url)
    assert response.status_code == 302
    assert response["Location"] == f"{reverse('account_login')}?next={quote(url, safe='')}"


def test_a_poll_of_a_signed_out_page_leads_to_the_login(client: Client, db: None) -> None:
    response = client.get(reverse("campaign", args=[uuid4()]), {"part": "progress"}, headers={"HX-Request": "true"})
    assert response.headers["HX-Redirect"].startswith(reverse("account_login"))


# --- The list -----------------------------------------------------------------------------------------------------


def test_an_empty_list_starts_the_job(alice: Client) -> None:
    page = text_of(alice.get(reverse("campaigns")))
    assert "No campaigns yet" in page
    assert reverse("campaign_new") in page


def test_the_list_is_filtered_by_name_and_status(alice: Client, cast: Cast, people: ContactList) -> None:
    make_draft(cast.clinic, people, name="Autumn")
    with tenant_scope(cast.clinic.tenant.id):
        Campaign.objects.create(name="Winter", status=Campaign.Status.CANCELLED)
    assert "Autumn" in text_of(alice.get(reverse("campaigns"), {"status": "draft"}))
    found = text_of(alice.get(reverse("campaigns"), {"q": "wint"}))
    assert "Winter" in found
    assert "Autumn" not in found
    nothing = text_of(alice.get(reverse("campaigns"), {"q": "zzz"}))
    assert "No campaign matches" in nothing


@pytest.mark.parametrize(
    "query", [{"q": "\x00"}, {"q": "%_'"}, {"status": "x'"}, {"before": "no-id"}, {"before": NOBODYS}]
)
def test_odd_filters_do_no_harm(alice: Client, draft: Campaign, query: dict[str, str]) -> None:
    assert alice.get(reverse("campaigns"), query).status_code == 200


def test_older_campaigns_are_on_the_next_page(alice: Client, cast: Cast) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        for n in range(27):
            Campaign.objects.create(name=f"Number {n}.")
    first = alice.get(reverse("campaigns"))
    assert "Number 26." in text_of(first)
    assert "Number 1." not in text_of(first)
    second = text_of(alice.get(reverse("campaigns"), {"before": first.context["page"].next}))
    assert "Number 1." in second
    assert "First page" in second


# --- The composer -------------------------------------------------------------------------------------------------


def test_a_campaign_is_written_and_reviewed(alice: Client, cast: Cast, people: ContactList) -> None:
    response = alice.post(reverse("campaign_new"), composed(people))
    with tenant_scope(cast.clinic.tenant.id):
        campaign = Campaign.objects.get()
    assert response["Location"] == reverse("campaign_review", args=[campaign.id])
    assert (campaign.name, campaign.created_by_id, campaign.stop_footer) == ("Spring", cast.alice.id, True)
    page = text_of(alice.get(response["Location"]))
    assert "Send to 3 people now" in page
    assert "2 have not agreed" in " ".join(_visible_words(page))


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"name": ""}, "This field is required."),
        ({"name": "x" * 121}, "Ensure this value has at most 120 characters (it has 121)."),
        ({"purpose": "verification"}, "Select a valid choice."),
        ({"body": "Hi {{ first_nam }}"}, "Did you mean {{ first_name }}?"),
        ({"body": "Hi {{ first_name"}, "is not closed."),
        ({"body": "x" * 1601}, "Ensure this value has at most 1600 characters (it has 1601)."),
        ({"lists": [NOBODYS]}, "is not one of the available choices."),
        ({"lists": ["no-id"]}, "is not a valid UUID."),
        ({"sender": NOBODYS}, "Select a valid choice."),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_is_wrong_is_said_and_what_was_typed_stays(
    alice: Client, cast: Cast, people: ContactList, changes: dict[str, Any], problem: str
) -> None:
    typed = composed(people, **changes)
    response = alice.post(reverse("campaign_new"), typed)
    assert response.status_code == 422
    page = text_of(response)
    assert problem in page
    assert typed["name"] in page
    assert typed["body"] in page
    with tenant_scope(cast.clinic.tenant.id):
        assert not Campaign.objects.exists()


def test_a_list_cannot_be_in_and_out_and_nothing_is_half_saved(alice: Client, cast: Cast, people: ContactList) -> None:
    response = alice.post(reverse("campaign_new"), composed(people, excluded_lists=[str(people.id)]))
    assert response.status_code == 422
    assert "cannot be included and excluded at once" in text_of(response)
    with tenant_scope(cast.clinic.tenant.id):
        assert not Campaign.objects.exists()


def test_another_tenants_list_and_sender_cannot_be_chosen(alice: Client, cast: Cast, people: ContactList) -> None:
    foreign = make_list(cast.shop, ["+12025550150"], name="Shop people")
    for changes in ({"lists": [str(foreign.id)]}, {"sender": str(cast.shop.sender.id)}):
        assert alice.post(reverse("campaign_new"), composed(people, **changes)).status_code == 422
    page = text_of(alice.get(reverse("campaign_new")))
    assert "Shop people" not in page
    assert str(cast.shop.sender.id) not in page


def test_a_draft_is_changed_and_anything_else_is_not(
    alice: Client, cast: Cast, draft: Campaign, people: ContactList
) -> None:
    alice.post(reverse("campaign_edit", args=[draft.id]), composed(people, name="Summer"))
    assert reload(cast.clinic, draft).name == "Summer"
    with tenant_scope(cast.clinic.tenant.id):
        Campaign.objects.filter(id=draft.id).update(status=Campaign.Status.SENDING)
    response = alice.post(reverse("campaign_edit", args=[draft.id]), composed(people, name="Winter"))
    assert response["Location"] == reverse("campaign", args=[draft.id])
    assert reload(cast.clinic, draft).name == "Summer"


def test_a_template_is_where_a_campaign_starts(alice: Client, cast: Cast) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        MessageTemplate.objects.create(name="Booked & done", purpose="transactional", body="Your visit is booked.")
    page = alice.get(f"{reverse('campaign_new')}?template={quote('Booked & done')}")
    form = page.context["form"]
    assert form["body"].value() == "Your visit is booked."
    assert form["purpose"].value() == "transactional"
    assert alice.get(reverse("campaign_new"), {"template": "\x00"}).status_code == 200


def test_a_list_or_tag_is_who_a_campaign_starts_with(alice: Client, cast: Cast, people: ContactList) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        tag = Tag.objects.create(name="Regulars")
    foreign = make_list(cast.shop, ["+12025550150"], name="Shop people")
    url = reverse("campaign_new")
    for query, lists, tags in (
        ({"list": people.id}, [people.id], []),
        ({"tag": tag.id}, [], [tag.id]),
        ({"list": people.id, "tag": tag.id}, [people.id], [tag.id]),
        ({"list": foreign.id}, [], []),
        ({"list": "no-id", "tag": "\x00"}, [], []),
    ):
        form = alice.get(url, query).context["form"]
        assert (form["lists"].value(), form["tags"].value()) == (lists, tags)
    assert alice.get(url, {"list": people.id}).context["forecast"].audience == 6
    draft = make_draft(cast.clinic, people)
    assert alice.get(reverse("campaign_edit", args=[draft.id])).context["form"]["lists"].value() == [people.id]


def test_names_are_shown_as_written_never_run(alice: Client, cast: Cast) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        Campaign.objects.create(name=HOSTILE, body=HOSTILE)
        ContactList.objects.create(name=HOSTILE)
        MessageTemplate.objects.create(name=HOSTILE, body=HOSTILE)
        Contact.objects.create(number="+12025550103", first_name=HOSTILE, first_key="x", fields={HOSTILE: "x"})
    campaign = _only(cast.clinic)
    for url in (
        reverse("campaigns"),
        reverse("campaign_new"),
        reverse("campaign", args=[campaign]),
        reverse("campaign_edit", args=[campaign]),
        reverse("campaign_review", args=[campaign]),
    ):
        response = alice.get(url)
        assert response.status_code == 200
        assert "<script>alert" not in response.content.decode(), url
        assert HOSTILE in text_of(response), url


# --- The preview --------------------------------------------------------------------------------------------------


def test_the_preview_says_what_would_happen(alice: Client, people: ContactList) -> None:
    page = " ".join(_visible_words(text_of(alice.post(reverse("campaign_preview"), composed(people)))))
    assert "6 people are in the audience" in page
    assert "3 will get it now" in page
    assert "1 opted out" in page
    assert "2 have not agreed to “Offers and news”" in page
    assert "Hi P0, spring is here" in page
    assert "1 part" in page


def test_people_without_a_needed_value_are_counted(alice: Client, cast: Cast, people: ContactList) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        Contact.objects.filter(number=NUMBERS[1]).update(fields={"city": "Boston", "contains": "x", "a__b": "y"})
        Contact.objects.filter(number=NUMBERS[2]).update(fields={"city": " "})
    for body, lacking in {
        "{{ city }}": 2,
        "{{ city | here }}": 0,
        "{{ city }} {{ last_name }}": 3,
        "{{ contains }}": 2,
        "{{ a__b }}": 2,
    }.items():
        answer = alice.post(reverse("campaign_preview"), composed(people, body=body))
        assert answer.context["forecast"].incomplete == lacking, body
        assert answer.context["forecast"].reachable == 3 - lacking, body


def test_a_costly_character_comes_with_its_replacement(alice: Client, people: ContactList) -> None:
    page = text_of(alice.post(reverse("campaign_preview"), composed(people, body="8 – 5")))
    assert 'data-replace="–"' in page
    assert 'data-replace-with="-"' in page
    assert "only 70 characters instead of 160" in page


def test_a_costly_character_of_a_person_cannot_be_replaced(alice: Client, cast: Cast, people: ContactList) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        Contact.objects.update(first_name="Łukasz")
    page = text_of(alice.post(reverse("campaign_preview"), composed(people)))
    assert "comes from this person’s data" in page
    assert "data-replace=" not in page


def test_a_broken_tag_is_told_while_it_is_written(alice: Client, people: ContactList) -> None:
    page = text_of(alice.post(reverse("campaign_preview"), composed(people, body="Hi {{ frist_name }}")))
    assert "Did you mean {{ first_name }}?" in page


def test_a_sender_that_cannot_send_is_told(alice: Client, cast: Cast, people: ContactList) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        Sender.objects.update(status=Sender.Status.PAUSED)
    page = text_of(alice.post(reverse("campaign_preview"), composed(people)))
    assert "Nothing can be sent now" in page
    assert reverse("senders") in page


@pytest.mark.parametrize(
    "changes",
    [
        {"body": ""},
        {"body": "x" * 10_000},
        {"body": HOSTILE},
        {"body": "\x00"},
        {"lists": ["no-id"], "purpose": "x", "sender": "x"},
        {"everyone": "on", "lists": []},
    ],
    ids=str,
)
def test_the_preview_answers_whatever_stands_in_the_form(
    alice: Client, people: ContactList, changes: dict[str, Any]
) -> None:
    response = alice.post(reverse("campaign_preview"), composed(people, **changes))
    assert response.status_code == 200
    assert "<script>alert" not in response.content.decode()


# --- Review and launch --------------------------------------------------------------------------------------------


def test_a_campaign_starts_now(alice: Client, cast: Cast, draft: Campaign) -> None:
    response = alice.post(reverse("campaign_review", args=[draft.id]), {"when": "now"})
    assert response["Location"] == reverse("campaign", args=[draft.id])
    assert reload(cast.clinic, draft).status == Campaign.Status.LAUNCHING
    # A second click on the same button finds it started.
    again = alice.post(reverse("campaign_review", args=[draft.id]), {"when": "now"})
    assert again["Location"] == reverse("campaign", args=[draft.id])


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


@pytest.mark.parametrize(("typed", "starts"), [("", False), ("5", False), ("6", True), (" 6 ", True), ("0,006", True)])
def test_a_large_audience_is_confirmed_by_its_count(
    alice: Client, cast: Cast, draft: Campaign, monkeypatch: pytest.MonkeyPatch, typed: str, starts: bool
) -> None:
    monkeypatch.setattr(views, "CONFIRM_FROM", 6)
    url = reverse("campaign_review", args=[draft.id])
    assert "Type the number of people to confirm" in text_of(alice.get(url))
    response = alice.post(url, {"when": "now", "confirmed_count": typed})
    assert response.status_code == (302 if starts else 422)
    assert (reload(cast.clinic, draft).status == Campaign.Status.LAUNCHING) is starts
    assert starts or "Type 6 to confirm" in text_of(response)


def test_what_nobody_would_get_cannot_be_started_from_the_page(alice: Client, cast: Cast) -> None:
    nobody = make_list(cast.clinic, NUMBERS[:2], agreed=[])
    campaign = make_draft(cast.clinic, nobody)
    page = text_of(alice.get(reverse("campaign_review", args=[campaign.id])))
    assert "Nobody in the audience can be texted now" in page
    assert 'name="when"' not in page


# --- The page of a campaign ---------------------------------------------------------------------------------------


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


def _visible_words(page: str) -> list[str]:
    """The words between the tags."""
    words, depth = [], 0
    for piece in page.replace("<", " <").replace(">", "> ").split():
        if piece.startswith("<"):
            depth += 1
        if depth == 0:
            words.append(piece)
        if piece.endswith(">") and depth:
            depth -= 1
    return words
