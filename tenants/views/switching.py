"""Choosing the tenant to work in, and the way into its settings."""

from typing import cast
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_GET, require_http_methods

from tenants.access import SESSION_TENANT, TenantRequest, public_view, tenant_view
from tenants.models import User
from tenants.permissions import Permission
from tenants.services import memberships_of, remember_tenant

__all__ = ["settings_start", "tenant_switch"]


@public_view("a signed-in user chooses a tenant here, before any tenant is active")
@login_required
@require_http_methods(["GET", "POST"])
def tenant_switch(request: HttpRequest) -> HttpResponse:
    """Switch to another of the user's tenants."""
    user = cast(User, request.user)
    memberships = memberships_of(user.id)
    chosen = request.POST.get("tenant", "")
    if any(str(membership.tenant_id) == chosen for membership in memberships):
        request.session[SESSION_TENANT] = chosen
        remember_tenant(user=user, tenant_id=UUID(chosen))
        return redirect("home")
    context = {
        "memberships": memberships,
        "current": request.session.get(SESSION_TENANT),
    }
    return TemplateResponse(request, "tenants/tenant_switch.html", context)


@tenant_view(Permission.VIEW, restricted_too=True)
@require_GET
def settings_start(request: TenantRequest) -> HttpResponse:
    """The first page of the settings."""
    return redirect("team")
