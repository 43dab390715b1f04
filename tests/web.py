"""Asking the pages as one of the cast."""

import html
import time
from typing import Any

from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY
from allauth.account.internal.flows.login import _AUTHENTICATION_METHODS_USER_SESSION_KEY
from django.test import Client

from tenants.access import SESSION_TENANT
from tenants.models import Tenant, User

__all__ = ["confirm", "sign_in", "text_of"]


def sign_in(client: Client, user: User, tenant: Tenant) -> Client:
    """The client as a member who signed in just now and works in ``tenant``."""
    client.force_login(user)
    session = client.session
    session[SESSION_TENANT] = str(tenant.id)
    session.save()
    confirm(client, user)
    return client


def confirm(client: Client, user: User, *, seconds_ago: float = 0) -> None:
    """As if the user had entered their password in this session, now or some time ago."""
    session = client.session
    session[AUTHENTICATION_METHODS_SESSION_KEY] = [{"method": "password", "at": time.time() - seconds_ago}]
    session[_AUTHENTICATION_METHODS_USER_SESSION_KEY] = str(user.pk)
    session.save()


def text_of(response: Any) -> str:
    """What the page says, without the escapes of HTML."""
    return html.unescape(response.content.decode())
