"""Writing a campaign: the composer and its preview, and what wrong input gets."""

from typing import Any
from urllib.parse import quote
from uuid import UUID

import pytest
from django.test import Client
from django.urls import reverse

from campaigns.models import Campaign
from contacts.models import Contact, ContactList, Tag
from messaging.models import MessageTemplate, Sender
from tenants.scope import tenant_scope
from tests.campaigns.conftest import NUMBERS, make_draft, make_list
from tests.campaigns.pages import HOSTILE, NOBODYS, composed, reload
from tests.cast import Cast, Company
from tests.web import text_of


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
    url = reverse("campaign_edit", args=[draft.id])
    alice.post(url, composed(people, name="Summer"))
    assert reload(cast.clinic, draft).name == "Summer"
    with tenant_scope(cast.clinic.tenant.id):
        Campaign.objects.filter(id=draft.id).update(status=Campaign.Status.SENDING)
    assert alice.get(url)["Location"] == reverse("campaign", args=[draft.id])
    assert alice.post(url, composed(people, name="Winter")).status_code == 422
    assert reload(cast.clinic, draft).name == "Summer"


@pytest.mark.parametrize(
    ("status", "word"), [("launching", "started"), ("scheduled", "scheduled"), ("cancelled", "cancelled")]
)
def test_who_is_late_is_told_and_keeps_what_was_typed(
    alice: Client, cast: Cast, draft: Campaign, people: ContactList, status: str, word: str
) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        Campaign.objects.filter(id=draft.id).update(status=status)
    typed = composed(people, name="Winter", body="Snow is here")
    late = alice.post(reverse("campaign_edit", args=[draft.id]), typed)
    page = text_of(late)
    assert f"This campaign was {word} meanwhile." in page
    assert "Snow is here" in page
    assert reverse("campaign", args=[draft.id]) in page
    # The same form, sent on, is a campaign of its own.
    assert f'action="{reverse("campaign_new")}"' in page
    assert "Save as a new campaign" in page
    alice.post(reverse("campaign_new"), typed)
    with tenant_scope(cast.clinic.tenant.id):
        assert Campaign.objects.get(name="Winter").body == "Snow is here"
        old = Campaign.objects.get(id=draft.id)
        assert (old.name, old.status) == ("Spring", status)


def test_who_is_late_with_a_mistake_is_told_both(
    alice: Client, cast: Cast, draft: Campaign, people: ContactList
) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        Campaign.objects.filter(id=draft.id).update(status=Campaign.Status.SENDING)
    page = text_of(alice.post(reverse("campaign_edit", args=[draft.id]), composed(people, name="")))
    assert "This field is required." in page
    assert "The campaign can no longer be changed" in page
    assert "Save as a new campaign" in page


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


def _only(company: Company) -> UUID:
    with tenant_scope(company.tenant.id):
        return Campaign.objects.get().id


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
