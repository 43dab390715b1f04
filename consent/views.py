"""The ledger's state and its checkpoints for those who keep them, and the public keys for everybody."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Self

from django.conf import settings
from django.db.models import Min
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.views.decorators.http import require_GET

from consent.daily import give_out
from consent.models import Checkpoint, DailyCheckpoint, LedgerKey, PendingSeal
from consent.notes import public_key_line
from consent.sealing import signer
from consent.stuck import SEALED_WITHIN
from tenants.access import TenantRequest, public_view, tenant_view
from tenants.permissions import Permission

__all__ = ["ledger", "ledger_checkpoint", "ledger_keys"]

_TEXT: Final = "text/plain; charset=utf-8"
DAYS_A_PAGE: Final = 31


def _keys() -> list[str]:
    """The public keys that checkpoints are, and were, signed with: today's first."""
    today = [public_key_line(signer().public_key)] if settings.LEDGER_SIGNING_KEY else []
    used = LedgerKey.objects.order_by("-first_used_at").values_list("public_key", flat=True)
    return list(dict.fromkeys([*today, *settings.LEDGER_PUBLIC_KEYS, *used]))


@public_view("whoever checks an evidence pack is no member, and must be able to find the key")
@require_GET
def ledger_keys(request: HttpRequest) -> HttpResponse:
    """The public keys, one a line: as text for programs and commands, as a page for a browser."""
    keys = _keys()
    if request.accepts("text/html") and "text/html" in request.headers.get("Accept", ""):
        return TemplateResponse(request, "consent/ledger_keys.html", {"keys": keys})
    return HttpResponse("".join(f"{line}\n" for line in keys), content_type=_TEXT)


@dataclass(frozen=True, slots=True)
class _State:
    """Where the active tenant's log stands."""

    newest: Checkpoint | None
    waiting_since: datetime | None
    late: bool
    """Something waits for longer than the sealer ever should."""

    @classmethod
    def now(cls) -> Self:
        oldest = PendingSeal.objects.aggregate(oldest=Min("created_at"))["oldest"]
        late = oldest is not None and oldest < timezone.now() - SEALED_WITHIN
        return cls(Checkpoint.objects.order_by("-size").first(), oldest, late)


@tenant_view(Permission.VIEW_AUDIT)
@require_GET
def ledger(request: TenantRequest) -> HttpResponse:
    """Settings, Consent ledger: its state, the checkpoint of each day, and the keys."""
    before = _day(request.GET.get("before"))
    days = DailyCheckpoint.objects.order_by("-day")
    rows = list((days.filter(day__lt=before) if before else days)[: DAYS_A_PAGE + 1])
    context = {
        "state": _State.now(),
        "days": rows[:DAYS_A_PAGE],
        "before": before,
        "next_before": rows[DAYS_A_PAGE - 1].day.isoformat() if len(rows) > DAYS_A_PAGE else "",
        "keys": _keys(),
        "signing": bool(settings.LEDGER_SIGNING_KEY),
    }
    return TemplateResponse(request, "consent/ledger.html", context)


def _day(typed: str | None) -> date | None:
    try:
        return parse_date(typed or "")
    except ValueError:
        return None


@tenant_view(Permission.VIEW_AUDIT)
@require_GET
def ledger_checkpoint(request: TenantRequest, size: int | None = None) -> HttpResponse:
    """A checkpoint, the newest unless told, to be kept: whoever holds it can tell whether the log was changed since."""
    checkpoints = Checkpoint.objects.order_by("-size")
    found = (checkpoints if size is None else checkpoints.filter(size=size)).first()
    if found is None:
        raise Http404
    give_out(found)
    response = HttpResponse(found.note, content_type=_TEXT)
    response["Content-Disposition"] = f'attachment; filename="checkpoint-{found.size}.txt"'
    return response
