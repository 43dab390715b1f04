"""The second step of signing in: set up, asked for, used once, guessed in vain, removed only where that is allowed."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from urllib.parse import unquote

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.core import mail
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.db import connection, connections
from django.test import Client
from django.urls import reverse
from django.utils.timezone import now

from tenants.models import AuditEntry, FailedCodes, User, UserSession
from tenants.scope import tenant_scope
from tenants.services import sessions_of, spend_code
from tests.cast import PASSWORD, Cast, make_cast
from tests.codes import code_of, give_app
from tests.web import confirm, sign_in, text_of

SECOND_STEP = reverse("mfa_authenticate")


def password(client: Client, user: User) -> Any:
    return client.post(reverse("account_login"), {"login": user.email, "password": PASSWORD})


def code(client: Client, digits: str) -> Any:
    return client.post(SECOND_STEP, {"code": digits})


def is_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def acts(cast: Cast) -> list[str]:
    with tenant_scope(cast.clinic.tenant.id):
        return list(
            AuditEntry.objects.filter(action__startswith="user.").order_by("id").values_list("action", flat=True)
        )


@pytest.fixture
def mona(client: Client, cast: Cast) -> Client:
    return sign_in(client, cast.mona, cast.clinic.tenant)


# --- Setting up ---------------------------------------------------------------------------------------------------


def set_up(client: Client) -> tuple[str, Any]:
    """Read the secret off the page, type the code; the secret and the page that follows."""
    page = text_of(client.get(reverse("mfa_activate_totp")))
    secret = re.search(r'id="totp-key">(\w+)<', page)
    assert secret
    assert "data:image/svg+xml;base64," in page
    answer = client.post(reverse("mfa_activate_totp"), {"code": code_of(secret.group(1))}, follow=True)
    return secret.group(1), answer


def test_an_app_is_set_up_and_asked_for_from_then_on(mona: Client, cast: Cast) -> None:
    secret, answer = set_up(mona)
    assert answer.request["PATH_INFO"] == reverse("mfa_view_recovery_codes")
    stored = Authenticator.objects.get(user=cast.mona, type="totp")
    assert secret not in str(stored.data)
    browser = Client()
    assert password(browser, cast.mona).headers["Location"] == SECOND_STEP
    assert not is_in(browser)
    assert browser.get(reverse("team")).status_code == 302
    assert "Second step" in text_of(browser.get(SECOND_STEP))
    with time_machine.travel(now() + timedelta(seconds=30)):
        assert code(browser, code_of(secret)).headers["Location"] == reverse("home")
    assert is_in(browser)
    assert acts(cast) == ["user.app_added"]


def test_a_wrong_first_code_sets_nothing_up(mona: Client, cast: Cast) -> None:
    mona.get(reverse("mfa_activate_totp"))
    page = mona.post(reverse("mfa_activate_totp"), {"code": "000000"})
    assert "This did not work" in text_of(page)
    assert not Authenticator.objects.exists()


def test_the_same_form_sent_twice_sets_up_one(mona: Client, cast: Cast) -> None:
    mona.get(reverse("mfa_activate_totp"))
    typed = {"code": code_of(mona.session["mfa.totp.secret"])}
    mona.post(reverse("mfa_activate_totp"), typed)
    assert mona.post(reverse("mfa_activate_totp"), typed).status_code == 302
    assert Authenticator.objects.filter(type="totp").count() == 1


def test_recovery_codes_are_shown_once_and_can_be_kept_as_a_file(mona: Client, cast: Cast) -> None:
    _, answer = set_up(mona)
    codes = set(re.findall(r"<code>(\d{8})</code>", text_of(answer)))
    assert len(codes) == 10
    kept = re.search(r'href="data:text/plain;charset=utf-8,([^"]+)" download', text_of(answer))
    assert kept
    assert codes <= set(unquote(kept.group(1)).split())
    again = text_of(mona.get(reverse("mfa_view_recovery_codes")))
    assert not any(one in again for one in codes)
    assert "10 of 10 are left" in again
    assert not any(one in str(Authenticator.objects.get(type="recovery_codes").data) for one in codes)


def test_setting_up_ends_all_other_sessions_and_gives_this_one_another_key(mona: Client, cast: Cast) -> None:
    elsewhere = Client()
    password(elsewhere, cast.mona)
    before = mona.session.session_key
    set_up(mona)
    assert not is_in(elsewhere)
    assert is_in(mona)
    assert mona.session.session_key != before
    assert [row.session_id for row in sessions_of(cast.mona)] == [mona.session.session_key]


@pytest.mark.django_db(transaction=True)
def test_a_mail_tells_of_an_app_that_was_set_up(client: Client) -> None:
    cast = make_cast()
    set_up(sign_in(client, cast.mona, cast.clinic.tenant))
    (message,) = mail.outbox
    assert message.to == [cast.mona.email]
    assert message.subject == "SMS Platform: an authenticator app was set up"
    assert "http://127.0.0.1:8000/accounts/password/reset/" in message.body


@pytest.mark.parametrize(
    "name", ["mfa_activate_totp", "mfa_add_webauthn", "mfa_generate_recovery_codes", "account_address"]
)
def test_nobody_touches_it_who_has_not_confirmed(mona: Client, cast: Cast, name: str) -> None:
    confirm(mona, cast.mona, seconds_ago=660)
    answer = mona.get(reverse(name))
    assert answer.headers["Location"].startswith(reverse("account_reauthenticate"))


# --- Codes --------------------------------------------------------------------------------------------------------


def test_a_code_works_once(cast: Cast) -> None:
    secret = give_app(cast.mona)
    seen = code_of(secret)
    first, second = Client(), Client()
    password(first, cast.mona)
    password(second, cast.mona)
    assert code(first, seen).status_code == 302
    cache.clear()
    assert code(second, seen).status_code == 200
    assert (is_in(first), is_in(second)) == (True, False)


def test_a_code_works_once_also_when_it_comes_late(cast: Cast) -> None:
    """A code is good for three half minutes: it must not be forgotten after one of them that it was used."""
    secret = give_app(cast.mona)
    with time_machine.travel(now(), tick=False) as clock:
        seen = code_of(secret, steps=1)
        spend_code(user=cast.mona, code=seen)
        clock.shift(45)
        with pytest.raises(ValidationError):
            spend_code(user=cast.mona, code=seen)
        # Nor one of before the one that was used.
        with pytest.raises(ValidationError):
            spend_code(user=cast.mona, code=code_of(secret, steps=-1))


def test_the_code_of_the_set_up_is_used_up(mona: Client, cast: Cast) -> None:
    secret, _ = set_up(mona)
    browser = Client()
    password(browser, cast.mona)
    assert code(browser, code_of(secret)).status_code == 200
    assert not is_in(browser)


@pytest.mark.parametrize(("steps", "good"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_clocks_may_differ_by_half_a_minute(cast: Cast, steps: int, good: bool) -> None:
    secret = give_app(cast.mona)
    with time_machine.travel(now(), tick=False):
        browser = Client()
        password(browser, cast.mona)
        code(browser, code_of(secret, steps=steps))
    assert is_in(browser) is good


def test_codes_are_taken_with_the_blanks_that_apps_show(cast: Cast) -> None:
    secret = give_app(cast.mona)
    browser = Client()
    password(browser, cast.mona)
    digits = code_of(secret)
    code(browser, f" {digits[:3]} {digits[3:]} ")
    assert is_in(browser)


@pytest.mark.parametrize("odd", ["", " ", "\0", "x" * 5000, "１２３４５６", "-1", "000000\n", "💥"])
def test_odd_codes_are_wrong_codes(cast: Cast, odd: str) -> None:
    give_app(cast.mona)
    browser = Client()
    password(browser, cast.mona)
    assert code(browser, odd).status_code == 200
    assert not is_in(browser)


@pytest.mark.parametrize("cache_is_emptied", [False, True])
def test_guessing_ends_after_five_wrong_codes(cast: Cast, cache_is_emptied: bool) -> None:
    secret = give_app(cast.mona)
    for _ in range(5):
        browser = Client()
        password(browser, cast.mona)
        code(browser, "000000")
        if cache_is_emptied:
            cache.clear()
    browser = Client()
    password(browser, cast.mona)
    page = code(browser, code_of(secret))
    assert "Too many" in text_of(page)
    assert not is_in(browser)


def test_each_further_five_guesses_cost_twice_the_wait(cast: Cast) -> None:
    secret = give_app(cast.mona)
    waits = []
    with time_machine.travel(now(), tick=False) as clock:
        for _ in range(12):
            for _ in range(5):
                with pytest.raises(ValidationError, match="wrong"):
                    spend_code(user=cast.mona, code="000000")
            until = FailedCodes.objects.get(user=cast.mona).blocked_until
            assert until
            with pytest.raises(ValidationError, match="Too many"):
                spend_code(user=cast.mona, code=code_of(secret))
            waits.append((until - now()) // timedelta(minutes=1))
            clock.shift(until - now() + timedelta(seconds=1))
        assert waits == [5, 10, 20, 40, 80, 160, 320, 640, 1280, 1440, 1440, 1440]
        spend_code(user=cast.mona, code=code_of(secret))
    assert not FailedCodes.objects.exists()


def test_wrong_codes_of_one_person_are_not_anothers(cast: Cast) -> None:
    give_app(cast.mona)
    secret = give_app(cast.bob)
    for _ in range(6):
        with pytest.raises(ValidationError):
            spend_code(user=cast.mona, code="000000")
    assert spend_code(user=cast.bob, code=code_of(secret)).type == "totp"


def test_a_recovery_code_lets_in_once(cast: Cast) -> None:
    give_app(cast.mona)
    codes = RecoveryCodes.activate(cast.mona).generate_codes()
    for expected in (True, False):
        browser = Client()
        password(browser, cast.mona)
        code(browser, codes[3])
        assert is_in(browser) is expected
    other = Client()
    password(other, cast.mona)
    code(other, codes[4])
    assert is_in(other)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", ["app", "recovery code"])
def test_two_requests_with_one_code_at_the_same_moment(kind: str) -> None:
    cast = make_cast()
    secret = give_app(cast.mona)
    digits = code_of(secret) if kind == "app" else RecoveryCodes.activate(cast.mona).generate_codes()[0]

    def spend(_: int) -> bool:
        try:
            spend_code(user=cast.mona, code=digits)
        except ValidationError:
            return False
        finally:
            connections.close_all()
        return True

    with ThreadPoolExecutor(4) as threads:
        assert sorted(threads.map(spend, range(4))) == [False, False, False, True]


# --- Between the steps --------------------------------------------------------------------------------------------


def test_a_half_done_sign_in_ends_with_the_password_it_was_begun_with(cast: Cast) -> None:
    """Whoever knew the old password and waits at the second step must not get in after the change."""
    secret = give_app(cast.mona)
    waiting = Client()
    password(waiting, cast.mona)
    owner = sign_in(Client(), cast.mona, cast.clinic.tenant)
    new = "another long enough one"
    owner.post(reverse("account_change_password"), {"oldpassword": PASSWORD, "password1": new, "password2": new})
    answer = code(waiting, code_of(secret))
    assert answer.headers["Location"] == reverse("account_login")
    assert not is_in(waiting)
    with time_machine.travel(now() + timedelta(seconds=60)):
        waiting.post(reverse("account_login"), {"login": cast.mona.email, "password": new})
        code(waiting, code_of(secret))
    assert is_in(waiting)


def test_the_second_step_is_no_page_by_itself(client: Client, cast: Cast) -> None:
    give_app(cast.mona)
    assert client.get(SECOND_STEP).headers["Location"] == reverse("account_login")
    assert client.post(SECOND_STEP, {"code": "000000"}).headers["Location"] == reverse("account_login")


def test_between_the_steps_nothing_else_opens(client: Client, cast: Cast) -> None:
    give_app(cast.mona)
    password(client, cast.mona)
    for name in ("home", "account", "team", "mfa_activate_totp", "mfa_view_recovery_codes", "tenant_switch"):
        assert client.get(reverse(name)).headers["Location"].startswith(reverse("account_login")), name


# --- Removing -----------------------------------------------------------------------------------------------------


def test_an_app_is_removed_with_its_recovery_codes(mona: Client, cast: Cast) -> None:
    set_up(mona)
    assert "Remove it" in text_of(mona.get(reverse("mfa_deactivate_totp")))
    mona.post(reverse("mfa_deactivate_totp"))
    assert not Authenticator.objects.exists()
    assert is_in(mona)
    assert acts(cast) == ["user.app_added", "user.app_removed"]
    assert "was removed" in mail.outbox[-1].subject


def test_removing_ends_all_other_sessions(mona: Client, cast: Cast) -> None:
    set_up(mona)
    elsewhere = sign_in(Client(), cast.mona, cast.clinic.tenant)
    assert elsewhere.get(reverse("team")).status_code == 200
    mona.post(reverse("mfa_deactivate_totp"))
    assert elsewhere.get(reverse("team")).status_code == 302
    assert UserSession.objects.filter(user=cast.mona).count() == 1


def test_the_rule_of_a_tenant_keeps_the_last_one(mona: Client, cast: Cast) -> None:
    set_up(mona)
    cast.clinic.tenant.mfa_required = True
    cast.clinic.tenant.save()
    assert "Set up another one first" in text_of(mona.get(reverse("mfa_deactivate_totp")))
    mona.post(reverse("mfa_deactivate_totp"))
    assert Authenticator.objects.filter(type="totp").exists()


def test_new_recovery_codes_end_the_old_ones(mona: Client, cast: Cast) -> None:
    secret, _ = set_up(mona)
    old = Authenticator.objects.get(type="recovery_codes").wrap().generate_codes()
    mona.post(reverse("mfa_generate_recovery_codes"))
    for digits, expected in ((old[0], False), (code_of(secret, steps=1), True)):
        browser = Client()
        password(browser, cast.mona)
        code(browser, digits)
        assert is_in(browser) is expected
    assert acts(cast)[-1] == "user.recovery_codes_made"


def test_secrets_are_encrypted_at_rest(mona: Client, cast: Cast) -> None:
    secret, _ = set_up(mona)
    seed = Authenticator.objects.get(type="recovery_codes").data["seed"]
    assert seed.startswith("gAAAA")
    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(data::text, '') FROM mfa_authenticator")
        assert secret not in cursor.fetchone()[0]
