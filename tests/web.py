"""Asking the pages as one of the cast."""

import html
from typing import Any

from django.test import Client

from tenants.access import SESSION_TENANT
from tenants.models import Tenant, User

__all__ = ["sign_in", "text_of"]


def sign_in(client: Client, user: User, tenant: Tenant) -> Client:
    """The client as a signed-in member who works in ``tenant``."""
    client.force_login(user)
    session = client.session
    session[SESSION_TENANT] = str(tenant.id)
    session.save()
    return client


def text_of(response: Any) -> str:
    """What the page says, without the escapes of HTML."""
    return html.unescape(response.content.decode())
