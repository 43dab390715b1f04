"""Answers to requests that cannot be served.

None of them reads the body again: Django's own handlers check the form's token first, and a body that could not be
read once would then turn each of these answers into a 500.
"""

import sys

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import render
from django.template.loader import render_to_string

from common.retries import passes

__all__ = [
    "bad_request",
    "csrf_failure",
    "not_allowed",
    "not_found",
    "only_a_form",
    "server_error",
    "too_large",
    "unreadable",
]


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """The address or the form cannot be read."""
    if isinstance(exception, RequestDataTooBig):
        return too_large(request)
    return unreadable(request, 400)


def not_allowed(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """The role does not include it."""
    return render(request, "403.html", status=403)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """There is nothing here for this person."""
    return render(request, "404.html", status=404)


def only_a_form(request: HttpRequest, refusal: HttpResponseNotAllowed) -> HttpResponse:
    """The address takes a form and was opened like a page; Django's own answer to that is empty."""
    page = _plain(request, "405.html", {}, refusal.status_code)
    page["Allow"] = refusal["Allow"]
    return page


def server_error(request: HttpRequest) -> HttpResponse:
    """Something failed, perhaps everything: the page needs nothing."""
    if _database_is_away(sys.exc_info()[1]):
        return HttpResponse(render_to_string("503.html"), status=503, headers={"Retry-After": "30"})
    return HttpResponse(render_to_string("500.html"), status=500)


def _database_is_away(error: BaseException | None) -> bool:
    """Gone, full, or closed to writing: what passes by itself and is nobody's mistake."""
    if error is not None and passes(error):
        return True
    # 53: out of disk, memory or connections; 58: its files fail; 25006: it only reads.
    state = str(getattr(error.__cause__, "pgcode", "")) if isinstance(error, DatabaseError) else ""
    return state[:2] in ("53", "58") or state == "25006"


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form came without its token: usually the session ended while the page stood open."""
    return render(request, "403_csrf.html", status=403)


def unreadable(request: HttpRequest, status: int) -> HttpResponse:
    """The page of a request that is refused unread; made without session, database or form."""
    return _plain(request, "400.html", {}, status)


def too_large(request: HttpRequest, *, file_megabytes: int | None = None) -> HttpResponse:
    """More was sent than is taken: a file (``file_megabytes`` is the most that is), or else a form."""
    form_megabytes = settings.DATA_UPLOAD_MAX_MEMORY_SIZE // 1_000_000
    return _plain(request, "413.html", {"file_megabytes": file_megabytes, "form_megabytes": form_megabytes}, 413)


def _plain(request: HttpRequest, template: str, context: dict[str, object], status: int) -> HttpResponse:
    # Without context processors: they may ask for the session, the user or the messages.
    return HttpResponse(render_to_string(template, {"request": request, **context}), status=status)
