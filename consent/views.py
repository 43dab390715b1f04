"""The ledger's state and its checkpoints for those who keep them, and the public keys for everybody."""

import json
import re
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from pathlib import Path
from typing import Final, Self

from django.conf import settings
from django.contrib import messages
from django.db.models import Func, IntegerField
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.views.decorators.http import require_GET, require_http_methods

from consent import verifier
from consent.daily import give_out
from consent.evidence import log_of
from consent.forms import RetentionForm
from consent.models import Checkpoint, DailyCheckpoint, LedgerKey, PendingSeal
from consent.notes import public_key_line
from consent.retention import set_years, years_in_force
from consent.sealing import signer
from consent.stuck import SEALED_WITHIN
from consent.verifier import read_keys
from tenants.access import TenantRequest, public_view, tenant_view
from tenants.permissions import Permission, allowed

__all__ = ["ledger", "ledger_checkpoint", "ledger_keys", "ledger_log", "ledger_verifier", "retention_edit"]

_TEXT: Final = "text/plain; charset=utf-8"
DAYS_A_PAGE: Final = 31
_LOOKED_AT: Final = 1_000
_ID_BYTES: Final = 16


def _keys() -> list[str]:
    """The public keys that checkpoints are, and were, signed with: today's first."""
    today = [public_key_line(signer().public_key)] if settings.LEDGER_SIGNING_KEY else []
    used = LedgerKey.objects.order_by("-first_used_at").values_list("public_key", flat=True)
    return list(dict.fromkeys([*today, *settings.LEDGER_PUBLIC_KEYS, *used]))


def _fingerprint(line: str) -> str:
    """SHA-256 of a key, in groups that can be read out on the telephone."""
    return " ".join(re.findall("....", sha256(read_keys(line)[0]).hexdigest()))


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
    waiting: int
    """Records; of the first ``_LOOKED_AT`` transactions."""
    waiting_since: datetime | None
    late: bool
    """Something waits for longer than the sealer ever should."""

    @classmethod
    def now(cls) -> Self:
        octets = Func("records", function="octet_length", output_field=IntegerField())
        pending = list(PendingSeal.objects.order_by("created_at").values_list("created_at", octets)[:_LOOKED_AT])
        oldest = pending[0][0] if pending else None
        waiting = sum(length for _, length in pending) // _ID_BYTES
        late = oldest is not None and oldest < timezone.now() - SEALED_WITHIN
        return cls(Checkpoint.objects.order_by("-size").first(), waiting, oldest, late)


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
        "keys": [(line, _fingerprint(line)) for line in _keys()],
        "signing": bool(settings.LEDGER_SIGNING_KEY),
        "years": years_in_force(),
        "may_keep": allowed(request.membership.role, Permission.MANAGE_TENANT),
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
    return _file(found.note, f"checkpoint-{found.size}.txt")


@tenant_view(Permission.VIEW_AUDIT)
@require_GET
def ledger_log(request: TenantRequest) -> HttpResponse:
    """The newest checkpoint with the proofs that its log goes on from those that were given out before."""
    newest = Checkpoint.objects.order_by("-size").first()
    if newest is None:
        raise Http404
    give_out(newest)
    return _file(json.dumps(log_of(newest), indent=1), "log.json")


@public_view("whoever checks what the ledger proves is no member; every evidence pack has the program too")
@require_GET
def ledger_verifier(request: HttpRequest) -> HttpResponse:
    """The program that checks evidence packs and logs of checkpoints, offline."""
    return _file(Path(verifier.__file__).read_text(encoding="utf-8"), "verifier.py")


def _file(content: str, name: str) -> HttpResponse:
    response = HttpResponse(content, content_type=_TEXT)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@tenant_view(Permission.MANAGE_TENANT)
@require_http_methods(["GET", "HEAD", "POST"])
def retention_edit(request: TenantRequest) -> HttpResponse:
    """Choose for how many years evidence of consent that is over is kept."""
    form = RetentionForm(request.POST if request.method == "POST" else None, years=years_in_force())
    if form.is_valid():
        set_years(years=form.cleaned_data["years"])
        messages.success(request, "Changed. What is older goes within a day.")
        return redirect("ledger")
    return TemplateResponse(
        request, "consent/retention_form.html", {"form": form}, status=422 if form.is_bound else 200
    )
