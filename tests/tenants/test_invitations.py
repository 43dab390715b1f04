"""Invitations: the link opens one account for one address, once; and it tells nobody who has an account."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils.timezone import now

from tenants.models import AuditEntry, Invitation, Membership, OutgoingMail, User
from tenants.permissions import Role
from tenants.scope import all_tenants, tenant_scope
from tenants.services import add_member, change_role, invite, remove_member
from tests.cast import PASSWORD, Cast
from tests.mails import link_in, sent_mails
from tests.web import sign_in, text_of

NINA = "nina@clinic.example"
CHOSEN = "a quite long pass phrase"


@pytest.fixture
def alice(client: Client, cast: Cast) -> Client:
    return sign_in(client, cast.alice, cast.clinic.tenant)


def invited(alice: Client, email: str = NINA, role: str = "agent") -> tuple[str, str]:
    """The two links of a new invitation: the one shown to the inviter, and the mailed one."""
    page = text_of(alice.post(reverse("member_invite"), {"email": email, "role": role}, follow=True))
    shown = re.search(r'id="invitation-link"[^>]*value="http://[^/]+([^"]+)"', page)
    assert shown, page
    (message,) = sent_mails()
    return shown.group(1), link_in(str(message.body))


def role_of(cast: Cast, email: str) -> str | None:
    with tenant_scope(cast.clinic.tenant.id):
        found = Membership.objects.filter(user__email=email, is_active=True).first()
        return found.role if found else None


def make_account(link: str, **changes: str) -> tuple[Client, Any]:
    client = Client()
    return client, client.post(link, {"name": "Nina Ng", "password1": CHOSEN} | changes)


# --- Inviting ------------------------------------------------------------------------------------------------------


def test_the_mail_says_who_invites_whom_where_and_until_when(alice: Client, cast: Cast) -> None:
    User.objects.filter(id=cast.alice.id).update(name="Alice Adams")
    alice.post(reverse("member_invite"), {"email": " Nina@Clinic.example", "role": "manager"})
    (message,) = sent_mails()
    assert message.to == [NINA]
    assert message.subject == "Harbor Clinic invites you to SMS Platform"
    for part in ("Alice Adams", "Harbor Clinic", "manager", "do nothing"):
        assert part in message.body
    assert sent_mails() == [], "a mail is sent once"


def test_the_link_is_shown_once_and_stored_as_a_hash_only(alice: Client, cast: Cast) -> None:
    shown, mailed = invited(alice)
    assert shown != mailed
    assert shown not in text_of(alice.get(reverse("team")))
    with tenant_scope(cast.clinic.tenant.id):
        row = str(Invitation.objects.values().get())
        log = str(list(AuditEntry.objects.values()))
    for link in (shown, mailed):
        secret = link.rstrip("/").rpartition("/")[2]
        assert secret not in row
        assert secret not in log


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({}, "This field is required."),
        ({"email": "nowhere", "role": "agent"}, "Enter a valid email address."),
        ({"email": "a\x00b@clinic.example", "role": "agent"}, "Null characters are not allowed."),
        ({"email": f"{'x' * 300}@clinic.example", "role": "agent"}, "at most 254 characters"),
        ({"email": NINA, "role": "king"}, "Select a valid choice."),
        ({"email": "BOB@clinic.example", "role": "owner"}, "This person is a member already."),
    ],
)
def test_a_bad_invitation_is_refused(alice: Client, cast: Cast, data: dict[str, str], message: str) -> None:
    answer = alice.post(reverse("member_invite"), data)
    assert answer.status_code == 422
    assert message in text_of(answer)
    with tenant_scope(cast.clinic.tenant.id):
        assert not Invitation.objects.exists()
    assert sent_mails() == []


@pytest.mark.parametrize("address", ["charlie@shop.example", "nobody@nowhere.example"])
def test_the_inviter_does_not_learn_who_has_an_account(alice: Client, cast: Cast, address: str) -> None:
    User.objects.filter(id=cast.charlie.id).update(name="Charles Secret")
    shown, _ = invited(alice, address)
    pages = [text_of(alice.get(reverse("team"))), text_of(Client().get(shown))]
    for page in pages:
        assert "Secret" not in page
    assert "Choose a password" in pages[1]
    assert "Log in" in pages[1]
    answer = make_account(shown)[1]
    assert answer.headers["Location"] == reverse("account_email_verification_sent")


def test_a_second_invitation_replaces_the_first(alice: Client, cast: Cast) -> None:
    first = invited(alice)
    second = invited(alice, role="viewer")
    assert [Client().get(link).status_code for link in (*first, *second)] == [404, 404, 200, 200]
    make_account(second[1])
    assert role_of(cast, NINA) == "viewer"


def test_mailing_again_replaces_the_links_and_gives_seven_new_days(alice: Client, cast: Cast) -> None:
    first = invited(alice)
    with tenant_scope(cast.clinic.tenant.id):
        Invitation.objects.update(expires_at=now() - timedelta(minutes=1))
        invitation = Invitation.objects.get()
    assert "expired" in text_of(alice.get(reverse("team")))
    alice.post(reverse("invitation_again", args=[invitation.id]))
    (message,) = sent_mails()
    assert [Client().get(link).status_code for link in (*first, link_in(str(message.body)))] == [404, 404, 200]
    with tenant_scope(cast.clinic.tenant.id):
        assert Invitation.objects.get().expires_at > now() + timedelta(days=6, hours=23)


def test_mails_per_day_are_limited(alice: Client, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tenants.services.invitations.MAILS_PER_DAY", 2)
    invited(alice, "one@clinic.example")
    invited(alice, "two@clinic.example")
    answer = alice.post(reverse("member_invite"), {"email": NINA, "role": "agent"})
    assert answer.status_code == 422
    assert "Go on tomorrow." in text_of(answer)
    with tenant_scope(cast.clinic.tenant.id):
        invitation = Invitation.objects.get(email="one@clinic.example")
        page = text_of(alice.post(reverse("invitation_again", args=[invitation.id]), follow=True))
        assert "Go on tomorrow." in page
        OutgoingMail.objects.update(created_at=now() - timedelta(hours=25))
    assert invited(alice)


# --- Links that do not work -----------------------------------------------------------------------------------------


def _revoked(alice: Client, cast: Cast, _: str) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        invitation = Invitation.objects.get()
    alice.post(reverse("invitation_revoke", args=[invitation.id]))


def _expired(alice: Client, cast: Cast, _: str) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        Invitation.objects.update(expires_at=now())


def _used(alice: Client, cast: Cast, link: str) -> None:
    make_account(link)


def _inviter_removed(alice: Client, cast: Cast, _: str) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        add_member(email="zoe@clinic.example", role=Role.OWNER)
        remove_member(membership=Membership.objects.get(user=cast.alice))


def _inviter_demoted(alice: Client, cast: Cast, _: str) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        add_member(email="zoe@clinic.example", role=Role.OWNER)
        change_role(membership=Membership.objects.get(user=cast.alice), role=Role.MANAGER)


@pytest.mark.parametrize("ended", [_revoked, _expired, _used, _inviter_removed, _inviter_demoted])
def test_a_link_that_ended_leads_to_one_neutral_page(
    alice: Client, cast: Cast, ended: Callable[[Client, Cast, str], None]
) -> None:
    links = invited(alice)
    ended(alice, cast, links[1])
    with tenant_scope(cast.clinic.tenant.id):
        invitation = Invitation.objects.get()
    unknown = (reverse("invitation", args=[invitation.id, "x" * 43]), reverse("invitation", args=[cast.bob.id, "x"]))
    pages = set()
    for link in (*links, *unknown):
        for answer in (Client().get(link), make_account(link)[1]):
            assert answer.status_code == 404
            pages.add(re.sub(r'"X-CSRFToken": "\w+"', "", text_of(answer)))
    assert len(pages) == 1
    assert "Harbor" not in pages.pop()


# --- Joining --------------------------------------------------------------------------------------------------------


def test_the_mailed_link_makes_the_account_and_the_member(alice: Client, cast: Cast) -> None:
    _, mailed = invited(alice)
    page = text_of(Client().get(mailed))
    assert "Join Harbor Clinic" in page
    assert NINA in page
    assert role_of(cast, NINA) is None, "opening a link changes nothing"
    client, answer = make_account(mailed)
    assert answer.headers["Location"] == reverse("home")
    assert "Hello" in text_of(client.get(reverse("home")))
    assert role_of(cast, NINA) == "agent"
    nina = User.objects.get(email=NINA)
    assert nina.name == "Nina Ng"
    assert nina.has_confirmed_address()
    answer = Client().post(reverse("account_login"), {"login": NINA, "password": CHOSEN})
    assert answer.headers["Location"] == reverse("home"), "no code is asked for: the link has proved the address"


def test_the_shown_link_proves_nothing_about_the_mailbox(alice: Client, cast: Cast) -> None:
    """Whoever invites could open it themselves, and would be there before the address's owner."""
    shown, _ = invited(alice)
    client, answer = make_account(shown)
    assert answer.headers["Location"] == reverse("account_email_verification_sent")
    assert role_of(cast, NINA) is None
    assert client.get(reverse("home")).status_code == 302
    code = re.search(r"^([A-Z0-9-]{6,})$", str(mail.outbox[-1].body), re.MULTILINE)
    assert code
    assert mail.outbox[-1].to == [NINA]
    wrong = client.post(reverse("account_email_verification_sent"), {"code": "WRONG1"})
    assert wrong.status_code == 200
    assert role_of(cast, NINA) is None
    answer = client.post(reverse("account_email_verification_sent"), {"code": code.group(1)})
    assert answer.headers["Location"] == shown
    client.post(shown)
    assert role_of(cast, NINA) == "agent"


