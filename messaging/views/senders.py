"""Settings: provider accounts and senders."""

from collections.abc import Iterable
from typing import Final
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from common.form_pages import form_of
from common.forms import add_errors
from messaging.account_forms import ACCOUNT_FORMS, AccountForm, TokenForm
from messaging.forms import PaceForm, SenderForm
from messaging.models import ProviderAccount, Sender, SenderDay, SenderPool, SenderRegistration
from messaging.pace.days import day_of
from messaging.pace.limits import pace_of
from messaging.registration import State, states_of
from messaging.routing.weights import current_weight
from messaging.services import (
    add_provider_account,
    add_sender,
    make_default_sender,
    replace_secret,
    set_account_status,
    set_pace,
    set_sender_status,
)
from tenants.access import TenantRequest, tenant_view
from tenants.confirmation import recently_confirmed
from tenants.permissions import Permission, allowed

__all__ = ["account_act", "account_add", "account_token", "sender_act", "sender_add", "sender_pace", "senders"]


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
        replace_secret(account=account, secret=form.cleaned_data["auth_token"], api_key=form.api_key())
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


@tenant_view(Permission.MANAGE_SETTINGS)
@require_http_methods(["GET", "HEAD", "POST"])
def sender_pace(request: TenantRequest, sender_id: UUID) -> HttpResponse:
    """Change how fast a number may go."""
    sender = get_object_or_404(Sender, id=sender_id)
    known = {"parts_per_second": sender.parts_per_second, "parts_per_day": sender.parts_per_day}
    form = PaceForm(request.POST if request.method == "POST" else None, initial=known)
    if form.is_valid():
        set_pace(sender=sender, **form.cleaned_data)
        messages.success(request, "Pace changed. What waits goes on with it within ten minutes.")
        return redirect("senders")
    return _page(request, pace_form=form, pace_sender=sender, status=422 if form.is_bound else 200)


def _account_form_for(provider: str | None) -> type[AccountForm]:
    return ACCOUNT_FORMS.get(provider or "", next(iter(ACCOUNT_FORMS.values())))


def _page(
    request: TenantRequest,
    *,
    account_form: AccountForm | None = None,
    sender_form: SenderForm | None = None,
    token_form: TokenForm | None = None,
    token_account: ProviderAccount | None = None,
    pace_form: PaceForm | None = None,
    pace_sender: Sender | None = None,
    status: int = 200,
) -> HttpResponse:
    opened = {"account": account_form, "sender": sender_form, "token": token_form, "pace": pace_form}
    context = {
        "shown_dialog": next((name for name, form in opened.items() if form), ""),
        "senders": _with_pace(Sender.objects.select_related("provider_account").order_by("-is_default", "value")),
        "pools": _pools(),
        "accounts": _with_weight(ProviderAccount.objects.order_by("name")),
        "registrations": SenderRegistration.objects.select_related("sender").order_by("-id")[:MOST_REGISTRATIONS],
        "account_form": account_form or _account_form_for(None)(),
        "providers": [form.kind for form in ACCOUNT_FORMS.values()],
        "sender_form": sender_form or SenderForm(),
        "token_form": token_form,
        "token_account": token_account,
        "pace_form": pace_form,
        "pace_sender": pace_sender,
        "callback_base": f"{settings.PUBLIC_BASE_URL}/callbacks",
        "callbacks_reachable": settings.PUBLIC_BASE_URL.startswith("https://"),
        "may_manage": allowed(request.membership.role, Permission.MANAGE_SETTINGS),
    }
    return TemplateResponse(request, "messaging/sender_list.html", context, status=status)


def _pools() -> list[tuple[SenderPool, list[Sender]]]:
    members: dict[UUID, list[Sender]] = {}
    for sender in Sender.objects.exclude(pool=None).order_by("value"):
        if sender.pool_id:
            members.setdefault(sender.pool_id, []).append(sender)
    return [(pool, members.get(pool.id, [])) for pool in SenderPool.objects.order_by("-is_default", "name")]


def _with_weight(accounts: Iterable[ProviderAccount]) -> list[tuple[ProviderAccount, int]]:
    """Each account with its weight at the moment."""
    now = timezone.now()
    return [(account, current_weight(account, now)) for account in accounts]


def _with_pace(senders: QuerySet[Sender]) -> list[tuple[Sender, float | None, int, State]]:
    """Each number with its parts a second, its parts of today as far as they are counted, and its registration."""
    used = dict(SenderDay.objects.filter(day=day_of(timezone.now())).values_list("sender_id", "part_count"))
    known = list(senders.prefetch_related("numbers"))
    states = states_of(known)
    return [(sender, pace_of(sender), used.get(sender.id, 0), states[sender.id]) for sender in known]
