"""The tenant's rule about second steps, and the page of those to whom it applies and who have none yet."""

from typing import cast
from uuid import UUID

from allauth.mfa.models import Authenticator
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_GET

from common.form_pages import form_of
from tenants.access import SESSION_TENANT, TenantRequest, personal_view, tenant_view
from tenants.confirmation import recently_confirmed
from tenants.models import AuditEntry, Membership, User
from tenants.permissions import Permission, allowed
from tenants.scope import tenant_scope
from tenants.second_step import MAIN_KINDS, RULED_ROLES, has_second_step, passkey_host, rule_holds
from tenants.services import set_second_step_rule

__all__ = ["second_step_needed", "security", "security_rule"]


@tenant_view(Permission.VIEW)
@require_GET
def security(request: TenantRequest) -> HttpResponse:
    """The rule, and who has a second step."""
    members = Membership.objects.filter(is_active=True, role__in=RULED_ROLES).select_related("user")
    with_step = set(
        Authenticator.objects.filter(user__in=[member.user_id for member in members], type__in=MAIN_KINDS).values_list(
            "user_id", flat=True
        )
    )
    context = {
        "members": [(member, member.user_id in with_step) for member in members.order_by("created_at")],
        "may_manage": allowed(request.membership.role, Permission.MANAGE_SECURITY),
        "has_second_step": request.user.id in with_step,
    }
    return TemplateResponse(request, "tenants/security.html", context)


@tenant_view(Permission.MANAGE_SECURITY)
@recently_confirmed
@form_of("security")
def security_rule(request: TenantRequest) -> HttpResponse:
    """Turn the rule on or off."""
    required = request.POST.get("required") == "yes"
    try:
        set_second_step_rule(tenant=request.tenant, required=required, owner=request.user)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(
            request,
            "Owners and managers now need a second step. Whoever has none is led to set one up."
            if required
            else "A second step is now up to each person.",
        )
    return redirect("security")


@personal_view
@require_GET
def second_step_needed(request: HttpRequest) -> HttpResponse:
    """Why nothing else opens: who asked for a second step, and how to set one up."""
    user = cast(User, request.user)
    if has_second_step(user):
        return redirect("home")
    context: dict[str, object] = {"passkeys_possible": passkey_host(request) is not None}
    tenant_id = request.session.get(SESSION_TENANT)
    if tenant_id is not None:
        context.update(_rule_of(UUID(tenant_id), user))
    if "tenant_name" not in context and not user.is_staff:
        return redirect("home")
    return TemplateResponse(request, "account/second_step_needed.html", context)


def _rule_of(tenant_id: UUID, user: User) -> dict[str, object]:
    with tenant_scope(tenant_id):
        membership = Membership.objects.select_related("tenant").filter(user=user, is_active=True).first()
        if membership is None or not rule_holds(membership):
            return {}
        asked = AuditEntry.objects.filter(action="tenant.second_step_rule_changed").order_by("-id").first()
        return {"tenant_name": membership.tenant.name, "role": membership.get_role_display(), "asked": asked}
