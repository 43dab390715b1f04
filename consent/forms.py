"""The form that says for how long evidence is kept."""

from typing import Any

from django import forms

from consent.models import EvidenceRetention

__all__ = ["RetentionForm"]


class RetentionForm(forms.Form):
    """For how many years."""

    years = forms.IntegerField(
        label="Years",
        min_value=EvidenceRetention.USUAL_YEARS,
        max_value=EvidenceRetention.MOST_YEARS,
        help_text="From 5, which US law asks for (16 CFR 310.5), to 30.",
    )

    def __init__(self, *args: Any, years: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial = {"years": years}
