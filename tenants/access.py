"""How a dashboard view gets its tenant: ``@tenant_view(permission)`` is the only door.

It demands a signed-in user, opens the scope of the tenant chosen in the session, finds the user's membership there,
leads whoever the tenant asks for a second step and has none to set one up, checks the permission the view declares, and
runs the view and its rendering inside that scope: one request, one transaction. The guard test walks all routes and
fails for one without such a declaration.
"""

from collections.abc import Callable
from functools import update_wrapper
from typing import Concatenate, Final, ParamSpec, TypeVar
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render, resolve_url
from django.template.response import TemplateResponse
from django.urls import reverse
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails

from common.client_address import client_address
from common.rate_limit import within_limit
from tenants.audit import Actor, acting
from tenants.models import Membership, Tenant, User
from tenants.permissions import Permission, allowed
from tenants.restriction import restricting
from tenants.scope import tenant_scope
from tenants.second_step import has_second_step, rule_holds
from tenants.services import accept_membership, memberships_of, usual_tenant

__all__ = ["SESSION_TENANT", "TenantRequest", "declared_permission", "personal_view", "public_view", "tenant_view"]

SESSION_TENANT: Final = "tenant_id"
WRITES_PER_MINUTE: Final = 240
"""Per user; a person clicking fast stays far below it."""

P = ParamSpec("P")


class TenantRequest(HttpRequest):
    """A request inside its tenant's scope."""

    tenant: Tenant
    membership: Membership
    user: User
    htmx: HtmxDetails


TenantView = Callable[Concatenate[TenantRequest, P], HttpResponseBase]
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]
AnyView = TypeVar("AnyView", bound=Callable[..., object])


def tenant_view(
    permission: Permission, *, write: Permission | None = None, restricted_too: bool = False
) -> Callable[[TenantView[P]], View[P]]:
    """Declare what a view needs: ``permission`` to call it at all, ``write`` (if given) for anything but reading.

    ``restricted_too``: members who see only the conversations assigned to them may call it. It shows nothing of other
    people, nor counts of them, beyond what the managers leave of contacts and conversations.
    """

    def declare(view: TenantView[P]) -> View[P]:
        def run(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return _to_login(request)
            if _writes_too_much(request, request.user):
                return render(request, "429.html", status=429)
            tenant_id = _chosen_tenant(request, request.user)
            if tenant_id is None:
                return redirect("tenant_switch")
            with tenant_scope(tenant_id):
                membership = _membership(request.user)
                if membership is None:
                    del request.session[SESSION_TENANT]
                    return redirect("tenant_switch")
                if rule_holds(membership) and not has_second_step(request.user):
                    return _to(request, reverse("second_step_needed"))
                needed = permission if _only_reads(request) else write or permission
                _require(membership, needed, restricted_too=restricted_too)
                return _answer(view, request, membership, *args, **kwargs)

        update_wrapper(run, view)
        run.tenant_permission = (permission, write)  # type: ignore[attr-defined]
        run.restricted_too = restricted_too  # type: ignore[attr-defined]
        return run

    return declare


def public_view(reason: str) -> Callable[[AnyView], AnyView]:
    """Declare that a view needs no signed-in member, and why; the guard test lists these."""

    def declare(view: AnyView) -> AnyView:
        view.public_reason = reason  # type: ignore[attr-defined]
        return view

    return declare


def personal_view(view: View[P]) -> View[P]:
    """Declare a page on which a signed-in person keeps their own account, whatever tenants they work in."""

    def run(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return _to_login(request)
        if _writes_too_much(request, request.user):
            return render(request, "429.html", status=429)
        with acting(_actor(request, request.user)):
            return view(request, *args, **kwargs)

    update_wrapper(run, view)
    run.public_reason = "a signed-in user's own account"  # type: ignore[attr-defined]
    return run


def declared_permission(view: Callable[..., object]) -> tuple[Permission, Permission | None] | str | None:
    """What the view declared: its permissions, the reason why it is public, or None."""
    return getattr(view, "tenant_permission", None) or getattr(view, "public_reason", None)


def _require(membership: Membership, needed: Permission, *, restricted_too: bool) -> None:
    if not allowed(membership.role, needed):
        raise PermissionDenied(f"Your role ({membership.get_role_display()}) cannot do this.")
    if membership.is_restricted and not restricted_too:
        raise PermissionDenied("You see only the conversations that are assigned to you.")


def _answer(
    view: TenantView[P], request: HttpRequest, membership: Membership, *args: P.args, **kwargs: P.kwargs
) -> HttpResponseBase:
    request.membership = membership  # type: ignore[attr-defined]
    request.tenant = membership.tenant  # type: ignore[attr-defined]
    try:
        actor = _actor(request, membership.user)
        with acting(actor), restricting(membership.id if membership.is_restricted else None):
            response = view(request, *args, **kwargs)  # type: ignore[arg-type]
            if isinstance(response, TemplateResponse):
                # Lazy querysets must be read while the scope is open.
                response.render()
    except Exception:
        # The error page is made outside the scope, so it must not ask for anything of the tenant.
        del request.membership  # type: ignore[attr-defined]
        raise
    return response


def _actor(request: HttpRequest, user: User) -> Actor:
    return Actor(str(user), user.id, client_address(request) or None, session_key=request.session.session_key)


def _only_reads(request: HttpRequest) -> bool:
    return request.method in ("GET", "HEAD")


def _writes_too_much(request: HttpRequest, user: User) -> bool:
    return not _only_reads(request) and not within_limit(f"write:{user.pk}", per_minute=WRITES_PER_MINUTE)


def _chosen_tenant(request: HttpRequest, user: User) -> UUID | None:
    """The tenant of the session; right after signing in it is the user's usual one, without asking."""
    if SESSION_TENANT not in request.session:
        usual = usual_tenant(user, memberships_of(user.id))
        if usual is None:
            return None
        request.session[SESSION_TENANT] = str(usual)
    return UUID(request.session[SESSION_TENANT])


def _membership(user: User) -> Membership | None:
    membership = Membership.objects.select_related("tenant", "user").filter(user=user, is_active=True).first()
    if membership and membership.accepted_at is None:
        accept_membership(membership=membership)
    return membership


def _to_login(request: HttpRequest) -> HttpResponse:
    return _to(request, f"{resolve_url(settings.LOGIN_URL)}?{urlencode({'next': request.get_full_path()})}")


def _to(request: HttpRequest, url: str) -> HttpResponse:
    """Lead the whole page there, also from a part of it."""
    if getattr(request, "htmx", None):
        return HttpResponseClientRedirect(url)
    return redirect(url)
