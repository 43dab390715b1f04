"""Signing in and choosing a password: nobody learns who has an account, and no header leads anybody astray."""

import re
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from tenants.models import User
from tests.cast import PASSWORD, Cast

UNKNOWN = "nobody@nowhere.example"


@pytest.fixture
def inactive(cast: Cast) -> User:
    user = cast.vera
    user.is_active = False
    user.save()
    return user


def log_in(client: Client, email: str, password: str = "wrong", **headers: Any) -> Any:
    return client.post(reverse("account_login"), {"login": email, "password": password}, **headers)


def reset(client: Client, email: str, **headers: Any) -> Any:
    return client.post(reverse("account_reset_password"), {"email": email}, **headers)


# --- Choosing a password ------------------------------------------------------------------------------------------


def test_the_answer_is_the_same_with_and_without_an_account(cast: Cast, inactive: User) -> None:
    pages = set()
    for address in (cast.bob.email, inactive.email, UNKNOWN):
        client = Client()
        answer = reset(client, address)
        assert answer.status_code == 302
        page = client.get(answer.headers["Location"]).content.decode()
        pages.add((answer.headers["Location"], re.sub(r'"X-CSRFToken": "\w+"', "", page)))
    assert len(pages) == 1
    assert [message.to for message in mail.outbox] == [[cast.bob.email]]


def test_a_mail_server_that_fails_tells_nothing_either(cast: Cast, settings: Any, caplog: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    answers = {
        (answer.status_code, answer.headers["Location"]) for answer in map(reset_as_new, (cast.bob.email, UNKNOWN))
    }
    assert answers == {(302, reverse("account_reset_password_done"))}
    assert "A mail could not be sent" in caplog.text


def reset_as_new(address: str) -> Any:
    return reset(Client(), address)


def test_the_link_leads_to_the_public_address(client: Client, cast: Cast, settings: Any) -> None:
    settings.PUBLIC_BASE_URL = "https://sms.example.com"
    reset(client, cast.bob.email, HTTP_HOST="localhost:6666")
    text = f"{mail.outbox[0].subject} {mail.outbox[0].body}"
    assert "6666" not in text
    link = re.search(r"https://sms\.example\.com(/accounts/password/reset/key/\S+)", text)
    assert link
    page = client.get(link.group(1), follow=True)
    done = client.post(page.request["PATH_INFO"], {"password1": "another long one", "password2": "another long one"})
    assert done.headers["Location"] == reverse("account_reset_password_from_key_done")
    assert log_in(Client(), cast.bob.email, "another long one").status_code == 302


def test_the_mail_says_who_writes_and_how_long_the_link_holds(client: Client, cast: Cast, settings: Any) -> None:
    reset(client, cast.bob.email)
    message = mail.outbox[0]
    assert message.subject == "SMS Platform: set a new password"
    assert cast.bob.email in message.body
    assert settings.PASSWORD_RESET_TIMEOUT == 3 * 24 * 3600
    assert "for three days" in message.body
    assert "If it was not you, do nothing" in message.body
    assert "127.0.0.1:8000!" not in message.body


# --- Signing in ---------------------------------------------------------------------------------------------------


def test_a_wrong_password_says_what_to_check(client: Client, cast: Cast) -> None:
    page = log_in(client, cast.bob.email).content.decode()
    assert "This e-mail address and this password do not belong together" in page
    assert "E-mail address" in page


def test_an_account_that_is_switched_off_gets_a_page(client: Client, inactive: User) -> None:
    answer = log_in(client, inactive.email, PASSWORD)
    assert answer.status_code == 403
    assert "Your account is switched off" in answer.content.decode()
    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize(
    "target",
    [
        "//localhost",
        "//localhost/contacts/",
        "http://localhost:9/x",
        "http://testserver:9/",
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
    ],
)
def test_signing_in_leads_nowhere_else(client: Client, cast: Cast, target: str) -> None:
    data = {"login": cast.bob.email, "password": PASSWORD, "next": target}
    assert client.post(reverse("account_login"), data).headers["Location"] == reverse("home")


def test_signing_in_leads_to_the_page_that_was_asked_for(client: Client, cast: Cast) -> None:
    asked = client.get(reverse("contacts") + "?q=ann").headers["Location"]
    answer = client.post(asked, {"login": cast.bob.email, "password": PASSWORD, "next": "/contacts/?q=ann"})
    assert answer.headers["Location"] == "/contacts/?q=ann"


# --- Limits of failed attempts ------------------------------------------------------------------------------------


def attempts(client: Client, count: int, **headers: Any) -> bool:
    """Whether a person at this address is refused after so many failed attempts with other names."""
    for number in range(count):
        log_in(client, f"x{number}@clinic.example", **headers)
    return "Too many failed" in log_in(client, "y@clinic.example", **headers).content.decode()


def test_people_behind_one_proxy_are_counted_apart(client: Client, cast: Cast, settings: Any) -> None:
    settings.TRUSTED_PROXY_COUNT = 1
    assert attempts(client, 12, HTTP_X_FORWARDED_FOR="203.0.113.9")
    assert log_in(client, cast.bob.email, PASSWORD, HTTP_X_FORWARDED_FOR="203.0.113.10").status_code == 302


def test_an_address_that_the_client_wrote_itself_does_not_count(client: Client, cast: Cast, settings: Any) -> None:
    settings.TRUSTED_PROXY_COUNT = 1
    for number in range(12):
        log_in(client, f"x{number}@clinic.example", HTTP_X_FORWARDED_FOR=f"198.51.100.{number}, 203.0.113.9")
    answer = log_in(client, "y@clinic.example", HTTP_X_FORWARDED_FOR="198.51.100.99, 203.0.113.9")
    assert "Too many failed" in answer.content.decode()
    settings.TRUSTED_PROXY_COUNT = 0
    for number in range(12):
        log_in(client, f"z{number}@clinic.example", HTTP_X_FORWARDED_FOR=f"198.51.100.{number}")
    assert "Too many failed" in log_in(client, "y@clinic.example", HTTP_X_FORWARDED_FOR="1.2.3.4").content.decode()


def test_a_request_around_a_proxy_is_no_error(client: Client, cast: Cast, settings: Any) -> None:
    settings.TRUSTED_PROXY_COUNT = 2
    assert log_in(client, cast.bob.email, PASSWORD, HTTP_X_FORWARDED_FOR="203.0.113.9").status_code == 302


def test_attempts_on_one_account_count_whatever_host_is_named(client: Client, cast: Cast, settings: Any) -> None:
    settings.TRUSTED_PROXY_COUNT = 1
    for number in range(6):
        log_in(
            client, cast.bob.email, HTTP_HOST=f"localhost:{1000 + number}", HTTP_X_FORWARDED_FOR=f"203.0.113.{number}"
        )
    answer = log_in(client, cast.bob.email, PASSWORD, HTTP_HOST="localhost:99", HTTP_X_FORWARDED_FOR="203.0.113.99")
    assert "Too many failed" in answer.content.decode()
