"""Asking the pages as one of the cast."""

from django.test import Client

from tenants.access import SESSION_TENANT
from tenants.models import Tenant, User

__all__ = ["sign_in"]


def sign_in(client: Client, user: User, tenant: Tenant) -> Client:
    """The client as a signed-in member who works in ``tenant``."""
    client.force_login(user)
    session = client.session
    session[SESSION_TENANT] = str(tenant.id)
    session.save()
    return client
