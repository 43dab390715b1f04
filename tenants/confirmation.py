"""Asking once more who it is, before what would hurt most in somebody else's hands: keys, exports, deletions.

A person has confirmed when they entered their password or their second step in this session within the last
``CONFIRMED_FOR``; signing in counts. Allauth keeps those proofs in the session and has the pages that ask.
"""

import time
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Concatenate, Final, ParamSpec, TypeVar
from urllib.parse import urlencode, urlsplit

from allauth.account.adapter import get_adapter
from allauth.account.authentication import get_authentication_records
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, resolve_url
from django_htmx.http import HttpResponseClientRedirect

__all__ = ["CONFIRMED_FOR", "confirmed_recently", "recently_confirmed"]

CONFIRMED_FOR: Final = timedelta(minutes=10)

AnyRequest = TypeVar("AnyRequest", bound=HttpRequest)
P = ParamSpec("P")
View = Callable[Concatenate[AnyRequest, P], HttpResponseBase]


def confirmed_recently(request: HttpRequest) -> bool:
    """Whether the person proved within ``CONFIRMED_FOR``, in this session, that it is them."""
    if not request.user.is_authenticated:
        return False
    proofs = get_authentication_records(request, request.user)
    return any(time.time() - proof["at"] < CONFIRMED_FOR.total_seconds() for proof in proofs)


def recently_confirmed(view: View[AnyRequest, P]) -> View[AnyRequest, P]:
    """The view runs only for somebody who confirmed recently; everybody else is asked first and led back.

    Put it below the declaration of who may call the view, so that only they are asked::

        @tenant_view(Permission.MANAGE_SETTINGS)
        @recently_confirmed
        def key_add(request: TenantRequest) -> HttpResponse: ...

    Guard the page with the form too: a form that is sent too late is not kept, because it may hold secrets. The person
    confirms, comes back to the page it was on, and is told to send it again. Works for htmx requests.
    """

    @wraps(view)
    def run(request: AnyRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        ways = get_adapter().get_reauthentication_methods(request.user)
        # An account without any way to confirm has no password yet; choosing one is all it can do.
        if confirmed_recently(request) or not ways:
            return view(request, *args, **kwargs)
        return _ask(request, ways[0]["url"])

    return run


def _ask(request: HttpRequest, asking: str) -> HttpResponse:
    if request.method not in ("GET", "HEAD"):
        messages.info(request, "Nothing was changed yet. Confirm that it is you, then send it again.")
    url = f"{asking}?{urlencode({'next': _page_of(request)})}"
    return HttpResponseClientRedirect(url) if getattr(request, "htmx", None) else redirect(url)


def _page_of(request: HttpRequest) -> str:
    """The page the person is on: its own address for a page, for a form or a part of a page where that stands."""
    in_page = getattr(request, "htmx", None)
    if request.method in ("GET", "HEAD") and not in_page:
        return request.get_full_path()
    came_from = urlsplit((in_page and in_page.current_url) or request.headers.get("Referer", ""))
    if came_from.netloc != request.get_host():
        return resolve_url("home")
    return f"{came_from.path}?{came_from.query}" if came_from.query else came_from.path
