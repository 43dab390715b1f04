"""The page on which people choose what they get: by a link from a text, without signing in, and only ever less."""

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from campaigns.launch import plan_campaign
from campaigns.services import launch
from consent import preferences
from consent.ledger import OptIn, record_opt_ins
from consent.models import ConsentRecord, PreferenceLink, Suppression
from consent.preference_page import PER_MINUTE
from consent.preferences import keep_links, link_of
from consent.services import opt_out
from contacts.models import Contact
from contacts.services import erase_contact
from messaging.models import Message
from messaging.pipeline.gate import Candidate, Circumstances, decide_all
from tenants.scope import tenant_scope
from tests.campaigns.conftest import make_draft, make_list
from tests.cast import Cast, Company
from tests.web import text_of

pytestmark = pytest.mark.django_db

ANN, BEN = "+12025550101", "+12025550102"
AGREED = ("marketing", "reminder")


@pytest.fixture
def link(cast: Cast) -> str:
    """The address of Ann's page; she agreed to offers and reminders of the clinic."""
    with tenant_scope(cast.clinic.tenant.id):
        record_opt_ins([OptIn(ANN, purpose, "web_form") for purpose in AGREED], actor_id=None)
        keep_links([ANN])
        return "/p/" + link_of(ANN).rsplit("/p/")[1]


def may_get(company: Company, number: str = ANN) -> set[str]:
    with tenant_scope(company.tenant.id):
        return {
            purpose
            for purpose in ("marketing", "transactional", "reminder")
            if decide_all([Candidate(number)], Circumstances(tenant=company.tenant, purpose=purpose))[0].outcome
            != "block"
        }


def test_the_page_shows_what_the_person_agreed_to_and_changes_nothing(client: Client, cast: Cast, link: str) -> None:
    page = client.get(link)
    assert "Texts from Harbor Clinic" in text_of(page)
    assert "number that ends in 0101" in text_of(page)
    assert page.context["choices"] == [
        ("marketing", "Offers and news"),
        ("reminder", "Reminders of my appointments"),
    ]
    assert page["Referrer-Policy"] == "no-referrer"
    assert page["X-Robots-Tag"] == "noindex"
    assert "no-store" in page["Cache-Control"]
    client.head(link)
    assert may_get(cast.clinic) == set(AGREED)


def test_one_kind_is_ended_and_the_record_says_how(client: Client, cast: Cast, link: str) -> None:
    answer = client.post(link, {"keep": ["reminder"]}, follow=True)
    assert "It holds from now on" in text_of(answer)
    assert answer.context["choices"] == [("reminder", "Reminders of my appointments")]
    assert may_get(cast.clinic) == {"reminder"}
    with tenant_scope(cast.clinic.tenant.id):
        newest = ConsentRecord.objects.latest("id")
        assert (newest.act, newest.purpose, newest.source) == ("opt_out", "marketing", "preferences")
        assert newest.wording == "No longer: Offers and news"
        assert newest.evidence["shown"] == ["Offers and news", "Reminders of my appointments"]
        assert newest.evidence["address"] == "127.0.0.1"
        assert not Suppression.objects.exists()


def test_all_texts_are_stopped(client: Client, cast: Cast, link: str) -> None:
    answer = client.post(link, {"keep": list(AGREED), "everything": "1"}, follow=True)
    assert "You get no more texts." in text_of(answer)
    assert "text START" in text_of(answer)
    assert may_get(cast.clinic) == set()
    with tenant_scope(cast.clinic.tenant.id):
        assert Suppression.objects.get().number == ANN


@pytest.mark.parametrize(
    "typed", [{"keep": ["marketing", "reminder", "transactional"]}, {"keep": ["everything", "no such kind", *AGREED]}]
)
def test_nothing_that_was_not_there_is_ever_begun(
    client: Client, cast: Cast, link: str, typed: dict[str, list[str]]
) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        before = ConsentRecord.objects.count()
    assert client.post(link, typed).status_code == 302
    assert may_get(cast.clinic) == set(AGREED)
    with tenant_scope(cast.clinic.tenant.id):
        assert ConsentRecord.objects.count() == before, "nothing changed, so nothing is recorded"


