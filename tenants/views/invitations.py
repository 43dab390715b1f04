"""What somebody sees who opens the link of an invitation.

Only opening changes nothing: mail scanners follow links. The link that the inviter saw proves nothing about the invited
mailbox, so its page is the same whether or not there is an account with that address, and a new account confirms its
address by a mailed code. The link in the mail does prove it.
"""

from typing import Any, Final, cast
from uuid import UUID

from allauth.account.adapter import get_adapter
from allauth.account.views import SignupView
from django.contrib import messages
from django.contrib.auth import logout
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from common.client_address import client_address
from common.rate_limit import within_limit
from tenants.access import SESSION_TENANT, public_view
from tenants.audit import Actor, acting
from tenants.forms import JoiningForm
from tenants.models import User
from tenants.services import (
    OpenedInvitation,
    accept_invitation,
    forget_unconfirmed,
    has_account,
    open_invitation,
    remember_tenant,
)

__all__ = ["invitation", "invitation_log_out"]

OPENED_PER_MINUTE: Final = 30
"""Per address."""


class _JoiningView(SignupView):  # type: ignore[misc]
    """Name and password of somebody without an account; after that they are members."""

    template_name = "tenants/invitation.html"
    form_class = JoiningForm
    opened: OpenedInvitation
    link: str

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request)
        self.opened, self.link = kwargs["opened"], kwargs["link"]

    def is_open(self) -> bool:
        return True

    def get_success_url(self) -> str:
        return self.link

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "invited": self.opened.invitation.email}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_context_data(**kwargs), **_context(self.opened, self.link)}

    def form_valid(self, form: JoiningForm) -> HttpResponse:
        if self.opened.from_mail:
            get_adapter().stash_verified_email(self.request, self.opened.invitation.email)
        response = super().form_valid(form)
        get_adapter().unstash_verified_email(self.request)
        if self.request.user.is_authenticated:
            return _accept(self.request, self.opened, self.link)
        return cast(HttpResponse, response)

    def form_invalid(self, form: JoiningForm) -> HttpResponse:
        return cast(HttpResponse, self.render_to_response(self.get_context_data(form=form), status=422))


@public_view("whoever has the link of an invitation is not a member yet")
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest, invitation_id: UUID, secret: str) -> HttpResponseBase:
    """The invitation: join, log in first, or make an account."""
    if not within_limit(f"invitation:{client_address(request)}", per_minute=OPENED_PER_MINUTE):
        return render(request, "429.html", status=429)
    opened = open_invitation(invitation_id=invitation_id, secret=secret)
    if opened is None:
        return render(request, "tenants/invitation_gone.html", status=404)
    link = reverse("invitation", args=[invitation_id, secret])
    if request.user.is_authenticated:
        if request.method == "POST":
            return _accept(request, opened, link)
        return render(request, "tenants/invitation.html", _context(opened, link))
    if opened.from_mail and has_account(opened.invitation.email):
        return render(request, "tenants/invitation.html", _context(opened, link) | {"only_log_in": True})
    if opened.from_mail and request.method == "POST":
        forget_unconfirmed(email=opened.invitation.email)
    response = _JoiningView.as_view()(request, opened=opened, link=link)
    return cast(HttpResponseBase, response)


@public_view("whoever has the link of an invitation is not a member yet")
@require_POST
def invitation_log_out(request: HttpRequest, invitation_id: UUID, secret: str) -> HttpResponse:
    """Log out, to go on as the person who was invited."""
    logout(request)
    return redirect("invitation", invitation_id, secret)


def _context(opened: OpenedInvitation, link: str) -> dict[str, object]:
    return {"invitation": opened.invitation, "business": opened.tenant, "link": link, "from_mail": opened.from_mail}


def _accept(request: HttpRequest, opened: OpenedInvitation, link: str) -> HttpResponse:
    user = cast(User, request.user)
    try:
        with acting(Actor(str(user), user.id, client_address(request) or None)):
            accept_invitation(opened=opened, user=user)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return HttpResponseRedirect(link)
    request.session[SESSION_TENANT] = str(opened.tenant.id)
    remember_tenant(user=user, tenant_id=opened.tenant.id)
    messages.success(request, f"Welcome to {opened.tenant.name}.")
    return redirect("home")
