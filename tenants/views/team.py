"""The team page."""

from typing import Final
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_GET, require_POST

from common.form_pages import form_of
from tenants.access import SESSION_TENANT, TenantRequest, tenant_view
from tenants.forms import InvitationForm, RoleForm
from tenants.models import Invitation, Membership
from tenants.permissions import PERMISSIONS, Permission, Role, allowed
from tenants.services import (
    change_role,
    invite,
    open_invitations,
    reactivate_member,
    remove_member,
    renew_invitation,
    revoke_invitation,
)

__all__ = [
    "invitation_again",
    "invitation_revoke",
    "member_back",
    "member_invite",
    "member_remove",
    "member_role",
    "team",
    "team_leave",
]

_SHOWN_LINK: Final = "invitation_link"
"""In the session until the next page has shown it."""
_SHOWN_INVITATIONS: Final = 100


@tenant_view(Permission.VIEW, restricted_too=True)
@require_GET
def team(request: TenantRequest) -> HttpResponse:
    """Members and roles."""
    return _team_page(request, InvitationForm())


@tenant_view(Permission.MANAGE_TEAM)
@form_of("team")
def member_invite(request: TenantRequest) -> HttpResponse:
    """Invite a person; the page that follows shows the link once."""
    form = InvitationForm(request.POST)
    if form.is_valid():
        data = form.cleaned_data
        try:
            invitation, link = invite(**data, invited_by=request.user)
        except ValidationError as error:
            form.add_error("email", error.messages)
        else:
            return _with_link(request, invitation, link)
    return _team_page(request, form, status=422)


@tenant_view(Permission.MANAGE_TEAM)
@require_POST
def invitation_again(request: TenantRequest, invitation_id: UUID) -> HttpResponse:
    """Mail an invitation again, with a new link and seven new days."""
    invitation = get_object_or_404(open_invitations(), id=invitation_id)
    try:
        link = renew_invitation(invitation=invitation)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect("team")
    return _with_link(request, invitation, link)


@tenant_view(Permission.MANAGE_TEAM)
@require_POST
def invitation_revoke(request: TenantRequest, invitation_id: UUID) -> HttpResponse:
    """Withdraw an invitation."""
    invitation = get_object_or_404(open_invitations(), id=invitation_id)
    revoke_invitation(invitation=invitation)
    messages.success(request, f"The invitation of {invitation.email} is withdrawn. Its link no longer works.")
    return redirect("team")


@tenant_view(Permission.MANAGE_TEAM)
@require_POST
def member_role(request: TenantRequest, member_id: UUID) -> HttpResponse:
    """Change a member's role."""
    membership = get_object_or_404(Membership.objects.filter(is_active=True), id=member_id)
    form = RoleForm(request.POST)
    if form.is_valid():
        try:
            change_role(membership=membership, **form.cleaned_data)
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
        else:
            messages.success(request, f"{membership.shown_name} is now {membership.role_name.lower()}.")
    else:
        messages.error(request, "Choose one of the roles.")
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


@tenant_view(Permission.MANAGE_TEAM)
@require_POST
def member_back(request: TenantRequest, member_id: UUID) -> HttpResponse:
    """Give somebody who was removed their access back."""
    membership = get_object_or_404(Membership.objects.filter(is_active=False), id=member_id)
    reactivate_member(membership=membership)
    messages.success(request, f"{membership.shown_name} has access again, as {membership.role_name.lower()}.")
    return redirect("team")


@tenant_view(Permission.VIEW, restricted_too=True)
@require_POST
def team_leave(request: TenantRequest) -> HttpResponse:
    """Leave the account oneself."""
    try:
        remove_member(membership=request.membership)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect("team")
    del request.session[SESSION_TENANT]
    messages.success(request, f"You have left {request.tenant.name}.")
    return redirect("tenant_switch")


def _with_link(request: TenantRequest, invitation: Invitation, link: str) -> HttpResponse:
    """Back to the team, which shows the link this once."""
    request.session[_SHOWN_LINK] = {"email": invitation.email, "link": link}
    return redirect("team")


def _team_page(request: TenantRequest, form: InvitationForm, status: int = 200) -> HttpResponse:
    may_manage = allowed(request.membership.role, Permission.MANAGE_TEAM)
    members = Membership.objects.filter(is_active=True).select_related("user").order_by("created_at")
    context = {
        "members": members,
        "gone": Membership.objects.filter(is_active=False).select_related("user")[:_SHOWN_INVITATIONS]
        if may_manage
        else [],
        "form": form,
        "roles": form.fields["role"].choices,  # type: ignore[attr-defined]
        "role_table": [
            (role.label, [permission.label for permission in Permission if permission in PERMISSIONS[role]])
            for role in Role
        ],
        "may_manage": may_manage,
        "invitations": open_invitations()[:_SHOWN_INVITATIONS] if may_manage else [],
        "shown_link": request.session.pop(_SHOWN_LINK, None) if may_manage else None,
    }
    return TemplateResponse(request, "tenants/team.html", context, status=status)
