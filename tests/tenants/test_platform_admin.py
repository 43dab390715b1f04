"""The platform admin: deny by default, one tenant at a time, numbers and texts hidden, and all of it in the tenant's log."""

import re
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any
from uuid import uuid4

import pytest
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.timezone import now

from consent.ledger import OptIn
from consent.models import ConsentState, PossibleOptOut, Suppression
from consent.services import opt_in, opt_out, raise_possible_opt_out
from contacts.models import Contact
from contacts.services import create_contact, upload_import
from messaging.models import Attempt, InboundMessage, Message, ProviderAccount, SenderRegistration
from messaging.services import send_reply
from tenants.models import AuditEntry, Tenant, User
from tenants.owned import TenantOwned
from tenants.platform_admin import PlatformAdmin, TenantDataAdmin
from tenants.scope import tenant_scope
from tenants.services import add_member
from tests.cast import Cast
from tests.platform_admin import ada, laws, work_on
from tests.web import sign_in, text_of

NUMBER = "+12025550101"
REASON = "Tell us where these people agreed."
WORDS = "My knee hurts again"


def platform_entries(tenant: Tenant) -> list[tuple[str, str, str]]:
    """What the platform did in the tenant: act, kind of thing, name."""
    with tenant_scope(tenant.id):
        rows = AuditEntry.objects.filter(by_platform=True).order_by("id")
        return [(row.action, row.target_kind, row.target_name) for row in rows]


@pytest.fixture
def things(cast: Cast) -> dict[str, TenantOwned]:
    """One row of everything, by the name of its model."""
    tenant = cast.clinic.tenant
    with tenant_scope(tenant.id):
        contact = create_contact(tenant=tenant, number=NUMBER, values={"first_name": "Ann", "email": "ann@x.example"})
        opt_in(opt_in=OptIn(number=NUMBER, purpose="marketing", source="paper", wording=WORDS))
        opt_out(number="+12025550102", source="staff")
        raise_possible_opt_out(number=NUMBER, wording=WORDS, evidence={})
        message = send_reply(tenant=tenant, number=NUMBER, contact_id=contact.id, body=WORDS, user_id=cast.alice.id)
        made: list[TenantOwned] = [
            contact,
            message,
            upload_import(tenant=tenant, file_name="a.csv", content=b"name,phone\nAnn,+12025550103\n", user_id=None),
            ConsentState.objects.get().record,
            Suppression.objects.get(),
            PossibleOptOut.objects.get(),
            cast.clinic.account,
            cast.clinic.sender,
            SenderRegistration.objects.create(kind="brand", reference="BRAND-1"),
            AuditEntry.objects.order_by("id")[0],
            add_member(email="new@clinic.example", role="agent"),
            Attempt.objects.create(message=message, provider_account=cast.clinic.account, deadline=now()),
            InboundMessage.objects.create(
                provider_account=cast.clinic.account,
                provider_message_id="SM1",
                sender=cast.clinic.sender,
                number=NUMBER,
                contact=contact,
                body=WORDS,
                payload={"From": NUMBER},
            ),
        ]
    return {str(thing._meta.model_name): thing for thing in made}


def pages(of: type[PlatformAdmin[Any]] = PlatformAdmin) -> list[type[Model]]:
    return [model for model, page in admin.site._registry.items() if isinstance(page, of)]


def name_of(model: type[Model]) -> str:
    return str(model._meta.model_name)


OWNED = pages(TenantDataAdmin)
MAY_ADD = {"senderregistration", "quiethoursrule", "holidaycalendar", "frequencylaw", "impliedconsentlaw"}
MAY_CHANGE = MAY_ADD | {"provideraccount", "sender", "tenant"}


def address(model: type[Model], view: str, *args: object) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{view}", args=args)


def test_only_pages_made_for_the_platform_are_there() -> None:
    assert set(admin.site._registry) == set(pages())


