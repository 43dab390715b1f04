"""Inputs that Django has none for."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.forms.renderers import BaseRenderer
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

__all__ = ["SuggestingInput"]


class SuggestingInput(forms.TextInput):
    """A line that offers known values, each with a note, and takes others too."""

    def __init__(self, suggestions: Iterable[tuple[str, str]], attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs)
        self.suggestions = list(suggestions)

    def render(
        self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: BaseRenderer | None = None
    ) -> SafeString:
        list_id = f"suggested-{name}"
        line = super().render(name, value, {**(attrs or {}), "list": list_id, "autocomplete": "off"}, renderer)
        offered = format_html_join("", '<option value="{}">{}</option>', self.suggestions)
        return format_html('{}<datalist id="{}">{}</datalist>', line, list_id, offered)
