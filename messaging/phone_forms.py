"""Forms of the virtual phones."""

import math
from collections.abc import Mapping
from typing import Any

from django import forms

from messaging.providers.simulator.scripts import LONGEST_WAIT, Script

__all__ = ["ScriptForm", "WeatherForm"]


class ScriptForm(forms.Form):
    """What a virtual phone answers by itself."""

    lines = forms.CharField(
        label="Answers",
        required=False,
        strip=False,
        max_length=40_000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="A line for each: words of the text -> answer. * is any text. Each line answers once; saving starts anew.",
    )
    seconds = forms.FloatField(
        label="Seconds before an answer", min_value=0, max_value=LONGEST_WAIT, initial=1.0, widget=forms.NumberInput
    )

    @classmethod
    def showing(cls, script: Script) -> "ScriptForm":
        """A form with what is set."""
        return cls(initial={"lines": script.text, "seconds": _short(script.seconds)})

    def clean(self) -> dict[str, Any]:
        """The typed lines become a script."""
        data = super().clean() or self.cleaned_data
        try:
            data["script"] = Script.parse(data.get("lines", ""), seconds=data.get("seconds") or 0.0)
        except ValueError as error:
            self.add_error("lines", str(error))
        return data


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