@pytest.mark.parametrize("model", pages(), ids=name_of)
def test_what_is_not_allowed_is_refused(client: Client, cast: Cast, things: dict[str, Any], model: type[Model]) -> None:
    ada(client)
    work_on(client, cast.clinic.tenant)
    name = name_of(model)
    thing = {**things, **laws(), "tenant": cast.clinic.tenant, "user": cast.bob}[name]
    with tenant_scope(cast.clinic.tenant.id):
        before = model._base_manager.filter(pk=thing.pk).values().get()
    added, deleted = (
        client.post(address(model, "add"), {}),
        client.post(address(model, "delete", thing.pk), {"post": "yes"}),
    )
    changed = client.post(address(model, "change", thing.pk), {"status": "x", "number": "1", "name": "x"})
    assert added.status_code == (200 if name in MAY_ADD else 403)
    assert deleted.status_code == 403
    # What may be changed comes back with what is wrong in the form.
    assert changed.status_code == (200 if name in MAY_CHANGE else 403)
    with tenant_scope(cast.clinic.tenant.id):
        assert model._base_manager.filter(pk=thing.pk).values().get() == before
    client.post(address(model, "changelist"), {"action": "delete_selected", "_selected_action": [str(thing.pk)]})
    assert "Delete" not in text_of(client.get(address(model, "changelist")))
    with tenant_scope(cast.clinic.tenant.id):
        assert model._base_manager.filter(pk=thing.pk).exists()


@pytest.mark.parametrize("model", pages(), ids=name_of)
def test_members_and_strangers_see_nothing(
    client: Client, cast: Cast, things: dict[str, Any], model: type[Model]
) -> None:
    thing = {**things, **laws(), "tenant": cast.clinic.tenant, "user": cast.bob}[name_of(model)]
    for signed_in in (False, True):
        if signed_in:
            sign_in(client, cast.alice, cast.clinic.tenant)
        for url in (address(model, "changelist"), address(model, "change", thing.pk)):
            answer = client.get(url)
            assert answer.status_code in (302, 403)
            assert str(thing.pk) not in text_of(answer).replace(url, "")


@pytest.mark.parametrize("model", OWNED, ids=name_of)
def test_a_tenant_is_chosen_first(client: Client, cast: Cast, things: dict[str, Any], model: type[Model]) -> None:
    ada(client)
    for url in (address(model, "changelist"), address(model, "change", things[name_of(model)].pk)):
        assert client.get(url)["Location"] == reverse("admin:tenants_tenant_changelist")
    work_on(client, cast.shop.tenant)
    assert str(things[name_of(model)].pk) not in text_of(client.get(address(model, "changelist")))
    missing = client.get(address(model, "change", things[name_of(model)].pk))
    assert missing.status_code == 302
    assert platform_entries(cast.clinic.tenant) == []


@pytest.mark.parametrize("model", OWNED, ids=name_of)
def test_each_look_stands_in_the_tenants_log(
    client: Client, cast: Cast, things: dict[str, Any], model: type[Model]
) -> None:
    ada(client)
    work_on(client, cast.clinic.tenant)
    thing, listed = things[name_of(model)], str(model._meta.verbose_name_plural)
    for _ in range(2):
        assert client.get(address(model, "changelist")).status_code == 200
        assert client.get(address(model, "change", thing.pk)).status_code == 200
    viewed = ("platform.viewed", name_of(model), "")
    assert platform_entries(cast.clinic.tenant) == [("platform.listed", "", listed), viewed, viewed]
    assert platform_entries(cast.shop.tenant) == []
    sign_in(client, cast.alice, cast.clinic.tenant)
    page = re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", text_of(client.get(reverse("audit_log"), {"by": "platform"}))))
    assert f"Ada Platform admin looked at the list of {listed}" in page


