"""Settings: provider accounts and senders."""

from typing import Final
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from common.form_pages import form_of
from common.forms import add_errors
from messaging.account_forms import ACCOUNT_FORMS, AccountForm, TokenForm
from messaging.forms import SenderForm
from messaging.models import ProviderAccount, Sender, SenderRegistration
from messaging.services import (
    add_provider_account,
    add_sender,
    make_default_sender,
    replace_secret,
    set_account_status,
    set_sender_status,
)
from tenants.access import TenantRequest, tenant_view
from tenants.confirmation import recently_confirmed
from tenants.permissions import Permission, allowed

__all__ = ["account_act", "account_add", "account_token", "sender_act", "sender_add", "senders"]


MOST_REGISTRATIONS: Final = 100


@tenant_view(Permission.VIEW)
@require_GET
def senders(request: TenantRequest) -> HttpResponse:
    """The numbers texts come from, and the accounts that carry them, with the addresses their callbacks go to."""
    return _page(request)


@tenant_view(Permission.MANAGE_SETTINGS)
@recently_confirmed
@require_http_methods(["GET", "HEAD", "POST"])
def account_add(request: TenantRequest) -> HttpResponse:
    """Add an account at the provider that was chosen."""
    if request.method != "POST":
        return _page(request, account_form=_account_form_for(request.GET.get("provider"))())
    form = _account_form_for(request.POST.get("provider"))(request.POST)
    if form.is_valid():
        data = form.cleaned_data
        try:
            account = add_provider_account(
                kind=form.kind,
                name=data["name"],
                credentials=form.credentials(),
                answers_keywords=data["answers_keywords"],
            )
        except ValidationError as error:
            add_errors(form, error)
        else:
            where = account.get_kind_display()
            messages.success(
                request, f"Account added. Enter its callback addresses at {where} as shown below, then add a number."
            )
            return redirect("senders")
    return _page(request, account_form=form, status=422)


@tenant_view(Permission.MANAGE_SETTINGS)
@recently_confirmed
@require_http_methods(["GET", "HEAD", "POST"])
def account_token(request: TenantRequest, account_id: UUID) -> HttpResponse:
    """Enter another auth token or API key, and with it take up an account that was refused."""
    account = get_object_or_404(ProviderAccount, id=account_id, kind__in=list(ACCOUNT_FORMS))
    form = TokenForm(request.POST if request.method == "POST" else None, kind=account.kind)
    if form.is_valid():
        replace_secret(account=account, secret=form.cleaned_data["auth_token"])
        messages.success(request, "Entered. Texts go out with it from now on.")
        return redirect("senders")
    return _page(request, token_form=form, token_account=account, status=422 if form.is_bound else 200)


@tenant_view(Permission.MANAGE_SETTINGS)
@require_POST
def account_act(request: TenantRequest, account_id: UUID, action: str) -> HttpResponse:
    """Pause an account with all its numbers, or take it up again."""
    account = get_object_or_404(ProviderAccount, id=account_id)
    set_account_status(account=account, active=action == "activate")
    messages.success(request, "Taken up again." if action == "activate" else "Paused: nothing is sent through it now.")
    return redirect("senders")


@tenant_view(Permission.MANAGE_SETTINGS)
@form_of("senders")
def sender_add(request: TenantRequest) -> HttpResponse:
    """Add a number."""
    form = SenderForm(request.POST)
    if form.is_valid():
        try:
            add_sender(tenant=request.tenant, **form.cleaned_data)
        except ValidationError as error:
            add_errors(form, error)
        else:
            messages.success(request, "Number added.")
            return redirect("senders")
    return _page(request, sender_form=form, status=422)


@tenant_view(Permission.MANAGE_SETTINGS)
@require_POST
def sender_act(request: TenantRequest, sender_id: UUID, action: str) -> HttpResponse:
    """Make a number the usual one, pause it, or take it up again."""
    sender = get_object_or_404(Sender, id=sender_id)
    if action == "default":
        make_default_sender(sender=sender)
        messages.success(request, f"Texts now come from {sender} unless another number is chosen.")
    else:
        set_sender_status(sender=sender, active=action == "activate")
        messages.success(request, "Taken up again." if action == "activate" else "Paused: nothing is sent from it now.")
    return redirect("senders")


def _account_form_for(provider: str | None) -> type[AccountForm]:
    return ACCOUNT_FORMS.get(provider or "", next(iter(ACCOUNT_FORMS.values())))


def _page(
    request: TenantRequest,
    *,
    account_form: AccountForm | None = None,
    sender_form: SenderForm | None = None,
    token_form: TokenForm | None = None,
    token_account: ProviderAccount | None = None,
    status: int = 200,
) -> HttpResponse:
    context = {
        "shown_dialog": "account" if account_form else "sender" if sender_form else "token" if token_form else "",
        "senders": Sender.objects.select_related("provider_account").order_by("-is_default", "value"),
        "accounts": ProviderAccount.objects.order_by("name"),
        "registrations": SenderRegistration.objects.select_related("sender").order_by("-id")[:MOST_REGISTRATIONS],
        "account_form": account_form or _account_form_for(None)(),
        "providers": [form.kind for form in ACCOUNT_FORMS.values()],
        "sender_form": sender_form or SenderForm(),
        "token_form": token_form,
        "token_account": token_account,
        "callback_base": f"{settings.PUBLIC_BASE_URL}/callbacks",
        "callbacks_reachable": settings.PUBLIC_BASE_URL.startswith("https://"),
        "may_manage": allowed(request.membership.role, Permission.MANAGE_SETTINGS),
    }
    return TemplateResponse(request, "messaging/sender_list.html", context, status=status)
