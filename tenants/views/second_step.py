"""Setting up, renaming and removing second steps: allauth's views, with what follows from a change here.

Each change ends the person's other sessions, gives this one another key, is recorded in their tenants, and happens
under a lock on the person: two changes at the same moment cannot leave them without the step their role needs.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast
from urllib.parse import quote

from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.views import AuthenticateView
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.views import GenerateRecoveryCodesView, ViewRecoveryCodesView
from allauth.mfa.totp.views import ActivateTOTPView, DeactivateTOTPView
from allauth.mfa.webauthn.views import (
    AddWebAuthnView,
    EditWebAuthnView,
    ReauthenticateWebAuthnView,
    RemoveWebAuthnView,
)
from django.contrib import messages
from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse_lazy

from tenants.models import User
from tenants.second_step import passkey_host
from tenants.services import end_sessions, record_security_act

__all__ = [
    "AddPasskey",
    "ConfirmByPasskey",
    "NewRecoveryCodes",
    "RecoveryCodes",
    "RemoveApp",
    "RemovePasskey",
    "RenamePasskey",
    "SecondStep",
    "SetUpApp",
]

_ACCOUNT = reverse_lazy("account")


class SecondStep(AuthenticateView):  # type: ignore[misc]
    """After the password: a code or a passkey."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        kinds = set(Authenticator.objects.filter(user=self.stage.login.user).values_list("type", flat=True))
        return {**context, "kinds": kinds, "passkey_options": _options(context.get("js_data"), "request_options")}


class SetUpApp(ActivateTOTPView):  # type: ignore[misc]
    """Scan the picture, type the first code."""

    def form_valid(self, form: Any) -> HttpResponse:
        with _changing(self.request) as user:
            if Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).exists():
                # The same form, sent twice.
                return redirect(_ACCOUNT)
            super().form_valid(form)
            app = Authenticator.objects.get(user=user, type=Authenticator.Type.TOTP)
            app.data["last_counter"] = form.counter
            app.save(update_fields=["data"])
            record_security_act(user=user, act="app_added")
        return _after_adding(new_codes=self.did_generate_recovery_codes)


class RemoveApp(DeactivateTOTPView):  # type: ignore[misc]
    """Remove the authenticator app."""

    success_url = _ACCOUNT

    def form_valid(self, form: Any) -> HttpResponse:
        with _changing(self.request) as user:
            if not _may_go(self.request, self.authenticator):
                return redirect(_ACCOUNT)
            response: HttpResponse = super().form_valid(form)
            record_security_act(user=user, act="app_removed")
        return response


class AddPasskey(AddWebAuthnView):  # type: ignore[misc]
    """Make a passkey, or register a security key."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        context["form"] = kwargs.get("form") or self.get_form()
        options = context["js_data"]["creation_options"]
        # A device that can sign in alone should; a simple security key still serves as a second step.
        options["publicKey"] = {**options["publicKey"], "authenticatorSelection": _SELECTION}
        return {
            **context,
            "passkey_options": _options(context["js_data"], "creation_options"),
            "passkeys_possible": passkey_host(self.request) is not None,
        }

    def form_valid(self, form: Any) -> HttpResponse:
        with _changing(self.request) as user:
            super().form_valid(form)
            record_security_act(user=user, act="passkey_added")
        return _after_adding(new_codes=self.did_generate_recovery_codes)


_SELECTION = {"residentKey": "preferred", "requireResidentKey": False, "userVerification": "preferred"}


class RemovePasskey(RemoveWebAuthnView):  # type: ignore[misc]
    """Remove a passkey. Allauth asks nobody whether it may go; we do."""

    success_url = _ACCOUNT

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_context_data(**kwargs), "may_go": get_adapter().can_delete_authenticator(self.object)}

    def form_valid(self, form: Any) -> HttpResponse:
        with _changing(self.request) as user:
            if not _may_go(self.request, self.object):
                return redirect(_ACCOUNT)
            response: HttpResponse = super().form_valid(form)
            record_security_act(user=user, act="passkey_removed")
        return response


class RenamePasskey(EditWebAuthnView):  # type: ignore[misc]
    """Another name for a passkey."""

    success_url = _ACCOUNT


class ConfirmByPasskey(ReauthenticateWebAuthnView):  # type: ignore[misc]
    """Confirm by a passkey that it is you."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        return {**context, "passkey_options": _options(context["js_data"], "request_options")}

    def form_invalid(self, form: Any) -> HttpResponse:
        # Allauth would lead to the log-in page, and from there away from what was asked for.
        context = self.get_context_data(form=form)
        page: HttpResponse = self.render_to_response({**context, "form": form}, status=422)
        return page


class NewRecoveryCodes(GenerateRecoveryCodesView):  # type: ignore[misc]
    """Make new recovery codes; the old ones no longer work."""

    def form_valid(self, form: Any) -> HttpResponse:
        response: HttpResponse = super().form_valid(form)
        record_security_act(user=cast(User, self.request.user), act="recovery_codes_made")
        return response


class RecoveryCodes(ViewRecoveryCodesView):  # type: ignore[misc]
    """The codes, this once."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        text = "SMS Platform, recovery codes of {}\nEach works once.\n\n{}\n".format(
            self.request.user, "\n".join(context["unused_codes"])
        )
        return {**context, "codes_file": f"data:text/plain;charset=utf-8,{quote(text)}"}


@contextmanager
def _changing(request: HttpRequest) -> Iterator[User]:
    with transaction.atomic():
        user = User.objects.select_for_update(no_key=True).get(pk=cast(User, request.user).id)
        before = _main_steps(user)
        yield user
        if _main_steps(user) != before:
            request.session.cycle_key()
            end_sessions(user=user, except_session=request.session.session_key)


def _main_steps(user: User) -> set[int]:
    return set(Authenticator.objects.filter(user=user).values_list("pk", flat=True))


def _may_go(request: HttpRequest, authenticator: Authenticator) -> bool:
    adapter = get_adapter()
    if adapter.can_delete_authenticator(authenticator):
        return True
    messages.error(request, adapter.error_messages["cannot_delete_authenticator"])
    return False


def _after_adding(*, new_codes: bool) -> HttpResponse:
    return redirect("mfa_view_recovery_codes" if new_codes else _ACCOUNT)


def _options(data: dict[str, Any] | None, name: str) -> str:
    """What the browser is asked, as text for a data attribute: no script stands in the page."""
    return json.dumps((data or {}).get(name, {}), cls=DjangoJSONEncoder)
