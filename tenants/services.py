"""What can be done with tenants and their members."""

import re
from collections.abc import Sequence
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.timezone import now

from common.unique import AlreadyThere, unique
from tenants.models import Membership, Tenant, User
from tenants.permissions import Role
from tenants.scope import all_tenants, tenant_scope

__all__ = [
    "accept_membership",
    "add_member",
    "change_role",
    "create_tenant",
    "memberships_of",
    "remember_tenant",
    "remove_member",
    "usual_tenant",
]


@transaction.atomic
def create_tenant(
    *,
    name: str,
    owner_email: str,
    country: str = "US",
    timezone: str = "America/New_York",
    brand_name: str = "",
    help_contact: str = "",
) -> tuple[Tenant, User]:
    """Create a tenant with its owner, who is made a user if the address is new. Raises ``ValidationError``."""
    tenant = Tenant(
        name=name.strip(),
        slug=_free_slug(name),
        country=country.upper(),
        timezone=timezone,
        brand_name=(brand_name or name).strip(),
        help_contact=help_contact,
    )
    tenant.full_clean()
    tenant.save()
    with tenant_scope(tenant.id):
        owner = add_member(email=owner_email, role=Role.OWNER).user
    return tenant, owner


def add_member(*, email: str, role: Role, name: str = "") -> Membership:
    """Give a person a role in the active tenant; raises ``ValidationError`` when they have one already."""
    user = _person(email.strip().lower(), name.strip())
    membership = Membership.objects.filter(user=user).first()
    if membership and membership.is_active:
        raise ValidationError("This person is a member already.")
    if membership:
        membership.role, membership.is_active = role, True
        membership.save(update_fields=["role", "is_active"])
        return membership
    try:
        with unique():
            return Membership.objects.create(user=user, role=role)
    except AlreadyThere:
        raise ValidationError("This person is a member already.") from None


def _person(address: str, name: str) -> User:
    user = User.objects.filter(email__iexact=address).first()
    if user is not None:
        return user
    user = User(email=address, name=name)
    user.set_unusable_password()
    user.full_clean(exclude=["password"], validate_unique=False, validate_constraints=False)
    try:
        with unique():
            user.save()
    except AlreadyThere:
        return User.objects.get(email__iexact=address)
    return user


def accept_membership(*, membership: Membership) -> None:
    """The member works here now, so colleagues may see their name."""
    membership.accepted_at = now()
    membership.save(update_fields=["accepted_at"])


def change_role(*, membership: Membership, role: Role) -> None:
    """Change a member's role; the last owner stays owner, or nobody could manage the team any more."""
    if membership.role == Role.OWNER and role != Role.OWNER:
        _require_another_owner(membership)
    membership.role = role
    membership.save(update_fields=["role"])


def remove_member(*, membership: Membership) -> None:
    """Take away a person's access to the active tenant; what they did stays recorded."""
    if membership.role == Role.OWNER:
        _require_another_owner(membership)
    membership.is_active = False
    membership.save(update_fields=["is_active"])


def memberships_of(user_id: UUID) -> list[Membership]:
    """A user's memberships in all tenants, by tenant name: what the tenant switcher shows."""
    with all_tenants("a user's own memberships"):
        rows = Membership.objects.filter(user_id=user_id, is_active=True).select_related("tenant")
        return sorted(rows, key=lambda membership: membership.tenant.name.casefold())


def usual_tenant(user: User, memberships: Sequence[Membership]) -> UUID | None:
    """The tenant to begin with: the one worked in last, else one worked in before, else one the user owns, else any."""

    def rank(one: Membership) -> tuple[bool, bool, bool]:
        return one.tenant_id != user.last_tenant_id, one.accepted_at is None, one.role != Role.OWNER

    ranked = sorted(memberships, key=rank)
    return ranked[0].tenant_id if ranked else None


def remember_tenant(*, user: User, tenant_id: UUID) -> None:
    """The next sign-in begins where this one was."""
    User.objects.filter(id=user.id).update(last_tenant_id=tenant_id)


def _require_another_owner(membership: Membership) -> None:
    owners = Membership.objects.select_for_update().filter(role=Role.OWNER, is_active=True)
    if not any(owner.pk != membership.pk for owner in owners):
        raise ValidationError("This is the only owner. Make another member an owner first.")


def _free_slug(name: str) -> str:
    base = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:50] or "tenant"
    slug, number = base, 2
    while Tenant.objects.filter(slug=slug).exists():
        slug, number = f"{base}-{number}", number + 1
    return slug
