"""The campaign pages: who may see them, and the list."""

from urllib.parse import quote
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from campaigns.models import Campaign
from contacts.models import ContactList
from tenants.models import User
from tenants.scope import tenant_scope
from tests.campaigns.conftest import make_draft
from tests.campaigns.pages import NOBODYS
from tests.cast import Cast
from tests.web import sign_in, text_of


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
