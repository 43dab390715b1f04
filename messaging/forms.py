"""Forms of the messaging settings."""

import math
from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from messaging.merge_tags import names, problems
from messaging.models import SLOWEST, MessageTemplate, ProviderAccount, Sender
from messaging.pace.rules import TRUST_CLASSES

__all__ = ["ApprovalForm", "NumberForm", "PaceForm", "SenderForm", "TemplateForm", "WeatherForm"]


class SenderForm(forms.Form):
    """A number to send from."""

    account: forms.ModelChoiceField[ProviderAccount] = forms.ModelChoiceField(
        label="Account", queryset=None, empty_label="Choose an account"
    )
    value = forms.CharField(label="Number", max_length=40, help_text="A number of that account, or a short code.")
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


class WeatherForm(forms.Form):
    """How the simulated phone network behaves towards all texts."""

    outage = forms.ChoiceField(
        label="Outage",
        required=False,
        choices=[("", "None"), ("503", "Every request is answered 503"), ("closed", "Every connection is closed")],
    )
    outage_seconds = forms.FloatField(
        label="Seconds until the outage ends", required=False, help_text="Empty: until you end it here."
    )
    disturbed_percent = forms.FloatField(
        label="Disturbed texts, in percent",
        min_value=0,
        max_value=100,
        help_text="Each gets one disturbance: refused, taken without an answer, receipts lost or in the wrong order.",
    )
    seed = forms.IntegerField(
        label="Seed", min_value=0, max_value=2**31, help_text="Decides which texts are disturbed, and how."
    )
    latency = forms.ChoiceField(
        label="Latency",
        choices=[
            ("uniform", "Between half and one and a half of the usual"),
            ("fixed", "Always the usual"),
            ("lognormal", "Mostly the usual, now and then much more"),
        ],
    )
    usual_ms = forms.FloatField(label="Usual latency, in milliseconds")
    slowest_ms = forms.FloatField(
        label="99 of 100 take no longer than, in milliseconds",
        required=False,
        help_text="For a latency that is now and then much more.",
    )

    @classmethod
    def showing(cls, told: Mapping[str, Any]) -> "WeatherForm":
        """A form that shows what the network tells."""
        outage, latency = told["outage"] or {}, told["latency"]
        left = outage.get("seconds_left")
        return cls(
            initial={
                "outage": outage.get("answer", ""),
                "outage_seconds": None if left is None else math.ceil(left),
                "disturbed_percent": _short(told["rate"] * 100),
                "seed": told["seed"],
                "latency": latency["kind"],
                "usual_ms": _short(latency["p50_ms"]),
                "slowest_ms": _short(latency["p99_ms"]),
            }
        )

    def wanted(self) -> dict[str, object]:
        """What the network is to be told, of a valid form."""
        data = self.cleaned_data
        latency: dict[str, object] = {"kind": data["latency"], "p50_ms": data["usual_ms"]}
        if data["slowest_ms"] is not None:
            latency["p99_ms"] = data["slowest_ms"]
        outage = {"answer": data["outage"], "seconds": data["outage_seconds"]} if data["outage"] else None
        rate = data["disturbed_percent"] / 100
        return {"outage": outage, "rate": rate, "seed": data["seed"], "latency": latency}


def _short(value: float) -> str:
    return f"{value:.6g}"
