"""The named cast: reading a test, you know who may do what."""

from dataclasses import dataclass, field

from django.conf import settings

from messaging.models import ProviderAccount, Sender
from messaging.services import add_provider_account, add_sender
from tenants.models import Tenant, User
from tenants.permissions import Role
from tenants.scope import tenant_scope
from tenants.services import add_member, create_tenant

__all__ = ["Cast", "Company", "make_cast", "make_company"]

PASSWORD = "correct horse battery"


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
    """Everybody, in two tenants."""
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
