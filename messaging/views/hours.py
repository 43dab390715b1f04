"""Settings: the hours of the week in which the business sends."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_http_methods

from consent.own_hours import set_own_hours, week_in_force
from consent.purposes import Purpose
from messaging.hours_form import HoursForm
from tenants.access import TenantRequest, tenant_view
from tenants.permissions import Permission

__all__ = ["own_hours_edit"]


@tenant_view(Permission.MANAGE_SETTINGS)
@require_http_methods(["GET", "HEAD", "POST"])
def own_hours_edit(request: TenantRequest, purpose: str) -> HttpResponse:
    """Choose the hours for one kind of text."""
    form = HoursForm(request.POST if request.method == "POST" else None, week=week_in_force(purpose))
    if form.is_valid():
        set_own_hours(purpose=purpose, week=form.week())
        messages.success(request, "Hours changed. They hold for every text that has not gone out yet.")
        return redirect("compliance")
    context = {"form": form, "purpose": Purpose(purpose).label, "is_offer": purpose == Purpose.MARKETING}
    return TemplateResponse(request, "messaging/hours_form.html", context, status=422 if form.is_bound else 200)
