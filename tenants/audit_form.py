"""The form above the audit log."""

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError

from tenants.audit_log import BY_PLATFORM, BY_PRODUCT, AuditSearch
from tenants.audit_words import GROUPS

__all__ = ["AuditSearchForm"]

_EARLIEST: Final = date(2000, 1, 1)
_LATEST: Final = date(2199, 12, 31)


class AuditSearchForm(forms.Form):
    """Which entries of the audit log to show."""

    by = forms.ChoiceField(label="Who", required=False)
    about = forms.ChoiceField(label="About", required=False, choices=[("", "Everything"), *GROUPS.items()])
    since = forms.DateField(label="From", required=False, widget=forms.DateInput(attrs={"type": "date"}))
    until = forms.DateField(label="To", required=False, widget=forms.DateInput(attrs={"type": "date"}))
    target = forms.UUIDField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, people: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        everybody = [("", "Everybody"), *people, (BY_PLATFORM, "Platform admins"), (BY_PRODUCT, "The product itself")]
        self.fields["by"].choices = everybody  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        for name in ("since", "until"):
            day = data.get(name)
            if day and not _EARLIEST <= day <= _LATEST:
                self.add_error(name, ValidationError("Choose a day after the year 2000."))
        if not self.errors and data["since"] and data["until"] and data["until"] < data["since"]:
            self.add_error("until", ValidationError("Choose a day that is not before the first one."))
        return data

    def search(self, zone: str) -> AuditSearch:
        """What is asked for, by the calendar of the zone."""
        data = self.cleaned_data
        return AuditSearch(data["by"], data["about"], data["target"], data["since"], data["until"], zone)
