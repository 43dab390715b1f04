"""Settings: the business itself."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_http_methods

from common.forms import add_errors
from tenants.access import TenantRequest, tenant_view
from tenants.forms import BusinessForm
from tenants.models import Tenant
from tenants.permissions import Permission, allowed
from tenants.services import change_business

__all__ = ["business"]

_FIELDS = ("name", "country", "timezone", "brand_name", "help_contact")


@tenant_view(Permission.VIEW, write=Permission.MANAGE_TENANT, restricted_too=True)
@require_http_methods(["GET", "HEAD", "POST"])
def business(request: TenantRequest) -> HttpResponse:
    """Name, place and help contact; where the account stands; and what only owners do with it."""
    tenant = request.tenant
    initial = {field: getattr(tenant, field) for field in _FIELDS}
    if request.method != "POST":
        return _page(request, BusinessForm(initial=initial))
    form = BusinessForm(request.POST, initial=initial)
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


def _page(request: TenantRequest, form: BusinessForm) -> HttpResponse:
    may_manage = allowed(request.membership.role, Permission.MANAGE_TENANT)
    context = {"form": form, "may_manage": may_manage}
    return TemplateResponse(request, "tenants/business.html", context, status=422 if form.is_bound else 200)
