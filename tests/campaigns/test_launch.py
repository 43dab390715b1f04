"""Campaigns: a frozen audience, one recorded outcome per recipient, and a hand on the brake."""

from collections import Counter
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from campaigns import launch as launching
from campaigns import services
from campaigns.inbound import note_answer
from campaigns.launch import plan_campaign
from campaigns.models import Campaign, CampaignRecipient
from campaigns.progress import complete_finished, due_to_launch, launch_due, progress_of
from common.lanes import MARKETING
from consent.services import opt_out
from contacts.merge_values import MergeValues
from contacts.models import Contact, ContactList, ListMember, Tag
from contacts.services import create_field, update_contact
from messaging.models import Batch, InboundMessage, Message
from messaging.pipeline.dispatch import run_next_batch
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.campaigns.conftest import make_draft, make_list
from tests.cast import Cast, Company

pytestmark = pytest.mark.django_db(transaction=True)

NUMBERS = [f"+120255501{n:02d}" for n in range(12)]


def go(company: Company, campaign: Campaign) -> Campaign:
    """Launch and plan."""
    with tenant_scope(company.tenant.id):
        services.launch(campaign=campaign)
    plan_campaign(company.tenant.id, campaign.id)
    with tenant_scope(company.tenant.id):
        return Campaign.objects.get(id=campaign.id)


def recipients(company: Company, campaign: Campaign) -> dict[str, tuple[str, str]]:
    with tenant_scope(company.tenant.id):
        rows = CampaignRecipient.objects.filter(campaign=campaign).select_related("message")
        return {row.number: (row.message.status, row.message.decision["rule"]) for row in rows if row.message}


def test_every_member_of_the_audience_has_a_message_or_a_reason(committed_cast: Cast) -> None:
    people = make_list(committed_cast.clinic, NUMBERS, agreed=NUMBERS[:8])
    with tenant_scope(committed_cast.clinic.tenant.id):
        opt_out(number=NUMBERS[0], source="reply", wording="STOP")
    campaign = go(committed_cast.clinic, make_draft(committed_cast.clinic, people))
    found = recipients(committed_cast.clinic, campaign)
    assert len(found) == campaign.audience_count == 12
    assert found[NUMBERS[0]] == ("blocked", "number_is_not_suppressed")
    assert Counter(found.values()) == {
        ("queued", "all_rules_passed"): 7,
        ("blocked", "person_agreed"): 4,
        ("blocked", "number_is_not_suppressed"): 1,
    }
    with tenant_scope(committed_cast.clinic.tenant.id):
        body = Message.objects.get(number=NUMBERS[1]).body
        assert body == "Harbor Clinic: Hi P1\nReply STOP to opt out, HELP for help."
        progress = progress_of([campaign])[campaign.id]
        assert (progress.waiting, progress.blocked, progress.percent) == (7, 5, 41)


def test_the_audience_is_frozen(committed_cast: Cast) -> None:
    people = make_list(committed_cast.clinic, NUMBERS[:3])
    campaign = make_draft(committed_cast.clinic, people)
    with tenant_scope(committed_cast.clinic.tenant.id):
        services.launch(campaign=campaign)
    plan_campaign(committed_cast.clinic.tenant.id, campaign.id)
    with tenant_scope(committed_cast.clinic.tenant.id):
        late = Contact.objects.create(number=NUMBERS[9])
        ListMember.objects.create(contact_list=people, contact=late)
    plan_campaign(committed_cast.clinic.tenant.id, campaign.id)
    assert set(recipients(committed_cast.clinic, campaign)) == set(NUMBERS[:3])


@pytest.mark.fault("F23")
def test_a_planner_that_dies_is_taken_over_without_repeats(
    committed_cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launching, "MAX_BATCH", 5)
    people = make_list(committed_cast.clinic, NUMBERS)
    campaign = make_draft(committed_cast.clinic, people)
    with tenant_scope(committed_cast.clinic.tenant.id):
        services.launch(campaign=campaign)
    real, pages = launching._plan_page, Counter[str]()

    def dies_after_its_second_page(*arguments: Any) -> None:
        real(*arguments)
        pages["planned"] += 1
        if pages["planned"] == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(launching, "_plan_page", dies_after_its_second_page)
    with pytest.raises(KeyboardInterrupt):
        plan_campaign(committed_cast.clinic.tenant.id, campaign.id)
    plan_campaign(committed_cast.clinic.tenant.id, campaign.id)
    assert len(recipients(committed_cast.clinic, campaign)) == 12
    with tenant_scope(committed_cast.clinic.tenant.id):
        assert Message.objects.count() == 12
        assert Campaign.objects.get().status == "sending"


