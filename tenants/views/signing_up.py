"""Becoming a customer: an account with a confirmed address, then the business."""

from typing import Any, Final, cast

from allauth.account.internal.flows.email_verification_by_code import EmailVerificationProcess
from allauth.account.views import SignupView, email_verification_sent
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.response import TemplateResponse
from django.views.decorators.http import require_http_methods

from common.client_address import client_address
from common.forms import add_errors
from common.rate_limit import within_limit
from tenants.access import SESSION_TENANT, public_view
from tenants.audit import Actor, acting
from tenants.forms import AccountForm, BusinessForm
from tenants.models import User
from tenants.services import memberships_of, open_tenant, remember_tenant

__all__ = ["confirm_email", "sign_up", "tenant_new"]

OPENED_PER_MINUTE: Final = 5
"""Tenants that one address may try to open."""


class _SigningUpView(SignupView):  # type: ignore[misc]
    """Name, address, password; then a code is mailed, whether or not there is an account with the address."""

    form_class = AccountForm

    def form_invalid(self, form: AccountForm) -> HttpResponse:
        return cast(HttpResponse, self.render_to_response(self.get_context_data(form=form), status=422))


sign_up = _SigningUpView.as_view()


def confirm_email(request: HttpRequest) -> HttpResponse:
    """The code that was mailed; a member who waits for none is led home.

    allauth would lead them to its list of addresses, which is not offered here.
    """
    if request.user.is_authenticated and EmailVerificationProcess.resume(request) is None:
        return redirect("home")
    return cast(HttpResponse, email_verification_sent(request))


@public_view("a signed-in user makes a tenant of their own")
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def tenant_new(request: HttpRequest) -> HttpResponse:
    """Open a business; the first one right after signing up, more from the list of accounts."""
    user = cast(User, request.user)
    if not settings.SIGNUP_OPEN:
        return render(request, "account/signup_closed.html", status=403)
    form = BusinessForm(
        request.POST or None, offer_place=True, initial={"country": "US", "timezone": "America/New_York"}
    )
    if request.method == "POST":
        if not within_limit(f"tenant_new:{client_address(request)}", per_minute=OPENED_PER_MINUTE):
            return render(request, "429.html", status=429)
        if form.is_valid():
            try:
                with acting(Actor(str(user), user.id, client_address(request) or None)):
                    tenant = open_tenant(owner=user, **form.cleaned_data)
            except ValidationError as error:
                add_errors(form, error)
            else:
                request.session[SESSION_TENANT] = str(tenant.id)
                remember_tenant(user=user, tenant_id=tenant.id)
                messages.success(request, f"{tenant.name} is ready. These are the first steps.")
                return redirect("home")
    context: dict[str, Any] = {"form": form, "is_first": not memberships_of(user.id)}
    return TemplateResponse(request, "tenants/tenant_new.html", context, status=422 if form.errors else 200)
