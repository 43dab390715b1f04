"""Settings: for how long consent counts."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_http_methods

from consent.purposes import Purpose
from consent.validity import expiry_in_force, set_expiry
from messaging.validity_form import ExpiryForm
from tenants.access import TenantRequest, tenant_view
from tenants.permissions import Permission

__all__ = ["expiry_edit"]


@tenant_view(Permission.MANAGE_SETTINGS)
@require_http_methods(["GET", "HEAD", "POST"])
def expiry_edit(request: TenantRequest, purpose: str) -> HttpResponse:
    """Choose after how many months consent to one kind of text ends."""
    known = expiry_in_force()[purpose]
    form = ExpiryForm(request.POST if request.method == "POST" else None, months=known)
    if form.is_valid():
        set_expiry(purpose=purpose, months=form.cleaned_data["months"])
        messages.success(request, "Changed. It holds for every text that has not gone out yet.")
        return redirect("compliance")
    context = {"form": form, "purpose": Purpose(purpose).label, "is_offer": purpose == Purpose.MARKETING}
    return TemplateResponse(request, "messaging/expiry_form.html", context, status=422 if form.is_bound else 200)
