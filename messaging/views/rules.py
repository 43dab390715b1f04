"""Settings: the rules of each kind of text."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_http_methods

from consent.purpose_rules import rules_in_force, set_rules
from consent.purposes import Purpose
from messaging.rules_form import RulesForm
from tenants.access import TenantRequest, tenant_view
from tenants.permissions import Permission

__all__ = ["rules_edit"]


@tenant_view(Permission.MANAGE_SETTINGS)
@require_http_methods(["GET", "HEAD", "POST"])
def rules_edit(request: TenantRequest, purpose: str) -> HttpResponse:
    """Choose the rules of one kind of text."""
    rules = rules_in_force()[purpose]
    form = RulesForm(request.POST if request.method == "POST" else None, purpose=purpose, rules=rules)
    if form.is_valid():
        set_rules(purpose=purpose, rules=form.rules())
        messages.success(request, "Rules changed. They hold for every text that has not gone out yet.")
        return redirect("compliance")
    context = {"form": form, "purpose": Purpose(purpose).label}
    return TemplateResponse(request, "messaging/rules_form.html", context, status=422 if form.is_bound else 200)
