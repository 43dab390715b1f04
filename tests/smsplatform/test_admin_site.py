"""The platform's admin: it opens for admins with a second step, and none of its addresses opens for anybody else."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from tenants.models import User
from tests.cast import PASSWORD, Cast
from tests.codes import code_of, give_app


def _addresses(resolver: URLResolver, prefix: str = "/") -> Iterator[str]:
    for entry in resolver.url_patterns:
        whole = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from _addresses(entry, whole)
        elif isinstance(entry, URLPattern) and whole.startswith("/admin/"):
            yield _filled(whole)


def _filled(pattern: str) -> str:
    """An address of the pattern; the parts it names are made up."""
    named_choice = re.sub(r"\(\?P<\w+>([a-z_]+)(\|[a-z_|]+)?\)", r"\1", pattern)
    anything = re.sub(r"\(\?P<\w+>\.\*\)\$?", "no/such/page/", named_choice)
    made_up = re.sub(r"<int:\w+>", "1", anything)
    return re.sub(r"<[\w:]+>", "00000000-0000-0000-0000-000000000000", made_up).translate({94: None, 36: None})


ADDRESSES = sorted(set(_addresses(get_resolver())))
OPEN_TO_ALL = {"/admin/login/"}
"""It only leads elsewhere."""


@pytest.fixture
def root(db: None) -> User:
    return User.objects.create_superuser("root@platform.example", PASSWORD)


@pytest.fixture
def asking(client: Client, root: User, cast: Cast) -> dict[str, Client]:
    """Browsers of whoever must stay out."""
    browsers = {"nobody": client, "a member": Client(), "an admin without second step": Client()}
    browsers["a member"].force_login(cast.alice)
    browsers["an admin without second step"].force_login(root)
    give_app(cast.alice)
    return browsers


def test_the_addresses_are_found() -> None:
    assert {"/admin/", "/admin/logout/", "/admin/tenants/user/", "/admin/tenants/tenant/add/"} <= set(ADDRESSES)
    assert not any(mark in address for address in ADDRESSES for mark in "<>()?*")


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("address", [address for address in ADDRESSES if address not in OPEN_TO_ALL])
def test_no_page_opens_without_a_second_step(asking: dict[str, Client], address: str, method: str) -> None:
    for who, browser in asking.items():
        answer = getattr(browser, method)(address)
        # 405: nobody is looked at before.
        assert answer.status_code in (302, 403, 405), f"{who}: {answer.status_code}"


@pytest.mark.parametrize("address", ADDRESSES)
def test_they_do_open_with_one(client: Client, root: User, address: str) -> None:
    """The counter-proof: it is the second step that is missing above, nothing else."""
    give_app(root)
    client.force_login(root)
    answer = client.get(address)
    away = {reverse("account_login"), reverse("second_step_needed")}
    # Some are shut for everybody, such as adding a user; then it is the page that says so, not the door.
    assert answer.status_code in (200, 302, 403, 404, 405), answer.status_code
    assert answer.headers.get("Location", "").partition("?")[0] not in away


@pytest.mark.parametrize("address", ["/admin/", "/admin/tenants/user/", "/admin/tenants/tenant/"])
def test_its_main_pages_are_pages(client: Client, root: User, address: str) -> None:
    give_app(root)
    client.force_login(root)
    assert client.get(address).status_code == 200


@pytest.mark.parametrize("table", ["mfa/authenticator", "account/emailaddress", "account/emailconfirmation"])
def test_nobody_edits_how_others_sign_in(client: Client, root: User, table: str) -> None:
    give_app(root)
    client.force_login(root)
    assert client.get(f"/admin/{table}/").status_code == 404


def test_an_admin_is_led_to_set_one_up(client: Client, root: User) -> None:
    answer = client.post(
        reverse("account_login"), {"login": root.email, "password": PASSWORD, "next": "/admin/"}, follow=True
    )
    assert answer.request["PATH_INFO"] == reverse("second_step_needed")
    assert "Admins of the platform sign in with more than a password" in answer.content.decode()


def test_an_admin_signs_in_with_both_steps(client: Client, root: User) -> None:
    secret = give_app(root)
    client.post(reverse("account_login"), {"login": root.email, "password": PASSWORD, "next": "/admin/"})
    assert client.get("/admin/").headers["Location"].startswith("/admin/login/")
    answer = client.post(reverse("mfa_authenticate"), {"code": code_of(secret)}, follow=True)
    assert answer.request["PATH_INFO"] == "/admin/"
    assert answer.status_code == 200


def test_an_admin_cannot_remove_the_last_one(client: Client, root: User) -> None:
    secret = give_app(root)
    client.post(reverse("account_login"), {"login": root.email, "password": PASSWORD})
    client.post(reverse("mfa_authenticate"), {"code": code_of(secret)})
    page = client.post(reverse("mfa_deactivate_totp"))
    assert "Set up another one first" in page.content.decode()
    assert client.get("/admin/").status_code == 200


def test_the_admin_has_no_log_in_and_no_password_form_of_its_own(client: Client, root: User) -> None:
    typed: dict[str, Any] = {"username": root.email, "password": PASSWORD, "next": "/admin/"}
    assert client.post("/admin/login/", typed).status_code == 405
    assert "_auth_user_id" not in client.session
    assert client.get("/admin/", follow=True).request["PATH_INFO"] == reverse("account_login")
    give_app(root)
    client.force_login(root)
    assert client.get("/admin/password_change/").headers["Location"] == reverse("account_change_password")


def test_members_do_not_reach_it(client: Client, cast: Cast) -> None:
    give_app(cast.alice)
    client.force_login(cast.alice)
    assert client.get("/admin/", follow=True).status_code == 403


@pytest.mark.parametrize("address", [address for address in ADDRESSES if "logout" not in address])
def test_its_pages_keep_the_content_security_policy(client: Client, root: User, address: str) -> None:
    give_app(root)
    client.force_login(root)
    answer = client.get(address, follow=True)
    assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    inline = re.findall(
        r"<script(?![^>]*(?:src=|type=\"application/json\"))[^>]*>|<style|\sstyle=\"|\son\w+=\"",
        answer.content.decode(),
    )
    assert inline == []


def test_it_is_the_site_that_is_registered_with() -> None:
    from smsplatform.admin_site import PlatformAdminSite

    assert isinstance(admin.site, PlatformAdminSite)
