"""What somebody typed into a search box."""

from typing import Final

from django.http import HttpRequest

__all__ = ["search_text"]

_MAX_LENGTH: Final = 80


def search_text(request: HttpRequest, name: str = "q") -> str:
    """The text without outer blanks, cut to what could match; no NUL, which PostgreSQL refuses in any text."""
    return request.GET.get(name, "").replace("\x00", "").strip()[:_MAX_LENGTH]
