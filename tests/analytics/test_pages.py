"""Home and the page of one contact: what needs somebody now, and why a person can or cannot be texted."""

from collections.abc import Callable
from datetime import timedelta
from html import escape
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from analytics.figures import refresh_tenant
from campaigns.models import Campaign
from consent.ledger import OptIn
from consent.models import Suppression
from consent.services import opt_in, opt_out
from contacts.models import Contact, ContactField
from contacts.services import create_contact, create_list, ensure_fields, get_or_create_tag, tag_contact
from messaging.models import Batch, InboundMessage, Message, Sender
from support.models import Conversation
from tenants.scope import tenant_scope
from tests.cast import Cast, Company
from tests.web import sign_in

HOSTILE = "<script>alert('x')</script>\"><b>"
NUMBER = "+12025550101"


def contact_of(company: Company, number: str = NUMBER, **values: str) -> Contact:
    with tenant_scope(company.tenant.id):
        return create_contact(
            tenant=company.tenant, number=number, values={"first_name": "Ann", "last_name": "Alba"} | values
        )


def wrote(company: Company, body: str = "Hello?", number: str = NUMBER) -> None:
    """An inbound text in its conversation, unread."""
    with tenant_scope(company.tenant.id):
        InboundMessage.objects.create(
            provider_account=company.account,
            provider_message_id=f"SIM{number}{body[:4]}",
            sender=company.sender,
            number=number,
            body=body,
        )
        Conversation.objects.update_or_create(number=number, defaults={"preview": body[:120], "unread_count": 1})


def text_to(company: Company, status: str, body: str = "Your visit is booked", **batch: Any) -> Message:
    """An outgoing text with the status it came to."""
    with tenant_scope(company.tenant.id):
        made = Batch.objects.create(
            **{"lane": "transactional", "purpose": "transactional", "cause_kind": "event", "tally": {status: 1}} | batch
        )
        return Message.objects.create(
            batch=made,
            number=NUMBER,
            body=body,
            encoding="GSM-7",
            part_count=1,
            status=status,
            decision={"rule": "person_agreed"} if status == "blocked" else {},
        )


def campaign_of(company: Company, status: str, **values: Any) -> Campaign:
    with tenant_scope(company.tenant.id):
        return Campaign.objects.create(**{"name": "Spring sale", "body": "Sale", "status": status} | values)


@pytest.fixture
def alice(client: Client, cast: Cast) -> Client:
    return sign_in(client, cast.alice, cast.clinic.tenant)


@pytest.fixture
def ann(cast: Cast) -> Contact:
    return contact_of(cast.clinic)


def page_of(contact: Contact) -> str:
    return reverse("contact", args=[contact.id])


# --- Who ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["alice", "mona", "bob", "vera"])
def test_every_member_sees_home_and_contacts(client: Client, cast: Cast, ann: Contact, name: str) -> None:
    sign_in(client, getattr(cast, name), cast.clinic.tenant)
    for address in (reverse("home"), page_of(ann)):
        assert client.get(address).status_code == 200
        assert client.post(address).status_code == 405


def test_whoever_is_signed_out_is_led_to_the_log_in(client: Client, ann: Contact) -> None:
    for address in (reverse("home"), page_of(ann)):
        answer = client.get(address)
        assert answer.status_code == 302
        assert answer.headers["Location"].startswith(reverse("account_login"))


def test_polling_without_a_session_moves_the_whole_page_to_the_log_in(client: Client, cast: Cast) -> None:
    answer = client.get(reverse("home"), {"part": "running"}, headers={"HX-Request": "true"})
    assert answer.headers["HX-Redirect"].startswith(reverse("account_login"))


def test_another_tenants_contact_does_not_exist(client: Client, cast: Cast, ann: Contact) -> None:
    sign_in(client, cast.charlie, cast.shop.tenant)
    answer = client.get(page_of(ann))
    assert answer.status_code == 404
    assert "Ann" not in answer.content.decode()


def test_home_shows_nothing_of_another_tenant(client: Client, cast: Cast, ann: Contact) -> None:
    wrote(cast.clinic, "A secret of the clinic")
    campaign_of(cast.clinic, "sending")
    page = sign_in(client, cast.charlie, cast.shop.tenant).get(reverse("home")).content.decode()
    assert "A secret of the clinic" not in page
    assert "Spring sale" not in page


