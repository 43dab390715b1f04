"""The virtual phones: what people of a demo or a test see, and where they reply.

They belong to the people, not to a tenant, so they need no membership. They exist only while the simulator is on,
and answer nobody but this machine itself unless the viewer is a platform admin.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import update_wrapper
from typing import Concatenate, Final, ParamSpec

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_GET
from redis.exceptions import RedisError

from common.client_address import from_this_machine
from common.form_pages import form_of
from common.phone_numbers import is_e164
from common.rate_limit import within_limit
from common.search import search_text
from messaging.forms import WeatherForm
from messaging.providers.simulator.handsets import Handset, Handsets, ShownText
from messaging.providers.simulator.keypad import NetworkProblem, type_reply
from messaging.views.phone_weather import change_weather, weather_panel
from tenants.access import public_view

__all__ = ["phone", "phone_reply", "phones", "phones_weather"]

PER_PAGE: Final = 24
MAX_TYPED: Final = 1600
QUICK_REPLIES: Final = ("STOP", "HELP", "START", "YES")
P = ParamSpec("P")


@dataclass(frozen=True, slots=True)
class _Bubble:
    """A text as a phone shows it: what arrived there is "in"."""

    direction: str
    text: str
    at: datetime
    sender: str


def _phone_view(
    view: Callable[Concatenate[HttpRequest, P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    def run(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if not settings.SIMULATOR_ENABLED or not (
            from_this_machine(request) or getattr(request.user, "is_staff", False)
        ):
            raise Http404
        try:
            return view(request, *args, **kwargs)
        except RedisError:
            # Their texts are nowhere else.
            text = "The simulated phones cannot be reached. Start Redis, or start the product again."
            return HttpResponse(text, status=503, content_type="text/plain")

    return public_view("the people of the simulated phone network have no account; local or platform admin only")(
        update_wrapper(run, view)
    )


@_phone_view
@require_GET
def phones(request: HttpRequest) -> HttpResponse:
    """A row of phones with their newest texts; ``?q=`` finds a number, ``?part=`` answers the polling."""
    return _phones_page(request)


@_phone_view
@form_of("phones")
def phones_weather(request: HttpRequest) -> HttpResponse:
    """Change the network's weather."""
    form = WeatherForm(request.POST)
    if change_weather(form):
        messages.success(request, "The network's weather has changed.")
        return redirect("phones")
    return _phones_page(request, form)


def _phones_page(request: HttpRequest, weather_form: WeatherForm | None = None) -> HttpResponse:
    search = search_text(request)
    digits = "".join(c for c in search if c.isascii() and c.isdigit())
    page = _page_number(request)
    store = Handsets(settings.REDIS_URL)
    shown: list[Handset] = []
    if not search:
        shown = store.recent(offset=page * PER_PAGE, limit=PER_PAGE)
    elif digits:
        shown = store.matching(digits, limit=PER_PAGE)
    context = {
        "handsets": [(handset.number, _bubbles(handset)) for handset in shown],
        "arrived": store.arrived(),
        "q": search,
        "page_number": page,
        "previous_page": page - 1 if page and not search else None,
        "next_page": page + 1 if not search and len(shown) == PER_PAGE else None,
    }
    if getattr(request, "htmx", False) and request.GET.get("part") == "phones":
        return TemplateResponse(request, "messaging/_phones.html", context)
    context["weather"] = weather_panel(weather_form)
    return TemplateResponse(request, "messaging/phone_list.html", context, status=422 if weather_form else 200)


@_phone_view
@require_GET
def phone(request: HttpRequest, number: str) -> HttpResponse:
    """One phone with its thread and a box to reply."""
    if not is_e164(number):
        raise Http404
    return _phone_page(request, number)


@_phone_view
@form_of("phone")
def phone_reply(request: HttpRequest, number: str) -> HttpResponse:
    """Type a reply on a phone; the network carries it to the platform like any other."""
    if not is_e164(number):
        raise Http404
    body, to = request.POST.get("body", "").strip()[:MAX_TYPED], request.POST.get("to", "")
    problem = _send(number, to, body)
    if problem:
        return _phone_page(request, number, typed=body, chosen=to, problem=problem)
    return redirect("phone", number)


def _send(number: str, to: str, body: str) -> str:
    """Carry the text; what is wrong with it, or an empty string."""
    if not body:
        return "Type a text first."
    if not to:
        return "Choose whom the text goes to."
    if not within_limit(f"phone:{number}", per_minute=60):
        return "Too many texts from this phone in one minute. Wait a moment."
    try:
        type_reply(settings.SIMULATOR_URL, settings.SIMULATOR_SECRET, number=number, to=to, body=body)
    except (NetworkProblem, RedisError) as problem:
        return str(problem)
    return ""


def _phone_page(
    request: HttpRequest, number: str, *, typed: str = "", chosen: str = "", problem: str = ""
) -> HttpResponse:
    handset = Handsets(settings.REDIS_URL).one(number)
    senders = list(dict.fromkeys(text.sender for text in reversed(handset.texts)))
    context = {
        "number": number,
        "texts": _bubbles(handset),
        "senders": senders,
        "quick_replies": QUICK_REPLIES,
        "typed": typed,
        "chosen": chosen if chosen in senders else "",
        "problem": problem,
    }
    partial = getattr(request, "htmx", False) and request.GET.get("part") == "thread"
    if partial:
        # A page shown before the first text came has no box to reply yet.
        headers = {"HX-Refresh": "true"} if senders and request.GET.get("shown") == "empty" else {}
        return TemplateResponse(request, "messaging/_phone_thread.html", context, headers=headers)
    return TemplateResponse(request, "messaging/phone_detail.html", context, status=422 if problem else 200)


def _bubbles(handset: Handset) -> list[_Bubble]:
    return [_bubble(text) for text in handset.texts]


def _bubble(text: ShownText) -> _Bubble:
    at = datetime.fromtimestamp(text.at, tz=UTC)
    return _Bubble("in" if text.incoming else "out", text.body, at, text.sender)


def _page_number(request: HttpRequest) -> int:
    text = request.GET.get("page", "0")
    return min(int(text), 10_000) if text.isascii() and text.isdigit() and len(text) < 7 else 0
