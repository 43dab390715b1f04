"""The team page."""

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_GET, require_POST

from common.form_pages import form_of
from tenants.access import TenantRequest, tenant_view
from tenants.forms import MemberForm, RoleForm
from tenants.models import Membership
from tenants.permissions import PERMISSIONS, Permission, Role
from tenants.services import add_member, change_role, remove_member

__all__ = ["member_add", "member_remove", "member_role", "team"]


@tenant_view(Permission.VIEW)
@require_GET
def team(request: TenantRequest) -> HttpResponse:
    """Members and roles."""
    return _team_page(request, MemberForm())


@tenant_view(Permission.MANAGE_TEAM)
@form_of("team")
def member_add(request: TenantRequest) -> HttpResponse:
    """Give a person access."""
    form = MemberForm(request.POST)
    if form.is_valid():
        data = form.cleaned_data
        try:
            member = add_member(email=data["email"], role=Role(data["role"]), name=data["name"])
        except ValidationError as error:
            form.add_error("email", error.messages)
        else:
            messages.success(
                request,
                f"{member.shown_name} is now {member.get_role_display().lower()}. They sign in with this e-mail address; "
                "with “Forgot your password?” they choose their password.",
            )
            return redirect("team")
    return _team_page(request, form, status=422)


@tenant_view(Permission.MANAGE_TEAM)
@require_POST
def member_role(request: TenantRequest, member_id: UUID) -> HttpResponse:
    """Change a member's role."""
    membership = get_object_or_404(Membership.objects.filter(is_active=True), id=member_id)
    form = RoleForm(request.POST)
    if form.is_valid():
        try:
            change_role(membership=membership, role=Role(form.cleaned_data["role"]))
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
        else:
            messages.success(request, f"{membership.shown_name} is now {membership.get_role_display().lower()}.")
    else:
        messages.error(request, "Choose one of the four roles.")
    return redirect("team")


@tenant_view(Permission.MANAGE_TEAM)
@require_POST
def member_remove(request: TenantRequest, member_id: UUID) -> HttpResponse:
    """Take away a member's access."""
    membership = get_object_or_404(Membership.objects.filter(is_active=True), id=member_id)
    try:
        remove_member(membership=membership)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, f"{membership.shown_name} no longer has access.")
    return redirect("team")


def _team_page(request: TenantRequest, form: MemberForm, status: int = 200) -> HttpResponse:
    members = Membership.objects.filter(is_active=True).select_related("user").order_by("created_at")
    context = {
        "members": members,
        "form": form,
        "roles": Role.choices,
        "role_table": [
            (role.label, [permission.label for permission in Permission if permission in PERMISSIONS[role]])
            for role in Role
        ],
        "may_manage": Permission.MANAGE_TEAM in PERMISSIONS[request.membership.role],
    }
    return TemplateResponse(request, "tenants/team.html", context, status=status)
