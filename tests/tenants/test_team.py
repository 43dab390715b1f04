"""The team page and the choice of an account: only owners manage, and nobody can lock everybody out."""

from collections.abc import Callable
from html import escape

import pytest
from django.test import Client
from django.urls import reverse

from tenants.access import SESSION_TENANT
from tenants.models import Membership, User
from tenants.permissions import PERMISSIONS, Role
from tenants.scope import tenant_scope
from tenants.services import add_member
from tests.cast import Cast
from tests.web import sign_in

HOSTILE = "<script>alert('x')</script>\"><b>"


def member(cast: Cast, user: User) -> Membership:
    with tenant_scope(cast.clinic.tenant.id):
        return Membership.objects.get(user=user)


def roles(cast: Cast) -> dict[str, str]:
    """Active members of the clinic by the first part of their address."""
    with tenant_scope(cast.clinic.tenant.id):
        rows = Membership.objects.filter(is_active=True).select_related("user")
        return {row.user.email.partition("@")[0]: row.role for row in rows}


EVERYBODY = {"alice": "owner", "mona": "manager", "bob": "agent", "vera": "viewer"}

Address = Callable[[Membership], str]
CHANGES: dict[str, tuple[Address, dict[str, str]]] = {
    "invite": (lambda _: reverse("member_invite"), {"email": "new@clinic.example", "role": "viewer"}),
    "role": (lambda found: reverse("member_role", args=[found.id]), {"role": "viewer"}),
    "remove": (lambda found: reverse("member_remove", args=[found.id]), {}),
}


@pytest.fixture
def alice(client: Client, cast: Cast) -> Client:
    return sign_in(client, cast.alice, cast.clinic.tenant)


@pytest.mark.parametrize("name", EVERYBODY)
def test_everybody_sees_the_team_and_only_owners_the_controls(client: Client, cast: Cast, name: str) -> None:
    sign_in(client, getattr(cast, name), cast.clinic.tenant)
    answer = client.get(reverse("team"))
    assert answer.status_code == 200
    page = answer.content.decode()
    assert all(f"{who}@clinic.example" in page for who in EVERYBODY)
    assert "charlie@shop.example" not in page
    bob = member(cast, cast.bob)
    for address, _ in CHANGES.values():
        assert (address(bob) in page) is (name == "alice")


@pytest.mark.parametrize("name", ["mona", "bob", "vera"])
@pytest.mark.parametrize("change", CHANGES)
def test_others_cannot_manage(client: Client, cast: Cast, change: str, name: str) -> None:
    address, data = CHANGES[change]
    sign_in(client, getattr(cast, name), cast.clinic.tenant)
    assert client.post(address(member(cast, cast.bob)), data).status_code == 403
    assert roles(cast) == EVERYBODY


@pytest.mark.parametrize("change", ["role", "remove"])
def test_another_tenants_members_do_not_exist(client: Client, cast: Cast, change: str) -> None:
    address, data = CHANGES[change]
    sign_in(client, cast.charlie, cast.shop.tenant)
    assert client.post(address(member(cast, cast.bob)), data).status_code == 404
    assert roles(cast) == EVERYBODY


def test_whoever_is_signed_out_is_led_to_the_log_in(client: Client, cast: Cast) -> None:
    for address in (reverse("team"), reverse("tenant_switch")):
        answer = client.get(address)
        assert answer.status_code == 302
        assert answer.headers["Location"].startswith(reverse("account_login"))


def test_the_rights_of_each_role_are_shown(alice: Client) -> None:
    table = alice.get(reverse("team")).context["role_table"]
    assert [label for label, _ in table] == ["Owner", "Manager", "Agent", "Viewer"]
    for role, (_, rights) in zip(Role, table, strict=True):
        assert rights == [permission.label for permission in sorted_like_declared(role)]


def sorted_like_declared(role: Role) -> list[object]:
    from tenants.permissions import Permission

    return [permission for permission in Permission if permission in PERMISSIONS[role]]


def test_changing_a_role_holds_at_once(client: Client, cast: Cast) -> None:
    bob = sign_in(Client(), cast.bob, cast.clinic.tenant)
    assert bob.get(reverse("imports")).status_code == 403
    sign_in(client, cast.alice, cast.clinic.tenant)
    client.post(CHANGES["role"][0](member(cast, cast.bob)), {"role": "manager"})
    assert bob.get(reverse("imports")).headers["Location"].startswith(reverse("account_login"))
    bob = sign_in(Client(), cast.bob, cast.clinic.tenant)
    assert bob.get(reverse("imports")).status_code == 200


def test_removing_somebody_holds_at_once(client: Client, cast: Cast) -> None:
    bob = sign_in(Client(), cast.bob, cast.clinic.tenant)
    sign_in(client, cast.alice, cast.clinic.tenant).post(CHANGES["remove"][0](member(cast, cast.bob)))
    answer = bob.get(reverse("contacts"), follow=True)
    assert "You have no access yet" in answer.content.decode()


