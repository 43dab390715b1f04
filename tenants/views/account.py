"""A person's own account: name, address, password, second steps, and where they are signed in."""

from typing import cast
from uuid import UUID

from allauth.mfa.models import Authenticator
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from common.form_pages import form_of
from tenants.access import personal_view
from tenants.account_mail import read_address_link, send_address_link
from tenants.confirmation import recently_confirmed
from tenants.devices import describe
from tenants.forms import AddressForm, NameForm
from tenants.models import User, UserSession
from tenants.second_step import has_second_step, must_keep_second_step, passkey_host
from tenants.services import change_email, end_session, end_sessions, record_security_act, rename_user, sessions_of

__all__ = ["account", "address", "address_confirm", "name", "other_sessions_end", "session_end"]


@personal_view
@require_GET
def account(request: HttpRequest) -> HttpResponse:
    """Everything about the own account on one page."""
    return _account_page(request, NameForm({"name": _user(request).name}))


@personal_view
@form_of("account")
def name(request: HttpRequest) -> HttpResponse:
    """Change the name that colleagues see."""
    form = NameForm(request.POST)
    if not form.is_valid():
        return _account_page(request, form, status=422)
    rename_user(user=_user(request), name=form.cleaned_data["name"])
    messages.success(request, "Your name is saved.")
    return redirect("account")


@personal_view
@recently_confirmed
@require_http_methods(["GET", "HEAD", "POST"])
def address(request: HttpRequest) -> HttpResponse:
    """Ask for another address to sign in with; it holds when the link that is sent there was opened."""
    form = AddressForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        send_address_link(request, user=_user(request), email=form.cleaned_data["email"])
        messages.success(
            request,
            f"A link is on its way to {form.cleaned_data['email']}, unless that address belongs to another account. "
            "Open it in this browser within a day. Until then you sign in as before.",
        )
        return redirect("account")
    return TemplateResponse(request, "account/address.html", {"form": form}, status=422 if form.errors else 200)


@personal_view
@recently_confirmed
@require_http_methods(["GET", "HEAD", "POST"])
def address_confirm(request: HttpRequest, token: str) -> HttpResponse:
    """The link that was sent to the new address."""
    new = read_address_link(token, user=_user(request))
    if new is None:
        return TemplateResponse(request, "account/address_confirm.html", {"email": None}, status=404)
    if request.method != "POST":
        return TemplateResponse(request, "account/address_confirm.html", {"email": new})
    try:
        change_email(user=_user(request), email=new)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, f"From now on you sign in as {new}. You were signed out everywhere else.")
    return redirect("account")


@personal_view
@require_POST
def session_end(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """Sign out in one other place."""
    session = get_object_or_404(UserSession.objects.filter(user=_user(request)), id=session_id)
    if session.session_id == request.session.session_key:
        return redirect("account_logout")
    end_session(session=session)
    record_security_act(user=_user(request), act="sessions_ended")
    messages.success(request, f"Signed out: {describe(session.user_agent)}.")
    return redirect("account")


@personal_view
@require_POST
def other_sessions_end(request: HttpRequest) -> HttpResponse:
    """Sign out everywhere but here."""
    count = end_sessions(user=_user(request), except_session=request.session.session_key)
    record_security_act(user=_user(request), act="sessions_ended")
    messages.success(request, f"Signed out in {count} other place{'' if count == 1 else 's'}.")
    return redirect("account")


def _account_page(request: HttpRequest, form: NameForm, status: int = 200) -> HttpResponse:
    user = _user(request)
    kept = list(Authenticator.objects.filter(user=user).order_by("created_at"))
    codes = next((each for each in kept if each.type == Authenticator.Type.RECOVERY_CODES), None)
    context = {
        "form": form,
        "app": next((each for each in kept if each.type == Authenticator.Type.TOTP), None),
        "passkeys": [each for each in kept if each.type == Authenticator.Type.WEBAUTHN],
        "codes": codes,
        "codes_left": len(codes.wrap().get_unused_codes()) if codes else 0,
        "has_second_step": has_second_step(user),
        "must_keep": must_keep_second_step(user),
        "passkeys_possible": passkey_host(request) is not None,
        "sessions": [
            {"row": row, "device": describe(row.user_agent), "here": row.session_id == request.session.session_key}
            for row in sessions_of(user)
        ],
    }
    return TemplateResponse(request, "account/account.html", context, status=status)


def _user(request: HttpRequest) -> User:
    return cast(User, request.user)
