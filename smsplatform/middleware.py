"""What holds for every request: health before all else, bounds on bodies, headers of every page."""

from collections.abc import Callable
from typing import Final

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotAllowed
from django.urls import Resolver404, resolve, reverse

from common.client_address import client_address
from smsplatform.errors import only_a_form, too_large, unreadable
from tenants.services import note_seen

__all__ = ["BoundedBodies", "CallbacksShort", "HealthFirst", "PagesForForms", "PrivateResponses", "SeenSessions"]

MEGABYTE: Final = 1024 * 1024

Answer = Callable[[HttpRequest], HttpResponseBase]


class HealthFirst:
    """Answers a load balancer before the host is checked: it asks by address, which is no host of the product."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response
        self.paths = {reverse("livez"), reverse("readyz")}

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info not in self.paths:
            return self.get_response(request)
        answer: HttpResponseBase = resolve(request.path_info).func(request)
        return answer


class CallbacksShort:
    """Takes what a provider posts past sessions, cookies and the headers of pages: a callback has none of them, and at
    hundreds a second they would cost more than the callback itself.

    Its signature is what admits it, and its answer is a status without a body.
    """

    PREFIX: Final = "/callbacks/"

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.method != "POST" or not request.path_info.startswith(self.PREFIX):
            return self.get_response(request)
        try:
            view, args, kwargs = resolve(request.path_info)
        except Resolver404:
            return self.get_response(request)
        refusal = _unbounded(request) or (
            too_large(request) if _length(request) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE else None
        )
        answer: HttpResponseBase = refusal or view(request, *args, **kwargs)
        return answer


def _unbounded(request: HttpRequest) -> HttpResponseBase | None:
    """The refusal of a body whose length is not told, or not with a number."""
    if request.META.get("HTTP_TRANSFER_ENCODING"):
        return unreadable(request, 411)
    length = request.META.get("CONTENT_LENGTH") or "0"
    return None if length.isascii() and length.isdigit() else unreadable(request, 400)


def _length(request: HttpRequest) -> int:
    return int(request.META.get("CONTENT_LENGTH") or "0")


class BoundedBodies:
    """Refuses a body by its headers, before anything reads it: too large, or of unknown length.

    Only signed-in people may upload an import file; everything else is a form.
    """

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response
        self.upload_path = reverse("imports")

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return _unbounded(request) or self._too_large(request) or self.get_response(request)

    def _too_large(self, request: HttpRequest) -> HttpResponseBase | None:
        length = _length(request)
        if length <= settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            return None
        if request.path_info != self.upload_path:
            return too_large(request)
        # The largest file and the form around it.
        if length > settings.IMPORT_MAX_BYTES + MEGABYTE:
            return too_large(request, file_megabytes=settings.IMPORT_MAX_BYTES // MEGABYTE)
        if not request.user.is_authenticated:
            # The session ended while the file was chosen.
            return redirect_to_login(self.upload_path)
        return None


class PagesForForms:
    """Whoever opens the address of a form gets a page that says so."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        return only_a_form(request, response) if isinstance(response, HttpResponseNotAllowed) else response


class PrivateResponses:
    """Keeps what a signed-in person sees out of shared and browser caches."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if not response.has_header("Cache-Control"):
            response["Cache-Control"] = "no-store"
        return response


class SeenSessions:
    """Notes which sessions people are signed in with: the list from which they end them, and we do."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        # What never asked who is there (callbacks, health) is not asked now.
        if request.session.accessed and request.user.is_authenticated and request.session.session_key:
            note_seen(
                user=request.user,
                session_key=request.session.session_key,
                address=client_address(request),
                user_agent=request.headers.get("User-Agent", ""),
            )
        return response