def test_an_account_that_nobody_confirmed_gives_way_to_the_mailboxs_owner(alice: Client, cast: Cast) -> None:
    shown, mailed = invited(alice)
    make_account(shown, password1="the inviters pass phrase")
    make_account(mailed)
    nina = User.objects.get(email=NINA)
    assert nina.check_password(CHOSEN)
    assert role_of(cast, NINA) == "agent"


def test_the_address_cannot_be_changed_on_the_way(alice: Client, cast: Cast) -> None:
    _, mailed = invited(alice)
    make_account(mailed, email="mallory@evil.example")
    assert role_of(cast, NINA) == "agent"
    assert not User.objects.filter(email="mallory@evil.example").exists()
    assert not EmailAddress.objects.filter(email="mallory@evil.example").exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": ""}, "This field is required."),
        ({"name": "x" * 121}, "at most 120 characters"),
        ({"name": "a\x00b"}, "Null characters are not allowed."),
        ({"password1": "short"}, "too short"),
        ({"password1": ""}, "This field is required."),
    ],
)
def test_a_bad_account_is_refused_and_the_link_still_works(
    alice: Client, cast: Cast, changes: dict[str, str], message: str
) -> None:
    _, mailed = invited(alice)
    _, answer = make_account(mailed, **changes)
    assert answer.status_code == 422
    assert message in text_of(answer)
    assert role_of(cast, NINA) is None
    make_account(mailed)
    assert role_of(cast, NINA) == "agent"


