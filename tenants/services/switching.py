"""Which of their tenants a user works in."""

from collections.abc import Sequence
from uuid import UUID

from tenants.models import Membership, User
from tenants.permissions import Role
from tenants.scope import all_tenants

__all__ = ["memberships_of", "remember_tenant", "usual_tenant"]


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
