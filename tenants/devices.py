"""In which browser somebody signs in: its name in plain words, and whether they signed in there before."""

import re
from typing import Final

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import salted_hmac

from tenants.models import User

__all__ = ["describe", "is_known", "remember"]

_COOKIE: Final = "__Host-devices" if settings.SESSION_COOKIE_SECURE else "devices"
_SALT: Final = "tenants.devices"
_KEPT_SECONDS: Final = 365 * 24 * 3600
_PEOPLE: Final = 10
"""So many people share one browser before the first of them is forgotten."""

_BROWSERS: Final = (("Edg", "Edge"), ("OPR", "Opera"), ("Firefox|FxiOS", "Firefox"), ("Chrom|CriOS", "Chrome"))
_SYSTEMS: Final = (
    ("iPhone", "an iPhone"),
    ("iPad", "an iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS", "a Mac"),
    ("CrOS", "a Chromebook"),
    ("Linux", "Linux"),
)


def describe(user_agent: str) -> str:
    """A browser by its own account: "Firefox on Windows". Only our own words, because anybody can send any others."""
    browser = _first(_BROWSERS, user_agent) or ("Safari" if "Safari" in user_agent else "A browser")
    system = _first(_SYSTEMS, user_agent)
    return f"{browser} on {system}" if system else browser


def _first(names: tuple[tuple[str, str], ...], user_agent: str) -> str:
    return next((name for pattern, name in names if re.search(pattern, user_agent)), "")


def is_known(request: HttpRequest, user: User) -> bool:
    """Whether this browser carries our note that this user signed in with it."""
    return _mark(user) in _people(request)


def remember(request: HttpRequest, response: HttpResponse, user: User) -> None:
    """Leave that note. It signs nobody in."""
    people = [mark for mark in _people(request) if mark != _mark(user)]
    response.set_cookie(
        _COOKIE,
        signing.dumps([*people, _mark(user)][-_PEOPLE:], salt=_SALT),
        max_age=_KEPT_SECONDS,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def _people(request: HttpRequest) -> list[str]:
    try:
        people = signing.loads(request.COOKIES.get(_COOKIE, ""), salt=_SALT, max_age=_KEPT_SECONDS)
    except signing.BadSignature:
        return []
    return people if isinstance(people, list) else []


def _mark(user: User) -> str:
    return salted_hmac(_SALT, str(user.pk), algorithm="sha256").hexdigest()[:32]