def test_after_a_stop_the_page_offers_nothing_and_lifts_nothing(client: Client, cast: Cast, link: str) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        opt_out(number=ANN, source="reply", wording="STOP")
    page = client.get(link)
    assert "No texts go to the number" in text_of(page)
    assert "<form" not in page.content.decode().split("<main", 1)[1].split("</main>", 1)[0]
    client.post(link, {"keep": ["marketing"]})
    assert may_get(cast.clinic) == set()


def test_it_is_about_this_business_only(client: Client, cast: Cast, link: str) -> None:
    with tenant_scope(cast.shop.tenant.id):
        record_opt_ins([OptIn(ANN, "marketing", "web_form")], actor_id=None)
        keep_links([ANN])
        assert not link_of(ANN).endswith(link), "each business has another link for the same person"
    client.post(link, {"everything": "1"})
    assert may_get(cast.shop) == {"marketing"}


@pytest.mark.parametrize("token", ["a" * 16, "A" * 16, "x", "0" * 200])
def test_a_link_that_was_cut_off_says_so_and_names_nobody(client: Client, link: str, token: str) -> None:
    answer = client.get(reverse("preferences", args=[token]))
    assert answer.status_code == 404
    assert "This link leads nowhere" in text_of(answer)
    assert "Clinic" not in text_of(answer)


def test_what_is_stored_opens_no_page(client: Client, cast: Cast, link: str) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        stored = PreferenceLink.objects.get()
        assert stored.token_hash not in link
    assert client.get(reverse("preferences", args=[stored.token_hash])).status_code == 404


def test_a_form_without_its_token_is_refused(link: str, cast: Cast) -> None:
    assert Client(enforce_csrf_checks=True).post(link, {"everything": "1"}).status_code == 403
    assert may_get(cast.clinic) == set(AGREED)


def test_who_tries_links_is_slowed_down(client: Client, link: str) -> None:
    cache.clear()
    answers = {client.get(reverse("preferences", args=["b" * 16])).status_code for _ in range(PER_MINUTE)}
    assert answers == {404}
    # A minute may end in between.
    assert 429 in {client.get(link).status_code for _ in range(PER_MINUTE + 1)}


def test_erased_people_have_no_page(client: Client, cast: Cast, link: str) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        contact = Contact.objects.create(number=ANN)
        erase_contact(contact=contact, typed="ERASE")
        assert not PreferenceLink.objects.exists()
    assert client.get(link).status_code == 404


def test_a_campaign_carries_each_persons_own_link(client: Client, cast: Cast) -> None:
    audience = make_list(cast.clinic, [ANN, BEN], agreed=[ANN, BEN])
    campaign = make_draft(cast.clinic, audience, body="Our sale starts. Your choices: {{ preferences_link }}")
    with tenant_scope(cast.clinic.tenant.id):
        launch(campaign=campaign)
    plan_campaign(cast.clinic.tenant.id, campaign.id)
    with tenant_scope(cast.clinic.tenant.id):
        bodies = dict(Message.objects.values_list("number", "body"))
        assert {number: link_of(number) in body for number, body in bodies.items()} == {ANN: True, BEN: True}
        path = link_of(BEN).split("testserver")[-1]
    assert "ends in 0102" in text_of(client.get("/p/" + path.rsplit("/p/")[1]))


def test_links_that_are_not_in_the_text_are_not_kept(cast: Cast) -> None:
    audience = make_list(cast.clinic, [ANN], agreed=[ANN])
    campaign = make_draft(cast.clinic, audience)
    with tenant_scope(cast.clinic.tenant.id):
        launch(campaign=campaign)
    plan_campaign(cast.clinic.tenant.id, campaign.id)
    with tenant_scope(cast.clinic.tenant.id):
        assert not PreferenceLink.objects.exists()
        assert Contact.objects.exists()
    assert preferences.find("c" * 16) is None