def test_somebody_with_an_account_logs_in_and_joins(alice: Client, cast: Cast) -> None:
    for link in invited(alice, cast.charlie.email):
        visitor = Client()
        page = text_of(visitor.get(link))
        assert f"{reverse('account_login')}?next={link}" in page
        data = {"login": cast.charlie.email, "password": PASSWORD, "next": link}
        assert visitor.post(reverse("account_login"), data).headers["Location"] == link
        assert "Join Harbor Clinic" in text_of(visitor.get(link))
    assert "Choose a password" not in page, "the mailed link's reader has an account"
    assert role_of(cast, cast.charlie.email) is None
    assert visitor.post(link).headers["Location"] == reverse("home")
    assert role_of(cast, cast.charlie.email) == "agent"
    assert "Harbor Clinic" in text_of(visitor.get(reverse("home")))


def test_somebody_else_is_told_so_and_cannot_join(alice: Client, cast: Cast) -> None:
    for link in invited(alice):
        charlie = sign_in(Client(), cast.charlie, cast.shop.tenant)
        page = text_of(charlie.get(link))
        assert "You are logged in as charlie@shop.example" in page
        assert "Log out and go on as nina@clinic.example" in page
        assert "This invitation is for another e-mail address." in text_of(charlie.post(link, follow=True))
        assert role_of(cast, cast.charlie.email) is None
        assert charlie.post(f"{link}log-out/").headers["Location"] == link
        assert "Choose a password" in text_of(charlie.get(link))


