"""The virtual phones: what people of a demo or a test see, and the weather of their network."""

from typing import Final

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_GET

from common.form_pages import form_of
from common.search import search_text
from messaging.phone_forms import WeatherForm
from messaging.providers.simulator.handsets import Handset, Handsets
from messaging.views.bubbles import bubbles_of
from messaging.views.phone_access import phone_view
from messaging.views.phone_weather import change_weather, weather_panel

__all__ = ["phones", "phones_weather"]

PER_PAGE: Final = 24


@phone_view
@require_GET
def phones(request: HttpRequest) -> HttpResponse:
    """A row of phones with their newest texts; ``?q=`` finds a number, ``?part=`` answers the polling."""
    return _phones_page(request)


@phone_view
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
        "handsets": [(handset.number, bubbles_of(handset)) for handset in shown],
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


def _page_number(request: HttpRequest) -> int:
    text = request.GET.get("page", "0")
    return min(int(text), 10_000) if text.isascii() and text.isdigit() and len(text) < 7 else 0
