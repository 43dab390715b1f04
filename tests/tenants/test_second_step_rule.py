"""A tenant's rule that owners and managers need a second step: whom it holds, what opens without one, who may set it."""

from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client
from django.urls import reverse

from tenants.models import AuditEntry, Membership, Tenant, User
from tenants.permissions import Role
from tenants.scope import tenant_scope
from tenants.services import add_member
from tests.architecture.forms import member_routes
from tests.architecture.test_audit import example
from tests.cast import PASSWORD, Cast
from tests.codes import code_of, give_app
from tests.web import confirm, sign_in, text_of

NEEDED = reverse("second_step_needed")


def rule(tenant: Tenant, *, on: bool = True) -> None:
    Tenant.objects.filter(id=tenant.id).update(mfa_required=on)


def led_away(answer: Any) -> bool:
    return (answer.headers.get("HX-Redirect") or answer.headers.get("Location")) == NEEDED


# --- Whom it holds ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "held"), [("alice", True), ("mona", True), ("bob", False), ("vera", False)])
def test_it_holds_for_owners_and_managers(client: Client, cast: Cast, name: str, held: bool) -> None:
    user = getattr(cast, name)
    sign_in(client, user, cast.clinic.tenant)
    assert not led_away(client.get(reverse("home")))
    rule(cast.clinic.tenant)
    assert led_away(client.get(reverse("home"))) is held
    give_app(user)
    assert client.get(reverse("home")).status_code == 200


def test_a_tenant_without_the_rule_is_not_touched(client: Client, cast: Cast) -> None:
    with tenant_scope(cast.shop.tenant.id):
        add_member(email=cast.mona.email, role=Role.MANAGER)
    rule(cast.clinic.tenant)
    sign_in(client, cast.mona, cast.shop.tenant)
    assert client.get(reverse("home")).status_code == 200
    client.post(reverse("tenant_switch"), {"tenant": str(cast.clinic.tenant.id)})
    assert led_away(client.get(reverse("home")))
    client.post(reverse("tenant_switch"), {"tenant": str(cast.shop.tenant.id)})
    assert client.get(reverse("home")).status_code == 200


def test_recovery_codes_alone_are_no_second_step(client: Client, cast: Cast) -> None:
    rule(cast.clinic.tenant)
    Authenticator.objects.create(user=cast.mona, type="recovery_codes", data={})
    assert led_away(sign_in(client, cast.mona, cast.clinic.tenant).get(reverse("home")))


def test_a_promotion_brings_the_rule(client: Client, cast: Cast) -> None:
    rule(cast.clinic.tenant)
    sign_in(client, cast.bob, cast.clinic.tenant)
    assert client.get(reverse("home")).status_code == 200
    with tenant_scope(cast.clinic.tenant.id):
        Membership.objects.filter(user=cast.bob).update(role=Role.MANAGER)
    assert led_away(client.get(reverse("home")))


# --- What opens ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("name", member_routes())
def test_nothing_of_the_tenant_opens(client: Client, cast: Cast, name: str, method: str) -> None:
    rule(cast.clinic.tenant)
    sign_in(client, cast.alice, cast.clinic.tenant)
    parts = {part: _example(converter) for part, converter in member_routes()[name].items()}
    assert led_away(getattr(client, method)(reverse(name, kwargs=parts)))


def _example(converter: Any) -> object:
    """A part of an address; of a choice of words the first."""
    return converter.regex.split("|")[0] if "|" in converter.regex else example(converter)


def test_a_part_of_a_page_leads_the_whole_page(client: Client, cast: Cast) -> None:
    rule(cast.clinic.tenant)
    sign_in(client, cast.alice, cast.clinic.tenant)
    answer = client.get(reverse("contacts"), headers={"HX-Request": "true"})
    assert answer.headers["HX-Redirect"] == NEEDED


