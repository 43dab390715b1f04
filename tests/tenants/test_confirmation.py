"""Asking once more who it is before keys change: on the page, on the form, in htmx, and nothing of the form is kept."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse

from messaging.models import ProviderAccount
from tenants.scope import tenant_scope
from tests.cast import PASSWORD, Cast
from tests.web import confirm, sign_in, text_of

TYPED = {"name": "Ours", "account_sid": "AC" + "0" * 32, "auth_token": "5ec2e7" * 6, "answers_keywords": "on"}
ASKING = reverse("account_reauthenticate")
GUARDED = reverse("account_add")


@pytest.fixture
def mona(client: Client, cast: Cast) -> Client:
    """Signed in, and that was eleven minutes ago."""
    sign_in(client, cast.mona, cast.clinic.tenant)
    confirm(client, cast.mona, seconds_ago=660)
    return client


def accounts(cast: Cast) -> set[str]:
    with tenant_scope(cast.clinic.tenant.id):
        return set(ProviderAccount.objects.values_list("name", flat=True))


def asked_for(answer: Any) -> str | None:
    """The page that follows, when the answer asks for a confirmation."""
    location = answer.headers.get("HX-Redirect") or answer.headers.get("Location", "")
    url = urlsplit(location)
    return parse_qs(url.query)["next"][0] if url.path == ASKING else None


def test_who_signed_in_just_now_is_not_asked(client: Client, cast: Cast) -> None:
    client.post(reverse("account_login"), {"login": cast.mona.email, "password": PASSWORD})
    assert client.get(GUARDED).status_code == 200
    assert client.post(GUARDED, TYPED).headers["Location"] == reverse("senders")
    assert "Ours" in accounts(cast)


@pytest.mark.parametrize(("seconds_ago", "asks"), [(0, False), (590, False), (610, True), (3600, True)])
def test_a_confirmation_holds_for_ten_minutes(client: Client, cast: Cast, seconds_ago: int, asks: bool) -> None:
    sign_in(client, cast.mona, cast.clinic.tenant)
    confirm(client, cast.mona, seconds_ago=seconds_ago)
    assert (asked_for(client.get(GUARDED)) is not None) is asks


def test_somebody_elses_confirmation_in_this_browser_does_not_count(client: Client, cast: Cast) -> None:
    sign_in(client, cast.mona, cast.clinic.tenant)
    confirm(client, cast.bob)
    assert asked_for(client.get(GUARDED)) == GUARDED


def test_the_page_asks_and_leads_back(mona: Client) -> None:
    answer = mona.get(f"{GUARDED}?from=menu")
    assert asked_for(answer) == f"{GUARDED}?from=menu"
    page = mona.get(answer.headers["Location"])
    assert "Is it you?" in text_of(page)
    answer = mona.post(ASKING, {"password": PASSWORD, "next": f"{GUARDED}?from=menu"})
    assert answer.headers["Location"] == f"{GUARDED}?from=menu"
    assert mona.get(GUARDED).status_code == 200


def test_a_wrong_password_confirms_nothing(mona: Client) -> None:
    page = mona.post(ASKING, {"password": "wrong", "next": GUARDED})
    assert page.status_code == 200
    assert "Is it you?" in text_of(page)
    assert asked_for(mona.get(GUARDED)) == GUARDED


def test_guessing_the_password_while_signed_in_is_limited(mona: Client) -> None:
    for _ in range(6):
        mona.post(ASKING, {"password": "wrong", "next": GUARDED})
    mona.post(ASKING, {"password": PASSWORD, "next": GUARDED})
    assert asked_for(mona.get(GUARDED)) == GUARDED


def test_a_late_form_changes_nothing_and_is_not_kept(mona: Client, cast: Cast) -> None:
    answer = mona.post(GUARDED, TYPED, HTTP_REFERER="http://testserver/settings/senders/?x=1")
    assert asked_for(answer) == "/settings/senders/?x=1"
    assert "Ours" not in accounts(cast)
    assert "Nothing was changed yet" in text_of(mona.get(answer.headers["Location"]))
    stored = [session.get_decoded() for session in Session.objects.all()]
    assert TYPED["auth_token"] not in str(stored)
    mona.post(ASKING, {"password": PASSWORD, "next": "/settings/senders/"})
    assert "Ours" not in accounts(cast)
    mona.post(GUARDED, TYPED)
    assert "Ours" in accounts(cast)


@pytest.mark.parametrize("referer", ["", "https://evil.example/x", "//evil.example/x", "http://testserver:8/x"])
def test_a_late_form_from_nowhere_leads_home(mona: Client, referer: str) -> None:
    headers = {"HTTP_REFERER": referer} if referer else {}
    assert asked_for(mona.post(GUARDED, TYPED, **headers)) == reverse("home")  # type: ignore[arg-type]


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_part_of_a_page_sends_the_whole_page_away(mona: Client, method: str) -> None:
    answer = getattr(mona, method)(
        GUARDED, headers={"HX-Request": "true", "HX-Current-URL": "http://testserver/settings/senders/"}
    )
    assert answer.status_code == 200
    assert asked_for(answer) == reverse("senders")


def test_who_may_not_do_it_is_not_asked(client: Client, cast: Cast) -> None:
    sign_in(client, cast.bob, cast.clinic.tenant)
    confirm(client, cast.bob, seconds_ago=3600)
    assert client.get(GUARDED).status_code == 403


def test_nobody_signed_in_is_led_to_the_log_in(client: Client, cast: Cast) -> None:
    assert client.get(GUARDED).headers["Location"].startswith(reverse("account_login"))
    assert client.get(ASKING).headers["Location"].startswith(reverse("account_login"))