def test_an_unconfirmed_address_accepts_nothing(alice: Client, cast: Cast) -> None:
    shown, _ = invited(alice)
    mallory = User.objects.create_user(NINA, PASSWORD)
    client = Client()
    client.force_login(mallory)
    assert "Confirm your e-mail address first." in text_of(client.post(shown, follow=True))
    assert role_of(cast, NINA) is None


def test_somebody_removed_comes_back_by_an_invitation(alice: Client, cast: Cast) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        remove_member(membership=Membership.objects.get(user=cast.bob))
    shown, _ = invited(alice, cast.bob.email, "viewer")
    sign_in(Client(), cast.bob, cast.clinic.tenant).post(shown)
    assert role_of(cast, cast.bob.email) == "viewer"


def test_an_invitation_changes_no_members_role(alice: Client, cast: Cast) -> None:
    shown, _ = invited(alice, role="owner")
    with tenant_scope(cast.clinic.tenant.id):
        nina = add_member(email=NINA, role=Role.VIEWER).user
    sign_in(Client(), nina, cast.clinic.tenant).post(shown)
    assert role_of(cast, NINA) == "viewer"


def test_what_happened_is_recorded(alice: Client, cast: Cast) -> None:
    _, mailed = invited(alice)
    make_account(mailed)
    with tenant_scope(cast.clinic.tenant.id):
        entries = list(AuditEntry.objects.filter(action__startswith="invitation.").order_by("id"))
    assert [(entry.action, entry.actor_name) for entry in entries] == [
        ("invitation.made", "alice@clinic.example"),
        ("invitation.accepted", "Nina Ng"),
    ]


@pytest.mark.parametrize("route", ["invitation_again", "invitation_revoke"])
@pytest.mark.parametrize(("who", "status"), [("mona", 403), ("bob", 403), ("vera", 403), ("charlie", 404)])
def test_others_cannot_touch_an_invitation(alice: Client, cast: Cast, route: str, who: str, status: int) -> None:
    shown, _ = invited(alice)
    with tenant_scope(cast.clinic.tenant.id):
        address = reverse(route, args=[Invitation.objects.get().id])
    company = cast.shop if who == "charlie" else cast.clinic
    assert sign_in(Client(), getattr(cast, who), company.tenant).post(address).status_code == status
    assert Client().get(shown).status_code == 200
    assert sent_mails() == []


# --- Mails ----------------------------------------------------------------------------------------------------------


def test_a_mail_server_that_is_away_is_tried_again(alice: Client, cast: Cast, settings: Any, caplog: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    alice.post(reverse("member_invite"), {"email": NINA, "role": "agent"})
    sent_mails()
    assert "Could not send a mail" in caplog.text
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    assert sent_mails() == [], "not at once"
    with all_tenants("the clock goes on"):
        OutgoingMail.objects.update(due_at=now())
    assert [message.to for message in sent_mails()] == [[NINA]]


def test_a_withdrawn_invitation_is_not_mailed(cast: Cast) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        invite(email=NINA, role=Role.AGENT, invited_by=cast.alice)
        Invitation.objects.update(revoked_at=now())
    assert sent_mails() == []
    with tenant_scope(cast.clinic.tenant.id):
        assert OutgoingMail.objects.get().dropped_at is not None


def test_a_name_cannot_add_a_header(alice: Client, cast: Cast) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        type(cast.clinic.tenant).objects.update(name="Clinic\r\nBcc: all@evil.example")
    alice.post(reverse("member_invite"), {"email": NINA, "role": "agent"})
    (message,) = sent_mails()
    assert "\n" not in message.subject
    assert message.recipients() == [NINA]
