"""How allauth treats accounts here.

Links, limits and redirects never depend on what a request says about its host: anybody can write that header.
"""

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.authentication import get_authentication_records
from allauth.account.internal.stagekit import clear_login
from allauth.core.exceptions import ImmediateHttpResponse
from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from common.client_address import client_address
from tenants.account_mail import tell_of_sign_in
from tenants.audit import Actor, acting
from tenants.confirmation import confirmed_recently
from tenants.devices import describe, is_known, remember
from tenants.models import User
from tenants.services import end_sessions, note_seen, record_security_act

__all__ = ["AccountAdapter"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Site:
    """What allauth's mails call the site."""

    domain: str
    name: str


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Sign-up where it is open; mails that name the public address; limits that count by account and by real address."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": "This e-mail address and this password do not belong together. Check both.",
    }

    _signed_in_before = False

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return bool(settings.SIGNUP_OPEN)

    def get_reset_password_from_key_url(self, key: str) -> str:
        user, _, token = key.partition("-")
        return settings.PUBLIC_BASE_URL + reverse("account_reset_password_from_key", args=[user, token])

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """A mail server that fails must not tell who has an account: without one nothing is sent, and nothing fails."""
        host = urlsplit(settings.PUBLIC_BASE_URL).netloc
        given = {
            "current_site": _Site(host, host),
            "base_url": settings.PUBLIC_BASE_URL,
            "device": describe(str(context.get("user_agent", ""))),
            "reset_url": settings.PUBLIC_BASE_URL + reverse("account_reset_password"),
        }
        try:
            super().send_mail(template_prefix, email, {**context, **given})
        except OSError:
            logger.exception("A mail could not be sent: %s", template_prefix)

    def is_safe_url(self, url: str) -> bool:
        """Redirects stay on the host that was asked: only paths are followed."""
        return url_has_allowed_host_and_scheme(url, allowed_hosts=None)

    def respond_user_inactive(self, request: HttpRequest, user: object) -> HttpResponse:
        return render(request, "account/account_inactive.html", status=403)

    def post_login(self, request: HttpRequest, user: User, **options: Any) -> HttpResponse:
        """Tell the user of a sign-in in a browser that they never used; of the first of all there is nothing to tell."""
        response: HttpResponse = super().post_login(request, user, **options)
        if self._signed_in_before and not is_known(request, user):
            tell_of_sign_in(request, user)
        remember(request, response, user)
        return response

    def login(self, request: HttpRequest, user: User) -> None:
        """Sign in, unless all of the user's sessions were ended between their password and this moment."""
        with transaction.atomic():
            # Whoever ends the sessions waits for this row, or we for them: none slips through in between.
            stored = User.objects.select_for_update(no_key=True).get(pk=user.pk)
            self._signed_in_before = stored.last_login is not None
            ended_at = stored.signed_out_at
            if ended_at and _proven_before(request, user, ended_at):
                clear_login(request)
                messages.info(request, "Your account was changed in the meantime. Log in again.")
                raise ImmediateHttpResponse(redirect("account_login"))
            super().login(request, user)
            note_seen(
                user=user,
                session_key=str(request.session.session_key),
                address=client_address(request),
                user_agent=request.headers.get("User-Agent", ""),
            )

    def set_password(self, user: User, password: str) -> None:
        """Every way to another password ends here: all of the user's other sessions end with it."""
        session = self.request.session.session_key if self.request.user == user else None
        with transaction.atomic():
            super().set_password(user, password)
            end_sessions(user=user, except_session=session)
            with acting(Actor(str(user), user.id, client_address(self.request) or None)):
                record_security_act(user=user, act="password_changed")

    def is_reauthentication_required(self, **_: Any) -> bool:
        return not confirmed_recently(self.request)

    def get_client_ip(self, request: HttpRequest) -> str:
        return client_address(request)

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        # Allauth counts per host as the request names it, so every port written behind it would begin a new count.
        return str(credentials.get("email", "")).lower()


def _proven_before(request: HttpRequest, user: User, moment: datetime) -> bool:
    """Whether the first step of this sign-in, the password or the passkey, is older than that moment."""
    proofs = get_authentication_records(request, user)
    first_steps = [proof["at"] for proof in proofs if proof["method"] != "mfa" or proof.get("passwordless")]
    return bool(first_steps) and max(first_steps) < moment.timestamp()
