"""The own account: name, address, and ending sessions; nothing of it reaches another person."""

import re
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from tenants.models import AuditEntry, User
from tenants.scope import tenant_scope
from tenants.services import sessions_of
from tests.cast import PASSWORD, Cast
from tests.web import confirm, sign_in, text_of

NEW = "mona@new.example"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture
def mona(client: Client, cast: Cast) -> Client:
    return sign_in(client, cast.mona, cast.clinic.tenant)


def log_in(user: User, **headers: Any) -> Client:
    browser = Client(**headers)
    answer = browser.post(reverse("account_login"), {"login": user.email, "password": PASSWORD})
    assert answer.status_code == 302
    return browser


def is_in(browser: Client) -> bool:
    return browser.get(reverse("account")).status_code == 200


def acts(cast: Cast) -> list[tuple[str, str]]:
    with tenant_scope(cast.clinic.tenant.id):
        found = AuditEntry.objects.filter(action__startswith="user.").order_by("id")
        return list(found.values_list("action", "actor_name"))


# --- Sessions -----------------------------------------------------------------------------------------------------


def test_the_page_lists_where_one_is_signed_in(cast: Cast) -> None:
    here, elsewhere = log_in(cast.mona), log_in(cast.mona, HTTP_USER_AGENT=FIREFOX, REMOTE_ADDR="203.0.113.7")
    page = text_of(here.get(reverse("account")))
    assert "Firefox on Windows" in page
    assert "203.0.113.7" in page
    assert page.count('<span class="member-you">here</span>') == 1
    assert is_in(elsewhere)


def test_one_session_is_ended(cast: Cast) -> None:
    here, elsewhere, third = log_in(cast.mona), log_in(cast.mona), log_in(cast.mona)
    row = next(row for row in sessions_of(cast.mona) if row.session_id == elsewhere.session.session_key)
    here.post(reverse("account_session_end", args=[row.id]))
    assert (is_in(here), is_in(elsewhere), is_in(third)) == (True, False, True)
    assert acts(cast) == [("user.sessions_ended", "Mona")]


def test_all_others_are_ended(cast: Cast) -> None:
    here, elsewhere, colleague = log_in(cast.mona), log_in(cast.mona), log_in(cast.bob)
    page = text_of(here.post(reverse("account_sessions_end"), follow=True))
    assert "Signed out in 1 other place." in page
    assert (is_in(here), is_in(elsewhere), is_in(colleague)) == (True, False, True)


def test_nobody_ends_the_session_of_another_person(cast: Cast) -> None:
    here, bob = log_in(cast.mona), log_in(cast.bob)
    (row,) = sessions_of(cast.bob)
    assert here.post(reverse("account_session_end", args=[row.id])).status_code == 404
    assert is_in(bob)


# --- Name and address ---------------------------------------------------------------------------------------------


def test_the_name_is_changed(mona: Client, cast: Cast) -> None:
    mona.post(reverse("account_name"), {"name": " Mona Lee "})
    cast.mona.refresh_from_db()
    assert cast.mona.name == "Mona Lee"
    assert mona.post(reverse("account_name"), {"name": "x" * 200}).status_code == 422


def link_in(message: Any) -> str:
    found = re.search(r"http://127\.0\.0\.1:8000(/account/address/\S+)", message.body)
    assert found
    return found.group(1)


def test_another_address_holds_when_its_link_was_opened(mona: Client, cast: Cast) -> None:
    elsewhere = log_in(cast.mona)
    mona.post(reverse("account_address"), {"email": NEW})
    to_new, to_old = mail.outbox[-2:]
    assert (to_new.to, to_old.to) == ([NEW], [cast.mona.email])
    assert User.objects.get(pk=cast.mona.pk).email == cast.mona.email
    path = link_in(to_new)
    assert "Sign in with this address?" in text_of(mona.get(path))
    assert User.objects.get(pk=cast.mona.pk).email == cast.mona.email, "a page that is only looked at changes nothing"
    mona.post(path)
    assert User.objects.get(pk=cast.mona.pk).email == NEW
    assert (is_in(mona), is_in(elsewhere)) == (True, False)
    assert acts(cast)[-1] == ("user.email_changed", "Mona")
    assert mona.post(path).status_code == 404, "the link works once"
    for email, works in ((cast.mona.email, False), (NEW, True)):
        answer = Client().post(reverse("account_login"), {"login": email, "password": PASSWORD})
        assert (answer.status_code == 302) is works


