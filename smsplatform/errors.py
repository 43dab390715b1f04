"""Answers to requests that cannot be served."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

__all__ = ["csrf_failure"]


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form came without its token: usually the session ended while the page stood open."""
    return render(request, "403_csrf.html", status=403)
