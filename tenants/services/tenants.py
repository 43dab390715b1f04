"""The life of a tenant."""

import re
from typing import Final

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.timezone import now

from tenants.audit import record
from tenants.models import Membership, Tenant, User
from tenants.permissions import Role
from tenants.scope import all_tenants, tenant_scope
from tenants.services.members import accept_membership, add_member

__all__ = ["MOST_IN_TRIAL", "change_business", "create_tenant", "open_tenant"]

MOST_IN_TRIAL: Final = 3
"""Tenants in trial that one person may own."""

_RESERVED: Final = frozenset(
    "account accounts admin api app assets callbacks contacts demo help login logout platform settings signup static "
    "status support system tenant www".split()
)
"""Slugs that could be taken for a part of the platform."""


@transaction.atomic
def create_tenant(
    *,
    name: str,
    owner_email: str,
    country: str = "US",
    timezone: str = "America/New_York",
    brand_name: str = "",
    help_contact: str = "",
    in_trial: bool = False,
) -> tuple[Tenant, User]:
    """Create a tenant with its owner, who is made a user if the address is new. Raises ``ValidationError``.

    For whoever runs the platform, who vouches for both; ``open_tenant`` is for everybody else.
    """
    tenant = Tenant(
        name=name.strip(),
        slug=_free_slug(name),
        country=country.upper(),
        timezone=timezone,
        brand_name=(brand_name or name).strip(),
        help_contact=help_contact.strip(),
        approved_at=None if in_trial else now(),
    )
    tenant.full_clean()
    tenant.save()
    with tenant_scope(tenant.id):
        record("tenant.created", target=tenant, after={"country": tenant.country, "timezone": tenant.timezone})
        owner = add_member(email=owner_email, role=Role.OWNER).user
    return tenant, owner


@transaction.atomic
def open_tenant(*, owner: User, name: str, country: str, timezone: str, brand_name: str, help_contact: str) -> Tenant:
    """A signed-in person opens a tenant of their own, which begins in trial. Raises ``ValidationError``."""
    if not owner.has_confirmed_address():
        raise ValidationError("Confirm your e-mail address first.")
    # One after the other, so that two requests at once cannot both be below the limit.
    User.objects.select_for_update().get(id=owner.id)
    with all_tenants("how many tenants this person has in trial"):
        own = Membership.objects.filter(user=owner, role=Role.OWNER, is_active=True, tenant__approved_at=None)
        if own.count() >= MOST_IN_TRIAL:
            raise ValidationError(f"You have {MOST_IN_TRIAL} accounts in trial already. Ask for approval of one first.")
    tenant, _ = create_tenant(
        name=name,
        owner_email=owner.email,
        country=country,
        timezone=timezone,
        brand_name=brand_name,
        help_contact=help_contact,
        in_trial=True,
    )
    with tenant_scope(tenant.id):
        accept_membership(membership=Membership.objects.get(user=owner))
    return tenant


def change_business(
    *, tenant: Tenant, name: str, country: str, timezone: str, brand_name: str, help_contact: str
) -> None:
    """Change what a business is called, where it is and whom people may ask. Raises ``ValidationError``."""
    names = ("name", "country", "timezone", "brand_name", "help_contact")
    before = {field: getattr(tenant, field) for field in names}
    after = dict(zip(names, (name, country, timezone, brand_name, help_contact), strict=True))
    for field, value in after.items():
        setattr(tenant, field, value)
    tenant.full_clean()
    tenant.save(update_fields=names)
    record("tenant.changed", target=tenant, before=before, after=after)


def _free_slug(name: str) -> str:
    base = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:50] or "tenant"
    if base in _RESERVED:
        base = f"{base}-account"
    slug, number = base, 2
    while Tenant.objects.filter(slug=slug).exists():
        slug, number = f"{base}-{number}", number + 1
    return slug