# --- Home ---------------------------------------------------------------------------------------------------------


def test_a_new_account_is_shown_its_first_steps(alice: Client, cast: Cast) -> None:
    page = alice.get(reverse("home")).content.decode()
    assert "First steps" in page
    assert "Done: there is a number that texts come from." in page
    assert f'href="{reverse("imports")}"' in page
    assert "The last 7 days" not in page
    contact_of(cast.clinic)
    campaign_of(cast.clinic, "draft")
    page = alice.get(reverse("home")).content.decode()
    assert "Done: you have contacts." in page
    assert "Done: there is a campaign." in page
    assert "Business details" in page


def test_an_agent_is_offered_no_steps_that_would_be_refused(client: Client, cast: Cast) -> None:
    page = sign_in(client, cast.bob, cast.clinic.tenant).get(reverse("home")).content.decode()
    assert "Owners and managers take these steps." in page
    assert reverse("imports") not in page
    assert reverse("campaign_new") not in page


def test_without_a_sender_home_says_that_nothing_can_be_sent(alice: Client, cast: Cast, ann: Contact) -> None:
    assert "Nothing can be sent" not in alice.get(reverse("home")).content.decode()
    with tenant_scope(cast.clinic.tenant.id):
        Sender.objects.update(status=Sender.Status.PAUSED)
    page = alice.get(reverse("home")).content.decode()
    assert "Nothing can be sent" in page
    assert f'<a href="{reverse("senders")}">' in page


def test_what_is_unread_and_what_may_be_an_opt_out(alice: Client, cast: Cast, ann: Contact) -> None:
    wrote(cast.clinic, "When do you open?")
    wrote(cast.clinic, "no more of these please", "+12025550102")
    with tenant_scope(cast.clinic.tenant.id):
        Conversation.objects.filter(number="+12025550102").update(needs_review=True)
    answer = alice.get(reverse("home"))
    assert [conversation.number for conversation, _ in answer.context["waiting"]] == [NUMBER]
    assert [conversation.number for conversation, _ in answer.context["to_review"]] == ["+12025550102"]
    page = answer.content.decode()
    assert "One conversation has unread replies." in page
    assert f'href="{reverse("inbox")}?show=unread"' in page
    assert f'href="{reverse("inbox")}?show=review"' in page
    assert "One text may be an opt-out." in page
    assert page.index("no more of these please") < page.index("When do you open?")