def test_a_list_is_told_again_after_an_hour(client: Client, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    ada(client)
    work_on(client, cast.clinic.tenant)
    client.get(address(Contact, "changelist"))
    monkeypatch.setattr("tenants.platform_access.now", lambda: now() + timedelta(minutes=61))
    client.get(address(Contact, "changelist"))
    assert [action for action, _, _ in platform_entries(cast.clinic.tenant)] == ["platform.listed"] * 2


@pytest.mark.parametrize("model", OWNED, ids=name_of)
def test_numbers_texts_and_secrets_are_hidden(
    client: Client, cast: Cast, things: dict[str, Any], model: type[Model]
) -> None:
    ada(client)
    work_on(client, cast.clinic.tenant)
    thing = things[name_of(model)]
    shown = text_of(client.get(address(model, "changelist"))) + text_of(client.get(address(model, "change", thing.pk)))
    for hidden in (NUMBER, "2025550101", "12025550102", WORDS, "ann@x.example", "auth_token"):
        assert hidden not in shown


@pytest.mark.parametrize("lookup", ["body__icontains", "number__startswith", "contact__first_name", "batch__tenant"])
def test_hidden_values_cannot_be_guessed_by_filters(client: Client, cast: Cast, lookup: str) -> None:
    ada(client)
    work_on(client, cast.clinic.tenant)
    assert client.get(address(Message, "changelist"), {lookup: "x"}).status_code == 400


def test_hidden_values_are_shown_for_a_reason(client: Client, cast: Cast, things: dict[str, Any]) -> None:
    ada(client)
    work_on(client, cast.clinic.tenant)
    url = address(Message, "reveal", things["message"].pk)
    assert WORDS not in text_of(client.get(url))
    refused = client.post(url, {"reason": "because"})
    assert refused.status_code == 422
    assert WORDS not in text_of(refused)
    assert platform_entries(cast.clinic.tenant) == []
    shown = text_of(client.post(url, {"reason": "Ticket 4711: the text did not arrive"}))
    assert WORDS in shown
    assert NUMBER in shown
    with tenant_scope(cast.clinic.tenant.id):
        entry = AuditEntry.objects.get(action="platform.revealed")
    assert (entry.target_id, entry.after) == (things["message"].pk, {"reason": "Ticket 4711: the text did not arrive"})
    work_on(client, cast.shop.tenant)
    assert client.post(url, {"reason": "Ticket 4711: the text did not arrive"}).status_code == 404


@pytest.mark.parametrize(
    ("model", "typed", "found"),
    [
        (Contact, NUMBER, True),
        (Contact, "(202) 555-0101", True),
        (Contact, "+12025550109", False),
        (Contact, "55", False),
        (Message, NUMBER, True),
    ],
)
def test_people_are_found_by_their_whole_number(
    client: Client, cast: Cast, things: dict[str, Any], model: type[Model], typed: str, found: bool
) -> None:
    ada(client)
    work_on(client, cast.clinic.tenant)
    page = text_of(client.get(address(model, "changelist"), {"q": typed}))
    assert (str(things[name_of(model)].pk) in page) is found


# --- Changes ------------------------------------------------------------------------------------------------------


def test_a_change_is_recorded_with_before_and_after(client: Client, cast: Cast) -> None:
    ada(client)
    tenant = cast.clinic.tenant
    data = {
        "name": "Harbor Clinic",
        "country": "US",
        "timezone": "Europe/Berlin",
        "brand_name": "Harbor",
        "help_contact": "",
        "trial_texts_per_day": "80",
        "most_senders": "50",
    }
    answer = client.post(address(Tenant, "change", tenant.id), data)
    assert answer.status_code == 302, text_of(answer)
    with tenant_scope(tenant.id):
        entry = AuditEntry.objects.get(action="tenant.changed")
    assert entry.by_platform
    assert entry.before == {"timezone": "America/New_York", "brand_name": "Harbor Clinic", "trial_texts_per_day": 50}
    assert entry.after == {"timezone": "Europe/Berlin", "brand_name": "Harbor", "trial_texts_per_day": 80}


def test_a_limit_holds(client: Client, cast: Cast) -> None:
    Tenant.objects.filter(id=cast.clinic.tenant.id).update(most_senders=1)
    sign_in(client, cast.alice, cast.clinic.tenant)
    data = {"account": cast.clinic.account.id, "value": "+12025550179", "kind": "long_code"}
    answer = client.post(reverse("sender_add"), data)
    assert answer.status_code == 422
    assert "This account can have 1 number. Ask the platform's team for more." in text_of(answer)


def test_a_secret_is_replaced_and_never_shown(client: Client, cast: Cast, things: dict[str, Any]) -> None:
    ada(client)
    work_on(client, cast.clinic.tenant)
    account = things["provideraccount"]
    data = {"name": "Simulator", "status": "active", "max_in_flight": "256", "new_secret": "brand-new-secret"}
    assert client.post(address(ProviderAccount, "change", account.pk), data).status_code == 302
    with tenant_scope(cast.clinic.tenant.id):
        account.refresh_from_db()
        log = str(list(AuditEntry.objects.filter(by_platform=True).values("action", "before", "after")))
    assert account.credentials == {"secret": "brand-new-secret"}
    assert "account.secret_replaced" in log
    assert "brand-new" not in log + text_of(client.get(address(ProviderAccount, "change", account.pk)))
    assert client.post(address(ProviderAccount, "change", account.pk), {**data, "new_secret": ""}).status_code == 302
    with tenant_scope(cast.clinic.tenant.id):
        account.refresh_from_db()
    assert account.credentials == {"secret": "brand-new-secret"}


@pytest.mark.parametrize("kind", ["sender", "provideraccount"])
def test_taking_up_what_the_provider_refused_settles_it(
    client: Client, cast: Cast, things: dict[str, Any], kind: str
) -> None:
    ada(client)
    work_on(client, cast.clinic.tenant)
    refused = things[kind]
    with tenant_scope(cast.clinic.tenant.id):
        type(refused).objects.filter(id=refused.id).update(status="paused", trouble="20003")
        refused.refresh_from_db()
    before = refused.taken_up_at
    data = {
        "sender": {"label": "Desk", "kind": "long_code", "country": "US"},
        "provideraccount": {"name": "Simulator", "max_in_flight": "256", "new_secret": ""},
    }[kind]
    answer = client.post(address(type(refused), "change", refused.pk), {**data, "status": "active"})
    assert answer.status_code == 302
    with tenant_scope(cast.clinic.tenant.id):
        refused.refresh_from_db()
    assert (refused.status, refused.trouble) == ("active", "")
    assert refused.taken_up_at > before


def test_a_registration_is_kept_and_the_tenant_sees_its_state(client: Client, cast: Cast) -> None:
    ada(client)
    work_on(client, cast.clinic.tenant)
    data = {"kind": "toll_free", "sender": str(cast.clinic.sender.id), "status": "rejected", "reason": "No website"}
    answer = client.post(address(SenderRegistration, "add"), data)
    assert answer.status_code == 302, text_of(answer)
    assert ("platform.added", "senderregistration") in {entry[:2] for entry in platform_entries(cast.clinic.tenant)}
    sign_in(client, cast.alice, cast.clinic.tenant)
    page = text_of(client.get(reverse("senders")))
    assert "Toll-free verification" in page
    assert "No website" in page
    sign_in(client, cast.charlie, cast.shop.tenant)
    assert "Toll-free verification" not in text_of(client.get(reverse("senders")))


def test_another_tenants_sender_cannot_be_registered(client: Client, cast: Cast) -> None:
    ada(client)
    work_on(client, cast.clinic.tenant)
    data = {"kind": "toll_free", "sender": str(cast.shop.sender.id), "status": "draft"}
    assert "Select a valid choice" in text_of(client.post(address(SenderRegistration, "add"), data))


# --- Actions ------------------------------------------------------------------------------------------------------


def in_trial(cast: Cast) -> Tenant:
    Tenant.objects.filter(id=cast.clinic.tenant.id).update(approved_at=None)
    return cast.clinic.tenant


def with_second_step(cast: Cast) -> User:
    Authenticator.objects.create(user=cast.bob, type=Authenticator.Type.TOTP, data={"secret": ""})
    return cast.bob


ACTIONS: dict[str, tuple[type[Model], Callable[[Cast], Any], str, Callable[[Cast], bool]]] = {
    "suspend": (Tenant, lambda c: c.clinic.tenant, "tenant.suspended", lambda c: c.clinic.tenant.status == "suspended"),
    "approve": (Tenant, in_trial, "tenant.approved", lambda c: c.clinic.tenant.approved_at is not None),
    "refuse": (Tenant, in_trial, "tenant.approval_refused", lambda c: c.clinic.tenant.approval_refusal == REASON),
    "deactivate": (User, lambda c: c.bob, "user.deactivated", lambda c: not c.bob.is_active),
    "reset_second_step": (
        User,
        with_second_step,
        "user.second_step_reset",
        lambda c: not Authenticator.objects.filter(user=c.bob).exists(),
    ),
    "sign_out": (User, lambda c: c.bob, "user.signed_out", lambda c: c.bob.signed_out_at is not None),
}


@pytest.mark.parametrize("action", ACTIONS)
def test_actions_ask_first_and_are_recorded(client: Client, cast: Cast, action: str) -> None:
    model, choose, recorded, is_done = ACTIONS[action]
    ada(client)
    thing = choose(cast)
    data = {"action": action, "_selected_action": [str(thing.pk)], "reason": REASON}
    asked = client.post(address(model, "changelist"), data)
    assert str(thing) in text_of(asked)
    assert "Yes, do it" in text_of(asked)
    thing.refresh_from_db()
    assert not is_done(cast)
    assert client.post(address(model, "changelist"), {**data, "confirmed": "yes"}).status_code == 302
    thing.refresh_from_db()
    assert is_done(cast)
    assert recorded in {entry[0] for entry in platform_entries(cast.clinic.tenant)}
    assert recorded not in {entry[0] for entry in platform_entries(cast.shop.tenant)}


def test_whoever_loses_their_second_step_gets_a_mail(
    client: Client, cast: Cast, mailoutbox: list[Any], django_capture_on_commit_callbacks: Any
) -> None:
    ada(client)
    data = {"action": "reset_second_step", "_selected_action": [str(with_second_step(cast).id)], "confirmed": "yes"}
    with django_capture_on_commit_callbacks(execute=True):
        client.post(address(User, "changelist"), data)
    (mail,) = mailoutbox
    assert mail.to == ["bob@clinic.example"]
    assert "second step" in mail.body


def test_an_admin_without_a_second_step_is_not_let_in(client: Client, cast: Cast) -> None:
    user = ada(client)
    Authenticator.objects.filter(user=user).delete()
    assert client.get(address(Tenant, "changelist")).status_code == 302
    assert client.post(address(Tenant, "work", cast.clinic.tenant.id)).status_code == 302
    assert client.get(address(Contact, "changelist")).status_code == 302


def test_what_is_done_already_is_said(client: Client, cast: Cast) -> None:
    ada(client)
    data = {"action": "resume", "_selected_action": [str(cast.clinic.tenant.id)], "confirmed": "yes"}
    page = text_of(client.post(address(Tenant, "changelist"), data, follow=True))
    assert "This account is active already." in page


def test_nobody_deactivates_themselves(client: Client, cast: Cast) -> None:
    user = ada(client)
    data = {"action": "deactivate", "_selected_action": [str(user.id)], "confirmed": "yes"}
    assert "You cannot deactivate yourself." in text_of(client.post(address(User, "changelist"), data, follow=True))
    user.refresh_from_db()
    assert user.is_active


def test_a_deactivated_member_is_out_at_once(client: Client, cast: Cast) -> None:
    bob = sign_in(Client(), cast.bob, cast.clinic.tenant)
    ada(client)
    data = {"action": "deactivate", "_selected_action": [str(cast.bob.id)], "confirmed": "yes"}
    client.post(address(User, "changelist"), data)
    assert bob.get(reverse("home")).status_code == 302


# --- Load ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", [Contact, Message, AuditEntry], ids=name_of)
def test_lists_ask_the_same_few_questions_however_many_rows(
    client: Client, cast: Cast, things: dict[str, Any], model: type[Model]
) -> None:
    ada(client)
    work_on(client, cast.clinic.tenant)
    client.get(address(model, "changelist"))
    with CaptureQueriesContext(
        connection,
    ) as few:
        client.get(address(model, "changelist"))
    with tenant_scope(cast.clinic.tenant.id):
        for number in range(30):
            create_contact(tenant=cast.clinic.tenant, number=f"+120255502{number:02}", values={})
            send_reply(
                tenant=cast.clinic.tenant,
                number=f"+120255502{number:02}",
                contact_id=None,
                body="Hello",
                user_id=cast.alice.id,
                message_id=uuid4(),
            )
    with CaptureQueriesContext(connection) as many:
        client.get(address(model, "changelist"))
    assert len(many) == len(few)
    counts = [query["sql"] for query in many if "COUNT(" in query["sql"]]
    assert all("LIMIT" in sql for sql in counts), counts


# --- Who is let in ------------------------------------------------------------------------------------------------


def manage(*arguments: str) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def test_the_command_line_makes_and_unmakes_platform_admins(client: Client, cast: Cast) -> None:
    said = manage("platform_admin", " Ada@Platform.example ")
    assert "ada@platform.example is a platform admin" in said
    link = re.search(r"https?://[^/]+(/\S+)", said)
    assert link
    assert client.get(link.group(1), follow=True).status_code == 200
    assert User.objects.get(email="ada@platform.example").is_staff
    assert "link" not in manage("platform_admin", "bob@clinic.example")
    manage("platform_admin", "bob@clinic.example", "--remove")
    assert not User.objects.get(email="bob@clinic.example").is_staff


@pytest.mark.parametrize("arguments", [["no address"], ["nobody@x.example", "--remove"]])
def test_the_command_line_refuses_what_cannot_be_meant(cast: Cast, arguments: list[str]) -> None:
    with pytest.raises(CommandError):
        manage("platform_admin", *arguments)
