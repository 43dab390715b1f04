"""The named cast: reading a test, you know who may do what."""

import pickle
from dataclasses import dataclass, field
from typing import Final

from allauth.account.models import EmailAddress
from django.apps import apps
from django.conf import settings
from django.db import transaction
from django.test import override_settings

from messaging.models import ProviderAccount, Sender
from messaging.services import add_provider_account, add_sender
from tenants.models import AuditEntry, Membership, Tenant, User
from tenants.permissions import Role
from tenants.scope import all_tenants, tenant_scope
from tenants.services import add_member, create_tenant

__all__ = ["FAST", "Cast", "Company", "keep_cast", "make_cast", "make_company"]

PASSWORD = "correct horse battery"
FAST: Final = 100_000
"""Parts a second, where a test is not about the pace of a sender at Twilio."""
_OF_TENANTS: Final = (Membership, AuditEntry, ProviderAccount, Sender)
_kept: Final[list[bytes]] = []


@dataclass(frozen=True)
class Company:
    """A tenant with its simulated provider account and one sender."""

    tenant: Tenant
    owner: User
    account: ProviderAccount
    sender: Sender


@dataclass(frozen=True)
class Cast:
    """Alice, Bob, Mona and Vera work at the clinic; Charlie owns the shop and must see nothing of it."""

    clinic: Company
    shop: Company
    alice: User
    bob: User
    mona: User
    vera: User
    charlie: User
    password: str = field(default=PASSWORD)


def make_company(name: str, owner_email: str, sender_number: str, *, in_trial: bool = False) -> Company:
    """A tenant that can send."""
    tenant, owner = create_tenant(name=name, owner_email=owner_email, in_trial=in_trial)
    owner.set_password(PASSWORD)
    owner.save()
    with tenant_scope(tenant.id):
        account = add_provider_account(
            kind="simulator", name="Simulator", credentials={"secret": settings.SIMULATOR_SECRET}
        )
        sender = add_sender(tenant=tenant, account=account, value=sender_number, kind="long_code")
    return Company(tenant, owner, account, sender)


def make_cast() -> Cast:
    """Everybody, in two tenants: as ``keep_cast`` made them, stored again."""
    cast, rows = pickle.loads(_kept[0])
    for model in (Tenant, User, EmailAddress):
        model._base_manager.bulk_create(rows[model])
    for company in (cast.clinic, cast.shop):
        with tenant_scope(company.tenant.id):
            for owned in _OF_TENANTS:
                own = [row for row in rows[owned] if row.tenant_id == company.tenant.id]
                owned._base_manager.bulk_create(own)
    return cast  # type: ignore[no-any-return]


def keep_cast() -> None:
    """Make the cast as the product does, and remember its rows: a hundred and fifty queries would go before each test."""
    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]), transaction.atomic():
        before = _rows_of_others()
        cast = _new_cast()
        assert _rows_of_others() == before, "The cast has rows that are not kept."
        with all_tenants("the rows of the cast"):
            rows = {model: list(model._base_manager.all()) for model in (Tenant, User, EmailAddress, *_OF_TENANTS)}
        _kept[:] = [pickle.dumps((cast, rows))]
        transaction.set_rollback(True)


def _rows_of_others() -> dict[str, int]:
    known = {Tenant, User, EmailAddress, *_OF_TENANTS}
    with all_tenants("which tables the cast is in"):
        return {model.__name__: model._base_manager.count() for model in apps.get_models() if model not in known}


def _new_cast() -> Cast:
    clinic = make_company("Harbor Clinic", "alice@clinic.example", "+12025550190")
    shop = make_company("Corner Shop", "charlie@shop.example", "+12025550191")
    people = {}
    with tenant_scope(clinic.tenant.id):
        for name, role in (("mona", Role.MANAGER), ("bob", Role.AGENT), ("vera", Role.VIEWER)):
            user = add_member(email=f"{name}@clinic.example", role=role, name=name.title()).user
            user.set_password(PASSWORD)
            user.save()
            people[name] = user
    return Cast(clinic=clinic, shop=shop, alice=clinic.owner, charlie=shop.owner, **people)
