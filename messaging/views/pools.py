"""Settings: pools of numbers, and the weights of the accounts behind them."""

from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_http_methods, require_POST

from common.forms import add_errors
from messaging.forms import PoolForm, WeightForm
from messaging.models import ProviderAccount, Sender, SenderPool
from messaging.services import make_default_pool, save_pool, set_weight
from tenants.access import TenantRequest, tenant_view
from tenants.permissions import Permission

__all__ = ["account_weight", "pool_add", "pool_default", "pool_edit"]


@tenant_view(Permission.MANAGE_SETTINGS)
@require_http_methods(["GET", "HEAD", "POST"])
def pool_add(request: TenantRequest) -> HttpResponse:
    """Make a pool of some numbers."""
    return _edit(request, None)


@tenant_view(Permission.MANAGE_SETTINGS)
@require_http_methods(["GET", "HEAD", "POST"])
def pool_edit(request: TenantRequest, pool_id: UUID) -> HttpResponse:
    """Give a pool another name, and add or remove numbers."""
    return _edit(request, get_object_or_404(SenderPool, id=pool_id))


@tenant_view(Permission.MANAGE_SETTINGS)
@require_POST
def pool_default(request: TenantRequest, pool_id: UUID) -> HttpResponse:
    """Texts come from this pool unless something else is chosen."""
    pool = get_object_or_404(SenderPool, id=pool_id)
    make_default_pool(pool=pool)
    messages.success(request, f"Texts now come from {pool} unless something else is chosen.")
    return redirect("senders")


@tenant_view(Permission.MANAGE_SETTINGS)
@require_http_methods(["GET", "HEAD", "POST"])
def account_weight(request: TenantRequest, account_id: UUID) -> HttpResponse:
    """Change how many of a pool's people an account carries."""
    account = get_object_or_404(ProviderAccount, id=account_id)
    form = WeightForm(request.POST if request.method == "POST" else None, initial={"weight": account.weight})
    if form.is_valid():
        set_weight(account=account, weight=form.cleaned_data["weight"])
        messages.success(request, "Weight changed. Campaigns are spread by it from now on.")
        return redirect("senders")
    return _page(request, form, title=f"Weight of {account}", button="Use this weight")


def _edit(request: TenantRequest, pool: SenderPool | None) -> HttpResponse:
    known = {"name": pool.name, "senders": Sender.objects.filter(pool=pool)} if pool else {}
    form = PoolForm(request.POST if request.method == "POST" else None, initial=known)
    if form.is_valid():
        try:
            save_pool(pool=pool, **form.cleaned_data)
        except ValidationError as error:
            add_errors(form, error)
        else:
            messages.success(request, "Pool saved.")
            return redirect("senders")
    title = "Change the pool" if pool else "New pool"
    return _page(request, form, title=title, button="Save the pool")


def _page(request: TenantRequest, form: forms.Form, *, title: str, button: str) -> HttpResponse:
    context = {"form": form, "title": title, "button": button}
    return TemplateResponse(request, "messaging/pool_form.html", context, status=422 if form.is_bound else 200)
