"""Callbacks from providers: verified, stored raw, and acted on where it cannot wait; the rest is left to tasks.

The account is named by the address, and only its stored secret can vouch for the request.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Final
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from common.failpoints import failpoint
from common.ids import id_in
from common.retries import insist
from messaging.models import ProviderAccount
from messaging.pipeline import intake
from messaging.pipeline.handover import provider_for
from messaging.pipeline.intake import TAKE_SECONDS, StatusCallback, UnknownAccount
from messaging.providers.base import CallbackRefused, CallbackRequest
from messaging.providers.forms import MAX_CALLBACK_BYTES
from messaging.services import receive
from tenants.access import public_view
from tenants.scope import all_tenants, tenant_scope

__all__ = ["inbound", "status"]

_SIGNED: Final = "a provider calls it; the account's signature is required"


@csrf_exempt
@public_view(_SIGNED)
@require_POST
def inbound(request: HttpRequest, kind: str, account_id: UUID) -> HttpResponse:
    """A person's text. 204 means that it is stored and that an opt-out in it holds."""

    def take(tenant_id: UUID, callback: CallbackRequest) -> None:
        insist(lambda: _take_inbound(tenant_id, kind, account_id, callback), seconds=TAKE_SECONDS)

    answer = _answer(request, account_id, take)
    failpoint("after_inbound_commit")
    return answer


@csrf_exempt
@public_view(_SIGNED)
@require_POST
def status(request: HttpRequest, kind: str, account_id: UUID) -> HttpResponse:
    """News about a message; the attempt is named in the signed address. 204 means that it is stored."""

    def take(tenant_id: UUID, callback: CallbackRequest) -> None:
        intake.take(tenant_id, StatusCallback(kind, account_id, id_in(request.GET.get("a")), callback))

    answer = _answer(request, account_id, take)
    failpoint("after_receipt_commit")
    return answer


def _answer(request: HttpRequest, account_id: UUID, take: Callable[[UUID, CallbackRequest], None]) -> HttpResponse:
    try:
        # Before the body is read: nobody who knows no account may keep a thread waiting for one.
        tenant_id = _tenant_of(account_id)
        take(tenant_id, _callback(request))
    except UnknownAccount:
        return HttpResponse(status=404)
    except CallbackRefused as refusal:
        return HttpResponse(status=refusal.status)
    return HttpResponse(status=204)


def _take_inbound(tenant_id: UUID, kind: str, account_id: UUID, callback: CallbackRequest) -> None:
    with tenant_scope(tenant_id):
        account = ProviderAccount.objects.filter(id=account_id, kind=kind).first()
        if account is None:
            raise UnknownAccount
        receive(account, provider_for(account).read_inbound(callback))
        failpoint("before_inbound_commit")


def _callback(request: HttpRequest) -> CallbackRequest:
    """The request as the provider signed it: over the configured public address, never over forwarded headers."""
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not length.isdigit() or int(length) > MAX_CALLBACK_BYTES:
        raise CallbackRefused(413, "too large")
    query = request.META.get("QUERY_STRING", "")
    return CallbackRequest(
        url=f"{settings.PUBLIC_BASE_URL}{request.path}{'?' if query else ''}{query}",
        headers=request.headers,
        content_type=(request.content_type or "").lower(),
        body=request.body,
    )


@lru_cache(maxsize=10_000)
def _tenant_of(account_id: UUID) -> UUID:
    """The tenant of an account, which never changes; found across tenants because the request belongs to none yet."""
    with all_tenants("a callback finds its account by the id in its address"):
        tenant_id: UUID | None = (
            ProviderAccount.objects.filter(id=account_id).values_list("tenant_id", flat=True).first()
        )
    if tenant_id is None:
        raise UnknownAccount
    return tenant_id