@pytest.mark.parametrize(
    ("status", "values", "shown", "trigger"),
    [
        ("launching", {}, "Starting", "every 2s"),
        ("sending", {"audience_count": 4}, "50%", "every 2s"),
        ("paused", {"audience_count": 4}, "Paused", "every 15s"),
        ("scheduled", {"scheduled_at": timezone.now() + timedelta(days=1)}, "Starts", "every 15s"),
        ("completed", {"finished_at": timezone.now(), "audience_count": 2}, "Finished", ""),
        ("completed", {"finished_at": timezone.now() - timedelta(days=1)}, "", ""),
        ("draft", {}, "", ""),
        ("cancelled", {}, "", ""),
    ],
)
def test_running_campaigns_are_looked_at_again_only_while_they_move(
    alice: Client, cast: Cast, ann: Contact, status: str, values: dict[str, Any], shown: str, trigger: str
) -> None:
    campaign = campaign_of(cast.clinic, status, **values)
    for outcome in ("delivered", "blocked"):
        text_to(cast.clinic, outcome, cause_kind="campaign", cause_id=campaign.id)
    whole = alice.get(reverse("home")).content.decode()
    part = alice.get(reverse("home"), {"part": "running"}, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part
    assert ("Spring sale" in part) is bool(shown)
    assert shown in part
    assert (f'hx-trigger="{trigger}"' in part) is bool(trigger)
    assert ("hx-trigger" in part) is bool(trigger)
    assert part.strip() in whole


def test_a_finished_campaign_is_looked_at_again_while_receipts_come_in(alice: Client, cast: Cast, ann: Contact) -> None:
    campaign = campaign_of(cast.clinic, "completed", finished_at=timezone.now(), audience_count=1)
    text_to(cast.clinic, "sent", cause_kind="campaign", cause_id=campaign.id)
    part = alice.get(reverse("home"), {"part": "running"}, headers={"HX-Request": "true"}).content.decode()
    assert 'hx-trigger="every 5s"' in part


def test_the_figures_compare_the_week_with_the_one_before(alice: Client, cast: Cast, ann: Contact) -> None:
    now = timezone.now()
    for days_ago in (1, 2, 9, 10, 11):
        text_to(cast.clinic, "delivered", created_at=now - timedelta(days=days_ago))
    with tenant_scope(cast.clinic.tenant.id):
        opt_out(number=NUMBER, source="reply", wording="STOP")
    refresh_tenant(cast.clinic.tenant, days=30)
    answer = alice.get(reverse("home"))
    figures = {figure["metric"]: figure for figure in answer.context["figures"]}
    assert {name: (figure["week"], figure["month"]) for name, figure in figures.items()} == {
        "sent": (2, 5),
        "delivered": (2, 5),
        "replies": (0, 0),
        "opt_outs": (1, 1),
    }
    assert figures["sent"]["trend"] == "1 fewer than the week before"
    assert figures["replies"]["trend"] == "As many as the week before"
    assert figures["opt_outs"]["trend"] == "1 more than the week before"
    page = answer.content.decode()
    assert "Last 30 days: 5 delivered" in page
    assert f'href="{reverse("contacts")}?consent=opt_out"' in page


# --- One contact --------------------------------------------------------------------------------------------------

Deed = Callable[[Company], None]


def _agree(company: Company) -> None:
    with tenant_scope(company.tenant.id):
        opt_in(opt_in=OptIn(NUMBER, "marketing", "paper", wording="Signed at the desk"))


def _stop(company: Company) -> None:
    with tenant_scope(company.tenant.id):
        opt_out(number=NUMBER, source="reply", wording="STOP")


def _come_back_for_nothing(company: Company) -> None:
    """The suppression is lifted; what had ended stays ended."""
    with tenant_scope(company.tenant.id):
        Suppression.objects.update(lifted_at=timezone.now())


def _pause(company: Company) -> None:
    with tenant_scope(company.tenant.id):
        Sender.objects.update(status=Sender.Status.PAUSED)


@pytest.mark.parametrize(
    ("deeds", "marketing", "support"),
    [
        (
            [],
            (False, "They have not agreed to this."),
            (False, "They have not agreed to this, and they have never written to you."),
        ),
        ([_agree], (True, "They agreed to this."), (False, "They have not agreed to this, and they have never")),
        ([wrote], (False, "They have not agreed to this."), (True, "They wrote to you first.")),
        (
            [_agree, wrote, _stop],
            (False, "They opted out of all texts."),
            (False, "They opted out of all texts."),
        ),
        (
            [_agree, _stop, _come_back_for_nothing],
            (False, "They took their agreement to this back."),
            (False, "They have not agreed to this, and they have never"),
        ),
        ([_agree, _pause], (False, "No sender can carry this text."), (False, "No sender can carry this text.")),
    ],
)
def test_why_a_person_can_or_cannot_be_texted(
    alice: Client, cast: Cast, ann: Contact, deeds: list[Deed], marketing: tuple[bool, str], support: tuple[bool, str]
) -> None:
    for deed in deeds:
        deed(cast.clinic)
    answer = alice.get(page_of(ann))
    rows = {str(row["purpose"]): row for row in answer.context["purposes"]}
    for purpose, (may, because) in (("marketing", marketing), ("support", support)):
        assert rows[purpose]["may"] is may
        assert rows[purpose]["because"].startswith(because)
    page = answer.content.decode()
    assert escape(rows["marketing"]["problem"] or marketing[1]) in page
    assert (_stop in deeds and _come_back_for_nothing not in deeds) is ("This number gets no texts" in page)


def test_what_consent_rests_on_is_shown(alice: Client, cast: Cast, ann: Contact) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        opt_in(
            opt_in=OptIn(
                NUMBER,
                "marketing",
                "web_form",
                wording="I agree to texts",
                evidence={"import": "no-id", "file": "guests.csv", "row": 12},
            ),
            actor_id=cast.mona.id,
        )
    page = alice.get(page_of(ann)).content.decode()
    for words in (
        "Web form",
        "guests.csv, row 12",
        "I agree to texts",
        "Opted in to offers and news",
        "recorded by Mona",
    ):
        assert words in page


def test_whoever_opted_out_is_offered_no_opt_in(alice: Client, cast: Cast, ann: Contact) -> None:
    addresses = [reverse("contact_opt_in", args=[ann.id]), reverse("contact_opt_out", args=[ann.id])]
    page = alice.get(page_of(ann)).content.decode()
    assert all(address in page for address in addresses)
    _stop(cast.clinic)
    page = alice.get(page_of(ann)).content.decode()
    assert not any(address in page for address in addresses)
    assert "by texting START" in page


def test_what_happened_stands_in_the_order_of_time(alice: Client, cast: Cast, ann: Contact) -> None:
    campaign = campaign_of(cast.clinic, "completed")
    _agree(cast.clinic)
    text_to(cast.clinic, "delivered", "The sale starts", cause_kind="campaign", cause_id=campaign.id)
    text_to(cast.clinic, "blocked", "Another sale")
    text_to(cast.clinic, "queued", "Third sale")
    wrote(cast.clinic, "Thank you")
    _stop(cast.clinic)
    answer = alice.get(page_of(ann))
    assert [(event.title, event.status) for event in answer.context["timeline"].events] == [
        ("Opted out of everything", "opted_out"),
        ("They wrote", ""),
        ("Text waiting", "queued"),
        ("Text not sent", "blocked"),
        ("Text sent", "delivered"),
        ("Opted in to offers and news", "opted_in"),
    ]
    page = answer.content.decode()
    assert f'<a href="{reverse("campaign", args=[campaign.id])}">Campaign “Spring sale”</a>' in page
    assert "Has not agreed to this kind of text" in page


def test_a_viewer_is_shown_no_buttons_that_would_be_refused(client: Client, cast: Cast, ann: Contact) -> None:
    sign_in(client, cast.vera, cast.clinic.tenant)
    page = client.get(page_of(ann)).content.decode()
    assert 'method="post" action="/contacts/' not in page
    assert reverse("conversation_open") not in page
    assert reverse("contact_edit", args=[ann.id]) not in page
    sign_in(client, cast.bob, cast.clinic.tenant)
    page = client.get(page_of(ann)).content.decode()
    assert reverse("conversation_open") in page
    assert f'name="number" value="{NUMBER}"' in page


def test_the_further_values_and_the_time_there_are_shown(alice: Client, cast: Cast) -> None:
    ann = contact_of(cast.clinic, language="es", timezone="Asia/Tokyo")
    with tenant_scope(cast.clinic.tenant.id):
        ensure_fields(names=["favorite_store"])
        Contact.objects.update(fields={"favorite_store": "North"})
    page = alice.get(page_of(ann)).content.decode()
    for words in ("Spanish", "JST", "Favorite store", "North"):
        assert words in page


def test_what_people_wrote_is_shown_and_never_run(alice: Client, cast: Cast) -> None:
    ann = contact_of(cast.clinic, first_name=HOSTILE)
    with tenant_scope(cast.clinic.tenant.id):
        ensure_fields(names=["note"])
        ContactField.objects.update(label=HOSTILE)
        Contact.objects.update(fields={"note": HOSTILE}, language="<i>")
        create_list(name=HOSTILE)
        tag_contact(contact=ann, tag=get_or_create_tag(name=HOSTILE))
        opt_in(opt_in=OptIn(NUMBER, "reminder", "paper", wording=HOSTILE, evidence={"file": HOSTILE, "row": "<i>"}))
    wrote(cast.clinic, HOSTILE)
    campaign = campaign_of(cast.clinic, "sending", name=HOSTILE)
    text_to(cast.clinic, "failed", HOSTILE, cause_kind="campaign", cause_id=campaign.id)
    for address in (page_of(ann), reverse("home")):
        page = alice.get(address).content.decode()
        assert HOSTILE not in page
        assert "<i>" not in page
        assert escape(HOSTILE) in page
