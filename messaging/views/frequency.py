"""Settings: how often the business texts somebody."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_http_methods

from consent.frequency_limits import policies_in_force, set_policy
from consent.purposes import Purpose
from messaging.frequency_form import FrequencyForm
from tenants.access import TenantRequest, tenant_view
from tenants.permissions import Permission

__all__ = ["frequency_edit"]


@tenant_view(Permission.MANAGE_SETTINGS)
@require_http_methods(["GET", "HEAD", "POST"])
def frequency_edit(request: TenantRequest, purpose: str) -> HttpResponse:
    """Choose the limit for one kind of text."""
    policy = policies_in_force()[purpose]
    form = FrequencyForm(request.POST if request.method == "POST" else None, policy=policy)
    if form.is_valid():
        set_policy(purpose=purpose, policy=form.policy())
        messages.success(request, "Limit changed. It holds for every text that has not gone out yet.")
        return redirect("compliance")
    context = {"form": form, "purpose": Purpose(purpose).label, "is_offer": purpose == Purpose.MARKETING}
    return TemplateResponse(request, "messaging/frequency_form.html", context, status=422 if form.is_bound else 200)
