"""One virtual phone: its thread, a reply typed on it, and what it answers by itself."""

from typing import Final

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_GET
from redis.exceptions import RedisError

from common.form_pages import form_of
from common.phone_numbers import is_e164
from common.rate_limit import within_limit
from messaging.phone_forms import ScriptForm
from messaging.providers.simulator.handsets import Handsets
from messaging.providers.simulator.keypad import NetworkProblem, type_reply
from messaging.sender_values import can_be_answered
from messaging.views.bubbles import bubbles_of
from messaging.views.phone_access import phone_view

__all__ = ["phone", "phone_reply", "phone_script"]

MAX_TYPED: Final = 1600
QUICK_REPLIES: Final = ("STOP", "HELP", "START", "YES")


@phone_view
@require_GET
def phone(request: HttpRequest, number: str) -> HttpResponse:
    """One phone with its thread and a box to reply."""
    if not is_e164(number):
        raise Http404
    return _phone_page(request, number)


@phone_view
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


@phone_view
@form_of("phone")
def phone_script(request: HttpRequest, number: str) -> HttpResponse:
    """Set what a phone answers by itself; an empty script ends that."""
    if not is_e164(number):
        raise Http404
    form = ScriptForm(request.POST)
    if not form.is_valid():
        return _phone_page(request, number, script_form=form)
    Handsets(settings.REDIS_URL).keep_script(number, form.cleaned_data["script"])
    messages.success(request, "The phone's answers are saved.")
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
    request: HttpRequest,
    number: str,
    *,
    typed: str = "",
    chosen: str = "",
    problem: str = "",
    script_form: ScriptForm | None = None,
) -> HttpResponse:
    store = Handsets(settings.REDIS_URL)
    handset, script = store.one(number), store.script(number)
    writers = dict.fromkeys(text.sender for text in reversed(handset.texts))
    senders = [sender for sender in writers if can_be_answered(sender)]
    context = {
        "number": number,
        "texts": bubbles_of(handset),
        "senders": senders,
        "quick_replies": QUICK_REPLIES,
        "typed": typed,
        "chosen": chosen if chosen in senders else "",
        "problem": problem,
        "script_form": script_form or ScriptForm.showing(script),
        "script": script,
    }
    partial = getattr(request, "htmx", False) and request.GET.get("part") == "thread"
    if partial:
        # A page shown before the first text came has no box to reply yet.
        headers = {"HX-Refresh": "true"} if senders and request.GET.get("shown") == "empty" else {}
        return TemplateResponse(request, "messaging/_phone_thread.html", context, headers=headers)
    return TemplateResponse(
        request, "messaging/phone_detail.html", context, status=422 if problem or script_form else 200
    )
