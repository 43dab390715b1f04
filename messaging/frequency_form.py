"""The form of a tenant's own limit for one kind of text."""

from typing import Any, Final

from django import forms

from consent.frequency_limits import Policy

__all__ = ["FrequencyForm"]

_WINDOWS: Final = {24: "24 hours", 48: "48 hours", 168: "7 days", 336: "14 days", 720: "30 days"}


class FrequencyForm(forms.Form):
    """Whether there is a limit, which one, and whether these texts count."""

    obeys = forms.BooleanField(label="Keep these texts to a limit", required=False)
    texts = forms.IntegerField(
        label="At most", min_value=1, max_value=100, help_text="Texts to one person, from 1 to 100."
    )
    hours = forms.TypedChoiceField(label="In any", choices=list(_WINDOWS.items()), coerce=int)
    counts = forms.BooleanField(
        label="Count these texts",
        required=False,
        help_text="They then use up the limits of other kinds of text, too.",
    )

    def __init__(self, *args: Any, policy: Policy, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial = {"obeys": policy.obeys, "texts": policy.texts, "hours": policy.hours, "counts": policy.counts}

    def policy(self) -> Policy:
        """What was chosen."""
        data = self.cleaned_data
        return Policy(texts=data["texts"], hours=data["hours"], counts=data["counts"], obeys=data["obeys"])
