"""The virtual phones: what people of a demo or a test see, and where they reply.

They belong to the people, not to a tenant, so they need no membership. They exist only while the simulator is on,
and answer nobody but this machine itself unless the viewer is a platform admin.
"""

from collections.abc import Callable
from functools import update_wrapper
from ipaddress import ip_address
from typing import Concatenate, Final, ParamSpec

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_GET, require_POST
from redis.exceptions import RedisError

from common.phone_numbers import is_e164
from common.rate_limit import within_limit
from messaging.providers.simulator.handsets import Handset, Handsets
from messaging.providers.simulator.keypad import NetworkProblem, type_reply
from tenants.access import public_view

__all__ = ["phone", "phone_reply", "phones"]

PER_PAGE: Final = 24
P = ParamSpec("P")


def _phone_view(view: Callable[Concatenate[HttpRequest, P], HttpResponse]) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    def run(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if not settings.SIMULATOR_ENABLED or not (_is_local(request) or getattr(request.user, "is_staff", False)):
            raise Http404
        return view(request, *args, **kwargs)

    return public_view("the people of the simulated phone network have no account; local or platform admin only")(
        update_wrapper(run, view)
    )


def _is_local(request: HttpRequest) -> bool:
    if request.headers.get("X-Forwarded-For") or request.headers.get("Forwarded"):
        return False
    try:
        return ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False


@_phone_view
@require_GET
def phones(request: HttpRequest) -> HttpResponse:
    """A row of phones with their newest texts; ``?q=`` finds a number, ``?part=`` answers the polling."""
    digits = "".join(filter(str.isdigit, request.GET.get("q", "")))
    page = _page_number(request)
    store = Handsets(settings.REDIS_URL)
    shown: list[Handset]
    shown = store.matching(digits, limit=PER_PAGE) if digits else store.recent(offset=page * PER_PAGE, limit=PER_PAGE)
    context = {
        "handsets": shown,
        "arrived": store.arrived(),
        "q": request.GET.get("q", ""),
        "page_number": page,
        "next_page": page + 1 if not digits and len(shown) == PER_PAGE else None,
    }
    partial = getattr(request, "htmx", False) and request.GET.get("part") == "phones"
    return TemplateResponse(request, "messaging/_phones.html" if partial else "messaging/phone_list.html", context)


@_phone_view
@require_GET
def phone(request: HttpRequest, number: str) -> HttpResponse:
    """One phone with its thread and a box to reply."""
    if not is_e164(number):
        raise Http404
    handset = Handsets(settings.REDIS_URL).one(number)
    senders = list(dict.fromkeys(text.sender for text in reversed(handset.texts)))
    context = {"handset": handset, "senders": senders}
    partial = getattr(request, "htmx", False) and request.GET.get("part") == "thread"
    return TemplateResponse(request, "messaging/_phone_thread.html" if partial else "messaging/phone_detail.html", context)


@_phone_view
@require_POST
def phone_reply(request: HttpRequest, number: str) -> HttpResponse:
    """Type a reply on a phone; the network carries it to the platform like any other."""
    body, to = request.POST.get("body", "").strip()[:1600], request.POST.get("to", "")
    if not is_e164(number):
        raise Http404
    if not body or not to:
        messages.error(request, "Type a text and choose whom it goes to.")
    elif not within_limit(f"phone:{number}", per_minute=60):
        messages.error(request, "Too many texts from this phone in one minute. Wait a moment.")
    else:
        try:
            type_reply(settings.SIMULATOR_URL, settings.SIMULATOR_SECRET, number=number, to=to, body=body)
        except (NetworkProblem, RedisError) as problem:
            messages.error(request, str(problem))
    return redirect("phone", number)


def _page_number(request: HttpRequest) -> int:
    text = request.GET.get("page", "0")
    return min(int(text), 10_000) if text.isdecimal() and len(text) < 7 else 0