def test_the_page_says_who_asked_for_it_and_why(client: Client, cast: Cast) -> None:
    give_app(cast.alice)
    owner = sign_in(Client(), cast.alice, cast.clinic.tenant)
    owner.post(reverse("security_rule"), {"required": "yes"})
    page = text_of(sign_in(client, cast.mona, cast.clinic.tenant).get(reverse("home"), follow=True))
    assert "Harbor Clinic asks its owners and managers" in page
    assert "You are manager there" in page
    assert "alice@clinic.example asked for it" in page
    assert reverse("mfa_activate_totp") in page


def test_from_the_page_to_work(client: Client, cast: Cast) -> None:
    rule(cast.clinic.tenant)
    client.post(reverse("account_login"), {"login": cast.mona.email, "password": PASSWORD})
    client.get(reverse("mfa_activate_totp"))
    answer = client.post(
        reverse("mfa_activate_totp"), {"code": code_of(client.session["mfa.totp.secret"])}, follow=True
    )
    assert answer.request["PATH_INFO"] == reverse("mfa_view_recovery_codes")
    assert client.get(reverse("home")).status_code == 200
    assert client.get(NEEDED).headers["Location"] == reverse("home")


def test_somebody_invited_is_led_there_at_first(client: Client, cast: Cast) -> None:
    rule(cast.clinic.tenant)
    with tenant_scope(cast.clinic.tenant.id):
        new = add_member(email="new@clinic.example", role=Role.MANAGER).user
    assert led_away(sign_in(client, new, cast.clinic.tenant).get(reverse("home")))
    give_app(new)
    assert client.get(reverse("home")).status_code == 200


def test_the_page_is_for_those_it_concerns(client: Client, cast: Cast) -> None:
    sign_in(client, cast.bob, cast.clinic.tenant)
    assert client.get(NEEDED).headers["Location"] == reverse("home")
    assert Client().get(NEEDED).headers["Location"].startswith(reverse("account_login"))


# --- Who may set it -----------------------------------------------------------------------------------------------


def is_on(cast: Cast) -> bool:
    return Tenant.objects.get(id=cast.clinic.tenant.id).mfa_required


def set_rule(user: User, cast: Cast, required: str = "yes", seconds_ago: float = 0) -> Any:
    browser = sign_in(Client(), user, cast.clinic.tenant)
    confirm(browser, user, seconds_ago=seconds_ago)
    return browser.post(reverse("security_rule"), {"required": required}, follow=True)


@pytest.mark.parametrize(("name", "may"), [("alice", True), ("mona", False), ("bob", False), ("vera", False)])
def test_only_an_owner_sets_the_rule(cast: Cast, name: str, may: bool) -> None:
    give_app(getattr(cast, name))
    answer = set_rule(getattr(cast, name), cast)
    assert (answer.status_code, is_on(cast)) == ((200, True) if may else (403, False))


def test_an_owner_without_one_cannot_ask_others(cast: Cast) -> None:
    assert "Set up a second step for yourself first" in text_of(set_rule(cast.alice, cast))
    assert not is_on(cast)


def test_the_rule_is_set_only_by_somebody_who_confirmed(cast: Cast) -> None:
    give_app(cast.alice)
    assert "Is it you?" in text_of(set_rule(cast.alice, cast, seconds_ago=660))
    assert not is_on(cast)


def test_turning_it_on_and_off_is_recorded(cast: Cast) -> None:
    give_app(cast.alice)
    for required in ("yes", "yes", "no"):
        set_rule(cast.alice, cast, required)
    assert not is_on(cast)
    with tenant_scope(cast.clinic.tenant.id):
        entries = AuditEntry.objects.filter(action="tenant.second_step_rule_changed").order_by("id")
        assert [(entry.before, entry.after) for entry in entries] == [
            ({"mfa_required": False}, {"mfa_required": True}),
            ({"mfa_required": True}, {"mfa_required": False}),
        ]
    assert not Tenant.objects.get(id=cast.shop.tenant.id).mfa_required


def test_the_page_of_the_rule_shows_who_has_one(client: Client, cast: Cast) -> None:
    give_app(cast.mona)
    page = text_of(sign_in(client, cast.vera, cast.clinic.tenant).get(reverse("security")))
    assert page.count("Password only") == 1
    assert "mona@clinic.example" in page
    assert "bob@" not in page
    assert reverse("security_rule") not in page
