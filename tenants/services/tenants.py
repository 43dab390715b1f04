"""The life of a tenant."""

import re

from django.db import transaction

from tenants.audit import record
from tenants.models import Tenant, User
from tenants.permissions import Role
from tenants.scope import tenant_scope
from tenants.services.members import add_member

__all__ = ["create_tenant"]


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
        record("tenant.created", target=tenant, after={"country": tenant.country, "timezone": tenant.timezone})
        owner = add_member(email=owner_email, role=Role.OWNER).user
    return tenant, owner


def _free_slug(name: str) -> str:
    base = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:50] or "tenant"
    slug, number = base, 2
    while Tenant.objects.filter(slug=slug).exists():
        slug, number = f"{base}-{number}", number + 1
    return slug