def test_nobody_learns_who_has_an_account(mona: Client, cast: Cast) -> None:
    pages = set()
    for email in (cast.charlie.email, NEW):
        page = text_of(mona.post(reverse("account_address"), {"email": email}, follow=True))
        found = re.search(r"A link is on its way to [^.]+\S+ unless[^.]+\.", page.replace(email, "X"))
        assert found
        pages.add(found.group())
    assert len(pages) == 1
    assert [message.to for message in mail.outbox] == [[cast.mona.email], [NEW], [cast.mona.email]]


def test_a_link_is_good_for_its_person_only(mona: Client, cast: Cast) -> None:
    mona.post(reverse("account_address"), {"email": NEW})
    path = link_in(mail.outbox[0])
    bob = sign_in(Client(), cast.bob, cast.clinic.tenant)
    assert bob.post(path).status_code == 404
    assert mona.get(path[:-5] + "xxxx/").status_code == 404
    assert not User.objects.filter(email=NEW).exists()


def test_the_address_is_changed_only_by_somebody_who_confirmed(mona: Client, cast: Cast) -> None:
    mona.post(reverse("account_address"), {"email": NEW})
    confirm(mona, cast.mona, seconds_ago=660)
    assert mona.post(link_in(mail.outbox[0])).headers["Location"].startswith(reverse("account_reauthenticate"))
    assert mona.post(reverse("account_address"), {"email": NEW}).status_code == 302
    assert User.objects.get(pk=cast.mona.pk).email == cast.mona.email


# --- Mails --------------------------------------------------------------------------------------------------------


def test_a_sign_in_in_an_unknown_browser_is_told(cast: Cast) -> None:
    known = log_in(cast.mona)
    assert mail.outbox == [], "of the first sign-in of all there is nothing to tell"
    log_in(cast.mona, HTTP_USER_AGENT=FIREFOX, REMOTE_ADDR="203.0.113.7")
    (message,) = mail.outbox
    assert message.to == [cast.mona.email]
    assert "Firefox on Windows, address 203.0.113.7" in message.body
    known.post(reverse("account_logout"))
    known.post(reverse("account_login"), {"login": cast.mona.email, "password": PASSWORD})
    assert len(mail.outbox) == 1
    known.post(reverse("account_logout"))
    known.post(reverse("account_login"), {"login": cast.bob.email, "password": PASSWORD})
    known.post(reverse("account_logout"))
    known.post(reverse("account_login"), {"login": cast.mona.email, "password": PASSWORD})
    assert len(mail.outbox) == 1, "two people share a browser"


def test_a_browser_cannot_put_words_into_the_mail(cast: Cast) -> None:
    log_in(cast.mona)
    log_in(cast.mona, HTTP_USER_AGENT="Call 555-0100 now, your account is at risk! https://evil.example")
    assert "evil" not in mail.outbox[0].body
    assert "A browser, address" in mail.outbox[0].body


def test_a_changed_password_is_told_and_recorded(mona: Client, cast: Cast) -> None:
    new = "another long enough one"
    mona.post(reverse("account_change_password"), {"oldpassword": PASSWORD, "password1": new, "password2": new})
    assert "your password was changed" in mail.outbox[-1].subject
    assert acts(cast) == [("user.password_changed", "Mona")]


def test_signing_in_works_without_a_mail_server(cast: Cast, settings: Any) -> None:
    log_in(cast.mona)
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    assert is_in(log_in(cast.mona))