def test_launching_twice_starts_once(committed_cast: Cast) -> None:
    campaign = make_draft(committed_cast.clinic, make_list(committed_cast.clinic, NUMBERS[:2]))
    stale = Campaign(**{field.attname: getattr(campaign, field.attname) for field in Campaign._meta.fields})
    go(committed_cast.clinic, campaign)
    with tenant_scope(committed_cast.clinic.tenant.id), pytest.raises(services.MovedOn, match="started meanwhile"):
        services.launch(campaign=stale)


def test_a_value_that_is_missing_keeps_the_text_back(committed_cast: Cast) -> None:
    people = make_list(committed_cast.clinic, NUMBERS[:2])
    with tenant_scope(committed_cast.clinic.tenant.id):
        Contact.objects.filter(number=NUMBERS[0]).update(fields={"city": "Boston"})
    campaign = go(committed_cast.clinic, make_draft(committed_cast.clinic, people, body="News from {{ city }}"))
    found = recipients(committed_cast.clinic, campaign)
    assert found[NUMBERS[0]] == ("queued", "all_rules_passed")
    assert found[NUMBERS[1]] == ("blocked", "text_is_complete")


def test_values_are_written_as_people_in_the_country_write_them(committed_cast: Cast) -> None:
    company = committed_cast.clinic
    people = make_list(company, NUMBERS[:1])
    with tenant_scope(company.tenant.id):
        for label, kind in (("Visit", "date"), ("Price", "number"), ("Member", "yes_no"), ("Brand", "text")):
            create_field(label=label, kind=kind)
        values = {"visit": "2026-03-31", "price": "1234.5", "member": "yes", "brand": "Acme"}
        update_contact(contact=Contact.objects.get(), values={}, fields=values)
    body = "{{ brand }}: {{ visit }}, {{ price }}, {{ member }}"
    campaign = go(company, make_draft(company, people, body=body))
    with tenant_scope(company.tenant.id):
        text = Message.objects.get(id=CampaignRecipient.objects.get(campaign=campaign).message_id).body
        assert text.startswith("Harbor Clinic: 3/31/2026, 1234.5, yes")
        found = MergeValues.of(Tenant(country="DE")).values(Contact.objects.get())
    assert (found["visit"], found["price"]) == ("31.3.2026", "1234,5")


def test_pause_holds_what_has_not_been_handed_over(committed_cast: Cast) -> None:
    company = committed_cast.clinic
    campaign = go(company, make_draft(company, make_list(company, NUMBERS[:2])))
    with tenant_scope(company.tenant.id):
        services.pause(campaign=campaign)
    assert not run_next_batch(MARKETING)
    with tenant_scope(company.tenant.id):
        assert Campaign.objects.get().status == "paused"
        services.resume(campaign=campaign)
        assert Campaign.objects.get().status == "sending"
        assert not Batch.objects.filter(held=True).exists()


def test_pausing_while_it_is_planned_stops_the_planner(committed_cast: Cast) -> None:
    company = committed_cast.clinic
    campaign = make_draft(company, make_list(company, NUMBERS[:2]))
    with tenant_scope(company.tenant.id):
        services.launch(campaign=campaign)
        services.pause(campaign=campaign)
    plan_campaign(company.tenant.id, campaign.id)
    with tenant_scope(company.tenant.id):
        assert not Message.objects.exists()
        services.resume(campaign=campaign)
    plan_campaign(company.tenant.id, campaign.id)
    assert len(recipients(company, campaign)) == 2


def test_cancel_ends_it(committed_cast: Cast) -> None:
    company = committed_cast.clinic
    campaign = go(company, make_draft(company, make_list(company, NUMBERS[:3])))
    with tenant_scope(company.tenant.id):
        services.cancel(campaign=campaign)
        assert set(Message.objects.values_list("status", flat=True)) == {"cancelled"}
        assert Batch.objects.get().tally == {"cancelled": 3}
        with pytest.raises(ValidationError, match="cancelled"):
            services.resume(campaign=campaign)
    assert not run_next_batch(MARKETING)


