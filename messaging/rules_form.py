"""The forms of the rules for one kind of text, and of the month's spending limit."""

from decimal import Decimal
from typing import Any

from django import forms

from consent.models import PurposeRules
from consent.models.purpose_rules import LONGEST_REPEAT_HOURS
from consent.purpose_rules import PURPOSES_WITH_FOOTER, Rules

__all__ = ["RulesForm", "SpendLimitForm"]


class RulesForm(forms.Form):
    """How people must have agreed, where the way out stands, and when the same words may go again."""

    agreement = forms.ChoiceField(
        label="How people must have agreed",
        choices=PurposeRules.Agreement.choices,
        widget=forms.RadioSelect,
        help_text="By law offers in the US need an agreement in writing: a form, a ticked box, an answer by text.",
    )
    footer = forms.ChoiceField(
        label="End with “Reply STOP to opt out, HELP for help.”",
        choices=PurposeRules.Footer.choices,
        widget=forms.RadioSelect,
        help_text="The first text to a person always says who you are and how to end it.",
    )
    repeat_hours = forms.IntegerField(
        label="Hours before the same words may go to a person again",
        min_value=0,
        max_value=LONGEST_REPEAT_HOURS,
        help_text=f"From 0 to {LONGEST_REPEAT_HOURS}. With 0 they may at any time.",
    )

    def __init__(self, *args: Any, purpose: str, rules: Rules, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial = {"agreement": rules.agreement, "footer": rules.footer, "repeat_hours": rules.repeat_hours}
        if purpose not in PURPOSES_WITH_FOOTER:
            del self.fields["footer"]

    def rules(self) -> Rules:
        """What was chosen."""
        return Rules(**{"footer": Rules().footer, **self.cleaned_data})


class SpendLimitForm(forms.Form):
    """What a month may cost."""

    limit = forms.DecimalField(
        label="Limit for a month",
        required=False,
        min_value=Decimal(1),
        max_value=Decimal(100_000_000),
        max_digits=11,
        decimal_places=2,
        help_text="Empty: no limit.",
    )

    def __init__(self, *args: Any, micros: int | None, currency: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["limit"].label = f"Limit for a month in {currency}"
        self.initial = {"limit": Decimal(micros) / 1_000_000 if micros else None}

    def micros(self) -> int | None:
        """The limit in millionths; None: there is to be none."""
        limit: Decimal | None = self.cleaned_data["limit"]
        return None if limit is None else int(limit * 1_000_000)
