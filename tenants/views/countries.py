"""Settings: the countries whose numbers can be contacts."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_http_methods

from common.places import country_name
from tenants.access import TenantRequest, tenant_view
from tenants.forms import CountriesForm
from tenants.permissions import Permission, allowed
from tenants.services import allow_countries

__all__ = ["countries"]


@tenant_view(Permission.VIEW, write=Permission.MANAGE_SETTINGS)
@require_http_methods(["GET", "POST"])
def countries(request: TenantRequest) -> HttpResponse:
    """The countries allowed now; choose others."""
    initial = {"countries": sorted(request.tenant.countries)}
    form = CountriesForm(request.POST if request.method == "POST" else None, initial=initial)
    if request.method == "POST" and form.is_valid():
        allow_countries(tenant=request.tenant, countries=form.cleaned_data["countries"])
        messages.success(request, "Countries saved. Contacts that you have already stay.")
        return redirect("countries")
    context = {
        "form": form,
        "names": sorted(filter(None, map(country_name, request.tenant.countries))),
        "own": country_name(request.tenant.country),
        "may_manage": allowed(request.membership.role, Permission.MANAGE_SETTINGS),
    }
    return TemplateResponse(request, "tenants/countries.html", context, status=422 if form.errors else 200)
