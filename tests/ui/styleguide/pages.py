"""Addresses and views of the style guide."""

import json
import time

import samples
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import include, path
from django.views.csrf import csrf_failure
from django.views.defaults import (
    bad_request,
    page_not_found,
    permission_denied,
    server_error,
)


def frame(request: HttpRequest) -> dict[str, object]:
    """Context that the product's context processor gives to every page."""
    return {
        "navigation": samples.NAVIGATION,
        "tenant": samples.TENANT,
        "membership": samples.MEMBERSHIP,
        "demo": True,
        "search_url": "/lists/",
        "phones_url": "/texts/",
        "help_url": "/lists/",
        "tenant_switch_url": "/lists/",
    }


def _page(request: HttpRequest, name: str, **context: object) -> HttpResponse:
    request.user = samples.PERSON  # type: ignore[assignment]
    return render(request, f"styleguide/{name}.html", context)


def overview(request: HttpRequest) -> HttpResponse:
    """Numbers, charts, progress, badges, notes."""
    for level in (messages.SUCCESS, messages.INFO, messages.WARNING, messages.ERROR):
        messages.add_message(request, level, "A message about what just happened.")
    return _page(
        request,
        "overview",
        bars=samples.BARS,
        lines=samples.LINES,
        empty_chart=samples.EMPTY_CHART,
        statuses=samples.STATUSES,
    )


def lists(request: HttpRequest) -> HttpResponse:
    """Filters, table, pages, empty states."""
    return _page(
        request,
        "lists",
        contacts=samples.CONTACTS,
        moment=samples.MOMENT,
        consent_choices=[("opted_in", "Opted in"), ("opted_out", "Opted out")],
        query=request.GET.get("q", ""),
    )


def forms(request: HttpRequest) -> HttpResponse:
    """A form, filled wrongly with ?wrong=1; posting always answers with its errors."""
    wrong = request.method == "POST" or "wrong" in request.GET
    form = samples.SampleForm({"email": "not-an-address"} if wrong else None)
    response = _page(request, "forms", form=form)
    response.status_code = 422 if request.method == "POST" else 200
    return response


def texts(request: HttpRequest) -> HttpResponse:
    """Conversation and phone."""
    return _page(request, "texts", thread=samples.THREAD, on_the_phone=samples.ON_THE_PHONE)


def asking(request: HttpRequest) -> HttpResponse:
    """Questions, dialogs, toasts, copying."""
    return _page(request, "asking", done=request.POST.get("done", ""))


def progress(request: HttpRequest) -> HttpResponse:
    """One answer to the polling progress bar; ends after some seconds."""
    value = int(time.time() * 10) % 100
    context = {"value": value, "poll_url": request.path if value < 95 else ""}
    return render(request, "styleguide/progress.html", context)


def act(request: HttpRequest) -> HttpResponse:
    """What an htmx button gets: nothing to show but a note in the corner."""
    note = {"toast": {"text": "Saved on the server.", "tone": "good"}}
    return HttpResponse(status=204, headers={"HX-Trigger": json.dumps(note)})


def fail(request: HttpRequest) -> HttpResponse:
    """What an htmx button gets when something is wrong."""
    return HttpResponse(status=500)


def plain(request: HttpRequest, name: str) -> HttpResponse:
    """A page of the account area in a state that is hard to reach from outside."""
    form = samples.PasswordForm({} if "wrong" in request.GET else None)
    context = {"form": form, "action_url": "/", "token_fail": "expired" in request.GET}
    return render(request, f"account/{name}.html", context)


urlpatterns = [
    path("", overview, name="home"),
    path("lists/", lists, name="lists"),
    path("forms/", forms, name="forms"),
    path("texts/", texts, name="texts"),
    path("asking/", asking, name="asking"),
    path("progress/", progress),
    path("act/", act),
    path("fail/", fail),
    path("plain/<slug:name>/", plain),
    path("errors/400/", lambda request: bad_request(request, ValueError())),
    path("errors/403/", lambda request: permission_denied(request, PermissionError())),
    path("errors/404/", lambda request: page_not_found(request, FileNotFoundError())),
    path("errors/500/", server_error),
    path("errors/csrf/", csrf_failure),
    path("accounts/", include("allauth.urls")),
]
