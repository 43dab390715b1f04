"""The public page behind ``consent.preferences``. Opening it changes nothing: programs that look at links open them too."""

from typing import Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.response import TemplateResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from common.client_address import client_address
from common.rate_limit import within_limit
from consent.preferences import Standing, find, standing, stop_all, stop_some
from consent.purposes import Purpose
from tenants.access import public_view
from tenants.models import Tenant
from tenants.scope import tenant_scope

__all__ = ["preferences"]

PER_MINUTE: Final = 30
_WHY: Final = "people who are texted have no account; the link that only their phone has admits them"
SAID: Final[dict[Purpose, str]] = {
    Purpose.MARKETING: "Offers and news",
    Purpose.TRANSACTIONAL: "News about my orders and bookings",
    Purpose.REMINDER: "Reminders of my appointments",
    Purpose.SUPPORT: "Answers to my questions",
}
STOP_ALL: Final = "Stop all texts"


@public_view(_WHY)
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def preferences(request: HttpRequest, token: str) -> HttpResponse:
    """What a person gets, with boxes to end parts of it and a button to end all."""
    if not within_limit(f"preferences:{client_address(request)}", per_minute=PER_MINUTE):
        return render(request, "429.html", status=429)
    found = find(token)
    if found is None:
        return render(request, "consent/preferences_gone.html", status=404)
    tenant_id, number = found
    with tenant_scope(tenant_id):
        tenant = Tenant.objects.get(id=tenant_id)
        now = standing(number)
        if request.method == "POST":
            _change(request, tenant, number, now)
            return redirect(f"{request.path}?saved=1")
        context = {
            "brand": tenant.brand_name,
            "ending": number[-4:],
            "stopped": now.stopped,
            "choices": [(purpose.value, SAID[purpose]) for purpose in now.purposes],
            "stop_all": STOP_ALL,
            "saved": "saved" in request.GET,
        }
        response = TemplateResponse(request, "consent/preferences.html", context).render()
    # The address is the key to the page.
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex"
    return response


def _change(request: HttpRequest, tenant: Tenant, number: str, now: Standing) -> None:
    evidence = {
        "page": "preferences",
        "address": client_address(request),
        "browser": request.headers.get("User-Agent", "")[:200],
        "shown": [SAID[purpose] for purpose in now.purposes],
    }
    if request.POST.get("everything"):
        stop_all(number=number, wording=f"{STOP_ALL} of {tenant.brand_name}", evidence=evidence)
        return
    kept = set(request.POST.getlist("keep"))
    ended = [purpose for purpose in now.purposes if purpose not in kept]
    if ended:
        words = ", ".join(SAID[purpose] for purpose in ended)
        stop_some(number=number, purposes=ended, wording=f"No longer: {words}", evidence=evidence)
