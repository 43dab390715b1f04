"""The form that says for how long consent to one kind of text counts."""

from typing import Any

from django import forms

__all__ = ["ExpiryForm"]


class ExpiryForm(forms.Form):
    """After how many months consent ends."""

    months = forms.IntegerField(
        label="Months",
        required=False,
        min_value=1,
        max_value=120,
        help_text="From 1 to 120, counted from the day on which they agreed. Empty: it does not end.",
    )

    def __init__(self, *args: Any, months: int | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial = {"months": months}
