"""What readers of evidence need from us: the public keys, and checkpoints to keep."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from consent.models import Checkpoint, LedgerKey
from consent.notes import public_key_line
from consent.sealing import signer
from tenants.access import TenantRequest, public_view, tenant_view
from tenants.permissions import Permission

__all__ = ["ledger_checkpoint", "ledger_keys"]

_TEXT = "text/plain; charset=utf-8"


@public_view("whoever checks an evidence pack is no member, and must be able to find the key")
@require_GET
def ledger_keys(request: HttpRequest) -> HttpResponse:
    """The public keys that checkpoints are, and were, signed with: one a line, today's first."""
    today = [public_key_line(signer().public_key)] if settings.LEDGER_SIGNING_KEY else []
    used = LedgerKey.objects.order_by("-first_used_at").values_list("public_key", flat=True)
    lines = dict.fromkeys([*today, *settings.LEDGER_PUBLIC_KEYS, *used])
    return HttpResponse("".join(f"{line}\n" for line in lines), content_type=_TEXT)


@tenant_view(Permission.VIEW_AUDIT)
@require_GET
def ledger_checkpoint(request: TenantRequest) -> HttpResponse:
    """The newest checkpoint, to be kept: whoever holds it can tell whether the log was changed since."""
    newest = Checkpoint.objects.order_by("-size").first()
    response = HttpResponse(newest.note if newest else "", content_type=_TEXT, status=200 if newest else 404)
    if newest:
        response["Content-Disposition"] = f'attachment; filename="checkpoint-{newest.size}.txt"'
    return response
