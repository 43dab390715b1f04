"""Forms of the messaging settings."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from common.phone_numbers import reading_format
from messaging.merge_tags import names, problems
from messaging.models import SLOWEST, MessageTemplate, ProviderAccount, Sender
from messaging.pace.rules import TRUST_CLASSES

__all__ = [
    "ApprovalForm",
    "NumberForm",
    "PaceForm",
    "PoolForm",
    "SenderForm",
    "TemplateForm",
    "WeightForm",
]


class SenderForm(forms.Form):
    """A number to send from."""

    account: forms.ModelChoiceField[ProviderAccount] = forms.ModelChoiceField(
        label="Account", queryset=None, empty_label="Choose an account"
    )
    value = forms.CharField(
        label="Number",
        max_length=40,
        help_text="A number of that account, a short code, the SID of a messaging service (MG…), or a name. Nobody can answer a name, and the US and Canada let none through.",
    )
    kind = forms.ChoiceField(label="Kind", choices=Sender.Kind)
    label = forms.CharField(label="Name for your team", max_length=60, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["account"].queryset = ProviderAccount.objects.order_by("name")  # type: ignore[attr-defined]


def _trust_classes() -> str:
    classes = "; ".join(f"{name} {pace.parts_per_second:g}" for name, pace in TRUST_CLASSES.items())
    return (
        "Empty: what carriers allow this kind of number. A local number with a registered campaign may go faster, "
        f"by the trust score of your brand, in parts a second: {classes} (from another provider's table, so look at "
        "your own registration)."
    )


class PaceForm(forms.Form):
    """How fast a number may go."""

    parts_per_second = forms.DecimalField(
        label="Parts a second",
        required=False,
        min_value=SLOWEST,
        max_value=1_000,
        decimal_places=2,
        help_text=_trust_classes(),
    )
    parts_per_day = forms.IntegerField(
        label="Parts a day",
        required=False,
        min_value=100,
        max_value=10_000_000,
        help_text="T-Mobile's cap of your brand, if there is one. The day begins at midnight Pacific time. Empty: no cap.",
    )


class _SenderChoices(forms.ModelMultipleChoiceField[Sender]):
    """Numbers, each with the pool that it would leave."""

    def label_from_instance(self, obj: Sender) -> str:
        named = f"{reading_format(obj.value)} ({obj.label})" if obj.label else reading_format(obj.value)
        return f"{named}, {obj.provider_account}{f', now in {obj.pool}' if obj.pool else ''}"


class PoolForm(forms.Form):
    """Numbers that stand in for each other."""

    name = forms.CharField(label="Name", max_length=60, help_text="For your team, for example: Local numbers.")
    senders = _SenderChoices(
        label="Numbers",
        queryset=None,
        widget=forms.CheckboxSelectMultiple,
        help_text="Those of several accounts, too: when one cannot send, the others go on.",
        error_messages={"required": "Choose at least one number."},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = (
            Sender.objects.exclude(kind=Sender.Kind.NAME).select_related("provider_account", "pool").order_by("value")
        )
        self.fields["senders"].queryset = known  # type: ignore[attr-defined]


class WeightForm(forms.Form):
    """How many of a pool's people an account carries."""

    weight = forms.IntegerField(
        label="Weight",
        min_value=1,
        max_value=100,
        help_text="1 to 100, beside the weights of your other accounts: of two with 60 and 20 the first carries three "
        "times as many new people. It falls by itself while the account has trouble, and comes back.",
    )


class NumberForm(forms.Form):
    """A number that may be texted in trial."""

    number = forms.CharField(
        label="Mobile number",
        max_length=40,
        help_text="With its area code, or with + and the country code.",
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel"}),
    )


class ApprovalForm(forms.Form):
    """What the platform's admins need to know before they approve a business."""

    plan = forms.CharField(
        label="What will you text, to whom, and how did they agree to it?",
        min_length=20,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text="Say where the form or the card is on which people agree, and about how many texts a month you send.",
    )
    agreed = forms.BooleanField(label="We text only people who agreed to it, and we never buy or rent lists.")


class TemplateForm(forms.ModelForm[MessageTemplate]):
    """A text to keep."""

    class Meta:
        model = MessageTemplate
        fields = ["name", "purpose", "body"]
        widgets = {"body": forms.Textarea(attrs={"rows": 5, "maxlength": 1600})}

    def clean_body(self) -> str:
        """Refuse what is certainly no tag; a name that no contact has a value for yet may get one."""
        body: str = self.cleaned_data["body"]
        broken = problems(body, names(body))
        if broken:
            raise ValidationError(broken)
        return body
