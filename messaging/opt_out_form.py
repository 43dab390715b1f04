"""The form that says what a STOP ends."""

from typing import Any

from django import forms

from consent.models import OptOutRules
from consent.opt_out_scope import Chosen

__all__ = ["OptOutRulesForm"]


class OptOutRulesForm(forms.Form):
    """What the confirmation of an opt-out may ask, and whether a STOP to an offer ends offers alone."""

    keep = forms.ChoiceField(
        label="The confirmation of a STOP asks whether they want to keep",
        choices=OptOutRules.Keep.choices,
        required=False,
        widget=forms.RadioSelect,
        help_text="Only people who had agreed to it are asked, once. Who does not answer gets nothing at all.",
    )
    offers_alone = forms.BooleanField(
        label="A STOP that answers an offer ends offers only",
        required=False,
        help_text="STOPALL, or any request in other words, still ends everything.",
    )

    def __init__(self, *args: Any, chosen: Chosen, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial = {"keep": chosen.keep, "offers_alone": chosen.offers_alone}

    def rules(self) -> Chosen:
        """What was chosen."""
        return Chosen(keep=self.cleaned_data["keep"], offers_alone=self.cleaned_data["offers_alone"])
