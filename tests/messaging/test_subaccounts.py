"""Each tenant can have a sub-account at Twilio, which follows what becomes of the tenant."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from aiohttp import web
from django.core.management import CommandError, call_command
from django.db import transaction

from messaging.models import ProviderAccount, Subaccount
from messaging.pipeline.subaccounts import match_subaccounts, name_of
from messaging.services import provide_subaccount
from tenants.models import AuditEntry, Tenant
from tenants.scope import tenant_scope
from tests.cast import Cast
from tests.network import answering

PARENT = "AC" + "f" * 32
TOKEN = "p" * 32

pytestmark = pytest.mark.django_db(transaction=True)


@dataclass
class AccountsServer:
    """Twilio's accounts, with a record that can be asked like the real one's."""

    accounts: list[dict[str, Any]] = field(default_factory=list)
    requests: list[tuple[str, str]] = field(default_factory=list)
    dies_after_creating: bool = False

    def __post_init__(self) -> None:
        self.add("The platform", sid=PARENT)

    def add(self, name: str, *, sid: str = "", status: str = "active", age: int = 0) -> dict[str, Any]:
        account = {
            "sid": sid or f"AC{len(self.accounts):032x}",
            "auth_token": f"{len(self.accounts)}" * 32,
            "friendly_name": name,
            "status": status,
            "owner_account_sid": PARENT,
            "date_created": format_datetime(datetime.now(UTC) - timedelta(minutes=age)),
        }
        self.accounts.append(account)
        return account

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.requests.append((request.method, request.path))
        form = {name: str(value) for name, value in (await request.post()).items()}
        if request.path != "/2010-04-01/Accounts.json":
            account = next(one for one in self.accounts if request.path.endswith(f"/{one['sid']}.json"))
            account["status"] = form["Status"]
            return web.json_response(account)
        if request.method == "POST":
            created = self.add(form["FriendlyName"])
            if self.dies_after_creating:
                return web.json_response({"code": 20500, "message": "no", "status": 500}, status=500)
            return web.json_response(created, status=201)
        name = request.query.get("FriendlyName")
        found = [one for one in self.accounts if name in (None, one["friendly_name"])]
        return web.json_response({"accounts": found, "next_page_uri": None, "uri": request.path, "page": 0})

    def named(self, name: str) -> list[dict[str, Any]]:
        return [one for one in self.accounts if one["friendly_name"] == name]


@pytest.fixture
def twilio(settings: Any) -> Iterator[AccountsServer]:
    server = AccountsServer()
    with answering(server.handle) as address:
        settings.TWILIO_API_BASE_URL = address
        settings.TWILIO_PARENT_ACCOUNT_SID, settings.TWILIO_PARENT_AUTH_TOKEN = PARENT, TOKEN
        yield server


def test_a_tenant_gets_a_sub_account_once(cast: Cast, twilio: AccountsServer) -> None:
    tenant = cast.clinic.tenant
    first, again = provide_subaccount(tenant=tenant), provide_subaccount(tenant=tenant)
    (created,) = twilio.named(name_of(tenant))
    assert first == again
    with tenant_scope(tenant.id):
        account = ProviderAccount.objects.get(kind="twilio")
        assert account.credentials == {"account_sid": created["sid"], "auth_token": created["auth_token"]}
        assert account.answers_keywords, "a new account at Twilio answers STOP itself"
        entry = AuditEntry.objects.get(action="account.added", target_name=str(account))
    assert created["auth_token"] not in str(entry.after)
    with tenant_scope(cast.shop.tenant.id):
        assert not Subaccount.objects.exists()


def test_one_that_was_created_but_not_written_down_is_found(cast: Cast, twilio: AccountsServer) -> None:
    tenant = cast.clinic.tenant
    twilio.dies_after_creating = True
    with pytest.raises(CommandError, match="no clear answer"):
        call_command("twilio_subaccount", tenant.slug)
    twilio.dies_after_creating = False
    call_command("twilio_subaccount", tenant.slug)
    (created,) = twilio.named(name_of(tenant))
    with tenant_scope(tenant.id):
        assert ProviderAccount.objects.get(kind="twilio").account_reference == created["sid"]


def test_of_several_the_oldest_open_one_counts(cast: Cast, twilio: AccountsServer) -> None:
    name = name_of(cast.clinic.tenant)
    twilio.add(name, status="closed", age=30)
    older, _ = twilio.add(name, age=20), twilio.add(name, age=10)
    assert provide_subaccount(tenant=cast.clinic.tenant).account_reference == older["sid"]


def test_twilio_is_not_called_inside_a_transaction(cast: Cast, twilio: AccountsServer) -> None:
    with pytest.raises(RuntimeError, match="inside a transaction"), transaction.atomic():
        provide_subaccount(tenant=cast.clinic.tenant)
    assert twilio.requests == []


def test_without_a_parent_account_there_is_none(cast: Cast, settings: Any) -> None:
    with pytest.raises(CommandError, match="TWILIO_PARENT_ACCOUNT_SID"):
        call_command("twilio_subaccount", cast.clinic.tenant.slug)
    match_subaccounts()


def test_it_is_suspended_and_taken_up_with_its_tenant(cast: Cast, twilio: AccountsServer) -> None:
    tenant = cast.clinic.tenant
    provide_subaccount(tenant=tenant)
    (account,) = twilio.named(name_of(tenant))
    for status, at_twilio in (("suspended", "suspended"), ("active", "active")):
        Tenant.objects.filter(id=tenant.id).update(status=status)
        match_subaccounts()
        assert account["status"] == at_twilio
    twilio.requests.clear()
    account["status"] = "suspended"
    match_subaccounts()
    assert account["status"] == "suspended", "what somebody does at Twilio is not undone"
    assert twilio.requests == []


def test_it_is_closed_once_its_tenant_is_deleted(cast: Cast, twilio: AccountsServer) -> None:
    tenant = cast.clinic.tenant
    provide_subaccount(tenant=tenant)
    somebody_elses = twilio.add(f"smsplatform {'0' * 8}-0000-7000-8000-{'0' * 12}")
    Tenant.objects.filter(id=tenant.id).update(deletion_due_at=datetime.now(UTC) + timedelta(days=14))
    match_subaccounts()
    (account,) = twilio.named(name_of(tenant))
    assert account["status"] == "suspended", "its owner may change their mind"
    with tenant_scope(tenant.id):
        Subaccount.objects.all().delete()
    Tenant.objects.filter(id=tenant.id).update(deleted_at=datetime.now(UTC))
    match_subaccounts()
    assert account["status"] == "closed"
    assert (somebody_elses["status"], twilio.accounts[0]["status"]) == ("active", "active")


def test_one_that_fails_keeps_no_other_waiting(cast: Cast, twilio: AccountsServer) -> None:
    for company in (cast.clinic, cast.shop):
        provide_subaccount(tenant=company.tenant)
        Tenant.objects.filter(id=company.tenant.id).update(status="suspended")
    (gone,) = twilio.named(name_of(cast.clinic.tenant))
    twilio.accounts.remove(gone)
    match_subaccounts()
    (left,) = twilio.named(name_of(cast.shop.tenant))
    assert left["status"] == "suspended"