@pytest.mark.parametrize("change", ["role", "remove"])
def test_the_last_owner_stays(alice: Client, cast: Cast, change: str) -> None:
    address, data = CHANGES[change]
    answer = alice.post(address(member(cast, cast.alice)), data, follow=True)
    assert "This is the only owner. Make another member an owner first." in answer.content.decode()
    assert roles(cast) == EVERYBODY


def test_an_unknown_role_is_refused(alice: Client, cast: Cast) -> None:
    answer = alice.post(CHANGES["role"][0](member(cast, cast.bob)), {"role": "king"}, follow=True)
    assert "Choose one of the roles." in answer.content.decode()
    assert roles(cast) == EVERYBODY


def test_being_added_elsewhere_does_not_move_anybody(client: Client, cast: Cast) -> None:
    """Somebody who is added elsewhere begins where they have worked before, and is not seen there."""
    sign_in(client, cast.bob, cast.clinic.tenant).get(reverse("home"))
    with tenant_scope(cast.shop.tenant.id):
        add_member(email="bob@clinic.example", role=Role.OWNER)
    later = Client()
    later.force_login(cast.bob)
    later.get(reverse("home"))
    assert later.session[SESSION_TENANT] == str(cast.clinic.tenant.id)
    with tenant_scope(cast.shop.tenant.id):
        assert Membership.objects.get(user=cast.bob).accepted_at is None


def test_names_are_shown_and_never_run(alice: Client, cast: Cast) -> None:
    User.objects.filter(id=cast.bob.id).update(name=HOSTILE)
    sign_in(Client(), cast.bob, cast.clinic.tenant).get(reverse("home"))
    refused = alice.post(reverse("member_invite"), {"email": HOSTILE, "role": "agent"})
    for page in (alice.get(reverse("team")).content.decode(), refused.content.decode()):
        assert HOSTILE not in page
        assert escape(HOSTILE) in page


# --- Choosing an account ------------------------------------------------------------------------------------------


def test_with_one_account_there_is_nothing_to_choose(client: Client, cast: Cast) -> None:
    client.force_login(cast.bob)
    answer = client.get(reverse("lists"))
    assert answer.status_code == 200
    assert client.session[SESSION_TENANT] == str(cast.clinic.tenant.id)


def test_with_two_accounts_one_is_chosen(client: Client, cast: Cast) -> None:
    with tenant_scope(cast.shop.tenant.id):
        add_member(email="bob@clinic.example", role=Role.MANAGER)
    sign_in(client, cast.bob, cast.clinic.tenant)
    assert client.get(reverse("imports")).status_code == 403
    page = client.get(reverse("tenant_switch")).content.decode()
    assert "Corner Shop" in page
    assert "Agent · you are here" in page
    answer = client.post(reverse("tenant_switch"), {"tenant": str(cast.shop.tenant.id)})
    assert answer.headers["Location"] == reverse("home")
    assert client.get(reverse("imports")).status_code == 200
    assert "Manager · you are here" in client.get(reverse("tenant_switch")).content.decode()


def test_the_next_sign_in_begins_where_this_one_was(client: Client, cast: Cast) -> None:
    with tenant_scope(cast.shop.tenant.id):
        add_member(email="bob@clinic.example", role=Role.VIEWER)
    sign_in(client, cast.bob, cast.clinic.tenant)
    client.post(reverse("tenant_switch"), {"tenant": str(cast.shop.tenant.id)})
    later = Client()
    later.force_login(cast.bob)
    later.get(reverse("home"))
    assert later.session[SESSION_TENANT] == str(cast.shop.tenant.id)


def test_somebody_without_a_tenant_is_told_so(client: Client, cast: Cast) -> None:
    client.force_login(User.objects.create_user("nobody@example.com"))
    assert client.get(reverse("home")).headers["Location"] == reverse("tenant_switch")
    assert client.get(reverse("tenant_switch")).status_code == 200


@pytest.mark.parametrize("chosen", ["", "no-id", "theirs"])
def test_an_account_one_is_no_member_of_cannot_be_chosen(client: Client, cast: Cast, chosen: str) -> None:
    sign_in(client, cast.bob, cast.clinic.tenant)
    client.post(reverse("tenant_switch"), {"tenant": str(cast.shop.tenant.id) if chosen == "theirs" else chosen})
    assert client.session[SESSION_TENANT] == str(cast.clinic.tenant.id)


def test_too_many_changes_in_a_minute_are_refused_politely(
    alice: Client, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tenants.access.WRITES_PER_MINUTE", 0)
    answer = alice.post(reverse("member_invite"), CHANGES["invite"][1])
    assert answer.status_code == 429
    assert "That was too fast" in answer.content.decode()
    assert roles(cast) == EVERYBODY
    assert alice.get(reverse("team")).status_code == 200
