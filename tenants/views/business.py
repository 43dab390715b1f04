"""Settings: the business itself."""

from typing import Final
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.timezone import now
from django.views.decorators.http import require_GET, require_http_methods

from common.form_pages import form_of
from common.forms import add_errors
from tenants.access import TenantRequest, tenant_view
from tenants.confirmation import recently_confirmed
from tenants.forms import BusinessForm, HandOverForm, TypedNameForm
from tenants.models import Tenant, TenantExport
from tenants.permissions import Permission, allowed
from tenants.services import (
    WAITING_TIME,
    ask_deletion,
    ask_export,
    cancel_deletion,
    change_business,
    hand_over,
    open_export,
)

__all__ = ["business", "business_hand_over", "deletion_ask", "deletion_cancel", "export_ask", "export_download"]

_SHOWN_EXPORTS: Final = 3
_FIELDS = ("name", "country", "timezone", "brand_name", "help_contact")


@tenant_view(Permission.VIEW, write=Permission.MANAGE_TENANT, restricted_too=True)
@require_http_methods(["GET", "HEAD", "POST"])
def business(request: TenantRequest) -> HttpResponse:
    """Name, place and help contact; where the account stands; and what only owners do with it."""
    tenant = request.tenant
    if request.method != "POST":
        return _page(request, _form(request))
    form = BusinessForm(request.POST, initial={field: getattr(tenant, field) for field in _FIELDS})
    if form.is_valid():
        # The row that pages show must not change when the form is refused.
        try:
            change_business(tenant=Tenant.objects.select_for_update().get(id=tenant.id), **form.cleaned_data)
        except ValidationError as error:
            add_errors(form, error)
        else:
            messages.success(request, "Saved.")
            return redirect("business")
    return _page(request, form)


@tenant_view(Permission.MANAGE_TENANT)
@recently_confirmed
@form_of("business")
def export_ask(request: TenantRequest) -> HttpResponse:
    """Write everything into a file."""
    try:
        ask_export(tenant=request.tenant, user=request.user)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, "The export is being written. We mail you when it is ready.")
    return redirect("business")


@tenant_view(Permission.MANAGE_TENANT)
@recently_confirmed
@require_GET
def export_download(request: TenantRequest, export_id: UUID) -> HttpResponseBase:
    """The file of an export, for a day."""
    try:
        export, pieces = open_export(tenant=request.tenant, export_id=export_id)
    except TenantExport.DoesNotExist:
        raise Http404 from None
    response = StreamingHttpResponse(pieces, content_type="application/zip")
    response["Content-Length"] = str(export.size)
    response["Content-Disposition"] = f'attachment; filename="{request.tenant.slug}-{export.created_at:%Y-%m-%d}.zip"'
    return response


@tenant_view(Permission.MANAGE_TENANT)
@recently_confirmed
@form_of("business")
def business_hand_over(request: TenantRequest) -> HttpResponse:
    """Make another member the owner."""
    form = HandOverForm(request.POST, giver=request.membership)
    if form.is_valid():
        data = form.cleaned_data
        try:
            hand_over(
                giver=request.membership,
                receiver=data["member"],
                typed_name=data["typed_name"],
                stays_owner=data["stays_owner"],
            )
        except ValidationError as error:
            add_errors(form, error)
        else:
            messages.success(request, f"{data['member'].shown_name} is now an owner.")
            return redirect("business")
    return _page(request, _form(request), hand_over_form=form)


@tenant_view(Permission.MANAGE_TENANT)
@recently_confirmed
@form_of("business")
def deletion_ask(request: TenantRequest) -> HttpResponse:
    """Delete the account after the waiting time."""
    form = TypedNameForm(request.POST, prefix="delete")
    if form.is_valid():
        try:
            ask_deletion(tenant=request.tenant, typed_name=form.cleaned_data["typed_name"])
        except ValidationError as error:
            add_errors(form, error)
        else:
            messages.success(request, "The account will be deleted. Until then every owner can decide otherwise.")
            return redirect("business")
    return _page(request, _form(request), deletion_form=form)


@tenant_view(Permission.MANAGE_TENANT)
@form_of("business")
def deletion_cancel(request: TenantRequest) -> HttpResponse:
    """Keep the account after all."""
    try:
        cancel_deletion(tenant=request.tenant)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, "The account stays. Texts can be sent again.")
    return redirect("business")


def _form(request: TenantRequest) -> BusinessForm:
    return BusinessForm(initial={field: getattr(request.tenant, field) for field in _FIELDS})


def _page(
    request: TenantRequest,
    form: BusinessForm,
    *,
    hand_over_form: HandOverForm | None = None,
    deletion_form: TypedNameForm | None = None,
) -> HttpResponse:
    may_manage = allowed(request.membership.role, Permission.MANAGE_TENANT)
    refused = any(one is not None and one.is_bound for one in (form, hand_over_form, deletion_form))
    context: dict[str, object] = {"form": form, "may_manage": may_manage}
    if may_manage:
        context |= {
            "hand_over_form": hand_over_form or HandOverForm(giver=request.membership),
            "deletion_form": deletion_form or TypedNameForm(prefix="delete"),
            "exports": TenantExport.objects.order_by("-created_at")[:_SHOWN_EXPORTS],
            "waiting_days": WAITING_TIME.days,
            "now": now(),
        }
    return TemplateResponse(request, "tenants/business.html", context, status=422 if refused else 200)
