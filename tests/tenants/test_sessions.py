"""Where people are signed in: what they see of it, and what ends it. A session that should end opens no page any more."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.models import Session
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils.timezone import now

from common.cache import TolerantCache
from smsplatform.celery import app
from smsplatform.schedule import SCHEDULE
from tenants.audit import Actor, acting
from tenants.models import Membership, User, UserSession
from tenants.permissions import Role
from tenants.scope import tenant_scope
from tenants.services import change_role, end_sessions, remove_member, sessions_of
from tests.cast import PASSWORD, Cast

NEW_PASSWORD = "another long enough one"


def sign_in(user: User, **headers: Any) -> Client:
    """A browser that signed in through the form."""
    browser = Client(**headers)
    answer = browser.post(reverse("account_login"), {"login": user.email, "password": PASSWORD})
    assert answer.status_code == 302
    assert is_in(browser)
    return browser


def is_in(browser: Client) -> bool:
    """Whether pages still open for this browser."""
    return browser.get(reverse("team")).status_code == 200


def key_of(browser: Client) -> str:
    return browser.session.session_key or ""


def membership(cast: Cast, user: User) -> Membership:
    return Membership.objects.get(user=user)


# --- What ends them -----------------------------------------------------------------------------------------------


def _change_password(cast: Cast, browser: Client) -> None:
    typed = {"oldpassword": PASSWORD, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    assert browser.post(reverse("account_change_password"), typed).status_code == 302


def _reset_password(cast: Cast, browser: Client) -> None:
    stranger = Client()
    stranger.post(reverse("account_reset_password"), {"email": cast.mona.email})
    path = mail.outbox[-1].body.split("http://127.0.0.1:8000")[1].split()[0]
    page = stranger.get(path, follow=True).request["PATH_INFO"]
    assert stranger.post(page, {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD}).status_code == 302


def _change_role(cast: Cast, browser: Client) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        change_role(membership=membership(cast, cast.mona), role=Role.AGENT)


def _change_own_role(cast: Cast, browser: Client) -> None:
    itself = Actor("Mona", cast.mona.id, session_key=key_of(browser))
    with tenant_scope(cast.clinic.tenant.id), acting(itself):
        change_role(membership=membership(cast, cast.mona), role=Role.VIEWER)


def _remove(cast: Cast, browser: Client) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        remove_member(membership=membership(cast, cast.mona))


CAUSES: dict[str, tuple[Callable[[Cast, Client], None], bool]] = {
    "password changed": (_change_password, True),
    "password chosen anew by link": (_reset_password, False),
    "role changed by an owner": (_change_role, False),
    "role changed by themselves": (_change_own_role, True),
    "removed from the account": (_remove, False),
}


@pytest.mark.parametrize("cause", CAUSES)
def test_all_other_sessions_end(cast: Cast, cause: str) -> None:
    here, elsewhere, colleague = sign_in(cast.mona), sign_in(cast.mona), sign_in(cast.bob)
    assert (is_in(here), is_in(elsewhere)) == (True, True)
    act, stays = CAUSES[cause]
    act(cast, here)
    assert not is_in(elsewhere)
    assert "_auth_user_id" not in elsewhere.session
    assert is_in(here) is stays
    assert is_in(colleague)


def test_a_session_of_before_the_list_was_kept_ends_with_its_password(cast: Cast) -> None:
    """Not every session is in the list at every moment; the password is part of each of them."""
    here, elsewhere = sign_in(cast.mona), sign_in(cast.mona)
    UserSession.objects.all().delete()
    _change_password(cast, here)
    assert not is_in(elsewhere)


def test_a_page_that_was_loading_does_not_bring_an_ended_session_back(cast: Cast) -> None:
    browser = sign_in(cast.mona)
    loading = browser.session
    loading["something"] = "new"
    end_sessions(user=cast.mona)
    with pytest.raises(UpdateError):
        loading.save()
    assert not is_in(browser)


def test_the_key_of_the_session_changes_with_signing_in(client: Client, cast: Cast) -> None:
    """Whoever planted a session into somebody's browser does not get what that person signs in to."""
    client.get(reverse("account_login"))
    session = client.session
    session["planted"] = True
    session.save()
    planted = key_of(client)
    client.post(reverse("account_login"), {"login": cast.bob.email, "password": PASSWORD})
    assert key_of(client) != planted
    assert not Session.objects.filter(session_key=planted).exists()


def test_the_key_of_the_session_changes_with_the_password(cast: Cast) -> None:
    browser = sign_in(cast.mona)
    before = key_of(browser)
    _change_password(cast, browser)
    assert is_in(browser)
    assert key_of(browser) != before
    assert not Session.objects.filter(session_key=before).exists()


# --- The list -----------------------------------------------------------------------------------------------------


def test_each_browser_is_in_the_list_with_its_address_and_device(cast: Cast) -> None:
    sign_in(cast.bob, REMOTE_ADDR="203.0.113.7", HTTP_USER_AGENT="Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0")
    sign_in(cast.bob, HTTP_USER_AGENT="x" * 5000 + "\0")
    listed = sessions_of(cast.bob)
    assert {str(row.address) for row in listed} == {"203.0.113.7", "127.0.0.1"}
    assert {len(row.user_agent) for row in listed} == {45, 300}
    assert sessions_of(cast.mona) == []


def test_signing_out_takes_it_from_the_list(cast: Cast) -> None:
    browser = sign_in(cast.bob)
    browser.post(reverse("account_logout"))
    assert UserSession.objects.count() == 0


def test_what_no_longer_signs_in_is_not_listed(cast: Cast) -> None:
    sign_in(cast.bob)
    cast.bob.set_password(NEW_PASSWORD)
    cast.bob.save()
    assert sessions_of(cast.bob) == []


def test_another_person_in_the_same_browser_is_another_entry(cast: Cast) -> None:
    browser = sign_in(cast.bob)
    browser.force_login(cast.mona)
    assert is_in(browser)
    assert (len(sessions_of(cast.bob)), len(sessions_of(cast.mona))) == (0, 1)


@pytest.mark.parametrize("cache_is_away", [False, True])
def test_being_seen_is_written_at_most_every_five_minutes(cast: Cast, monkeypatch: Any, cache_is_away: bool) -> None:
    browser = sign_in(cast.bob)
    if cache_is_away:
        monkeypatch.setattr(TolerantCache, "_away_until", float("inf"))
    before = sessions_of(cast.bob)[0].last_seen_at
    assert is_in(browser)
    assert sessions_of(cast.bob)[0].last_seen_at == before
    UserSession.objects.update(last_seen_at=now() - timedelta(minutes=6))
    cache.clear()
    assert is_in(browser)
    assert sessions_of(cast.bob)[0].last_seen_at > before


def test_sessions_whose_time_is_over_are_removed_by_the_schedule(cast: Cast) -> None:
    over, goes_on = sign_in(cast.mona), sign_in(cast.alice)
    Session.objects.filter(session_key=key_of(over)).update(expire_date=now() - timedelta(seconds=1))
    task = SCHEDULE["remove-expired-sessions"]["task"]
    app.tasks[task].apply(throw=True)
    assert list(Session.objects.values_list("session_key", flat=True)) == [key_of(goes_on)]
    assert list(UserSession.objects.values_list("user_id", flat=True)) == [cast.alice.id]