def test_a_scheduled_campaign_starts_when_its_time_comes(committed_cast: Cast) -> None:
    company = committed_cast.clinic
    campaign = make_draft(company, make_list(company, NUMBERS[:2]))
    with tenant_scope(company.tenant.id):
        with pytest.raises(ValidationError, match="future"):
            services.schedule(campaign=campaign, at=timezone.now())
        services.schedule(campaign=campaign, at=timezone.now() + timedelta(hours=1))
    assert due_to_launch() == []
    with tenant_scope(company.tenant.id):
        Campaign.objects.update(scheduled_at=timezone.now())
    assert due_to_launch() == [(company.tenant.id, campaign.id)]
    launch_due(company.tenant.id, campaign.id)
    assert due_to_launch() == []
    plan_campaign(company.tenant.id, campaign.id)
    assert len(recipients(company, campaign)) == 2


def test_it_is_completed_when_everybody_has_an_outcome(committed_cast: Cast) -> None:
    company = committed_cast.clinic
    go(company, make_draft(company, make_list(company, NUMBERS[:2])))
    complete_finished()
    with tenant_scope(company.tenant.id):
        assert Campaign.objects.get().status == "sending"
        Batch.objects.update(state="done")
    complete_finished()
    with tenant_scope(company.tenant.id):
        assert Campaign.objects.get().status == "completed"


def test_exclusions_and_tags(committed_cast: Cast) -> None:
    company = committed_cast.clinic
    people = make_list(company, NUMBERS[:4])
    without = make_list(company, NUMBERS[2:3], agreed=[], name="Not them")
    with tenant_scope(company.tenant.id):
        campaign = Campaign(name="x", body="hi")
        services.save_draft(campaign=campaign, known_tags=())
        services.choose_audience(campaign=campaign, lists=[people], tags=[], excluded_lists=[without])
        with pytest.raises(ValidationError, match="at once"):
            services.choose_audience(campaign=campaign, lists=[people], tags=[], excluded_lists=[people])
    assert set(recipients(company, go(company, campaign))) == {NUMBERS[0], NUMBERS[1], NUMBERS[3]}


@pytest.mark.parametrize(
    ("fields", "hint"),
    [
        ({"body": "Hi {{ frist_name }}"}, "first_name"),
        ({"body": "Hi {{ first_name"}, "}}"),
        ({"name": ""}, "blank"),
        ({"body": "x" * 1601}, "1600"),
    ],
)
def test_drafts_with_mistakes_are_refused(committed_cast: Cast, fields: dict[str, str], hint: str) -> None:
    people = make_list(committed_cast.clinic, NUMBERS[:1])
    with pytest.raises(ValidationError, match=hint):
        make_draft(committed_cast.clinic, people, **fields)


def test_an_incomplete_campaign_does_not_start(committed_cast: Cast) -> None:
    company = committed_cast.clinic
    with tenant_scope(company.tenant.id):
        nobody = ContactList.objects.create(name="Empty")
    for campaign in (make_draft(company, nobody), make_draft(company, make_list(company, NUMBERS[:1]), body="")):
        with tenant_scope(company.tenant.id), pytest.raises(ValidationError):
            services.launch(campaign=campaign)


def test_replies_and_opt_outs_are_counted_once_per_person(committed_cast: Cast) -> None:
    company = committed_cast.clinic
    campaign = go(company, make_draft(company, make_list(company, NUMBERS[:3])))
    with tenant_scope(company.tenant.id):
        Message.objects.update(sender=company.sender)
        for body, intent in (("Hi", "other"), ("Hi again", "other"), ("STOP", "opt_out")):
            inbound = InboundMessage.objects.create(
                provider_account=company.account,
                provider_message_id=uuid4().hex,
                sender=company.sender,
                number=NUMBERS[0],
                body=body,
                intent=intent,
                received_at=timezone.now(),
            )
            assert not note_answer(inbound), "it counts, but claims nothing"
        counted = Campaign.objects.get(id=campaign.id)
        assert (counted.reply_count, counted.opt_out_count) == (1, 1)


def test_tags_choose_an_audience(committed_cast: Cast) -> None:
    company = committed_cast.clinic
    make_list(company, NUMBERS[:2])
    with tenant_scope(company.tenant.id):
        from contacts.services import get_or_create_tag, tag_contact

        tag_contact(contact=Contact.objects.get(number=NUMBERS[1]), tag=get_or_create_tag(name="VIP"))
        assert get_or_create_tag(name=" vip ").name == "VIP"
        campaign = Campaign(name="x", body="hi")
        services.save_draft(campaign=campaign, known_tags=())
        services.choose_audience(campaign=campaign, lists=[], tags=[Tag.objects.get()])
    assert set(recipients(company, go(company, campaign))) == {NUMBERS[1]}
