"""Settings: what the month's texts cost, and what they may."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_http_methods

from common.clock import database_now
from messaging.models import PartPrice, SpendLimit
from messaging.pipeline.spending import first_of_month, spent_in
from messaging.rules_form import SpendLimitForm
from messaging.services import set_spend_limit
from tenants.access import TenantRequest, tenant_view
from tenants.permissions import Permission

__all__ = ["spending"]


@tenant_view(Permission.MANAGE_SETTINGS)
@require_http_methods(["GET", "HEAD", "POST"])
def spending(request: TenantRequest) -> HttpResponse:
    """This month in parts and money, and the limit for a month."""
    price, limit = PartPrice.objects.first(), SpendLimit.objects.first()
    posted = request.POST if request.method == "POST" and price else None
    form = SpendLimitForm(posted, micros=limit.micros if limit else None, currency=price.currency if price else "")
    if request.method == "POST" and not price:
        messages.error(request, "Say first what a part costs.")
        return redirect("unreachable")
    if form.is_valid():
        set_spend_limit(micros=form.micros())
        messages.success(request, "Limit changed." if form.micros() else "There is no limit any more.")
        return redirect("spending")
    month = first_of_month(request.tenant, database_now())
    parts, micros = spent_in(month)
    context = {
        "form": form,
        "price": price,
        "limit": limit,
        "month": month,
        "parts": parts,
        "spent": f"{price.currency} {micros / 1_000_000:,.2f}" if price else "",
        "is_reached": bool(limit and price and micros + price.micros > limit.micros),
        "percent": min(100, micros * 100 // limit.micros) if limit else 0,
    }
    return TemplateResponse(request, "messaging/spending.html", context, status=422 if form.is_bound else 200)
