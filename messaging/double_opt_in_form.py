"""The form that says which agreements to offers are to be confirmed by a YES."""

from typing import Any

from django import forms

from consent.double_opt_in import Wanted
from consent.models import DoubleOptIn

__all__ = ["DoubleOptInForm"]


class DoubleOptInForm(forms.Form):
    """How an agreement came in, and how long after the question a YES counts."""

    doors = forms.MultipleChoiceField(
        label="Ask for a YES after an agreement that came by",
        choices=DoubleOptIn.Door,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    days = forms.IntegerField(
        label="A YES counts for so many days after the question",
        min_value=1,
        max_value=90,
        help_text="From 1 to 90. Whoever does not answer in time gets no offers.",
    )

    def __init__(self, *args: Any, wanted: Wanted, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial = {"doors": sorted(wanted.doors), "days": wanted.days}
