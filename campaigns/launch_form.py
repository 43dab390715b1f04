"""The form that starts a campaign."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import ValidationError

__all__ = ["LaunchForm"]

LONGEST_SPREAD: Final = 72


class LaunchForm(forms.Form):
    """When to start; a large campaign is confirmed by typing how many people it is for.

    The time is the wall clock of ``zone``, the tenant's.
    """

    when = forms.ChoiceField(
        label="When", choices=[("now", "Now"), ("later", "At a later time")], widget=forms.RadioSelect, initial="now"
    )
    scheduled_at = forms.DateTimeField(
        label="Date and time",
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"],
    )
    spread_hours = forms.IntegerField(
        label="Send over so many hours",
        required=False,
        min_value=0,
        max_value=LONGEST_SPREAD,
        initial=0,
        help_text=f"0 to {LONGEST_SPREAD}. With 0 it goes as fast as your number may.",
    )
    is_emergency = forms.BooleanField(
        label="This is an emergency",
        required=False,
        help_text="About health, safety or an outage. It goes at any hour and past your limits; never to anybody who opted out or did not agree.",
    )
    emergency_reason = forms.CharField(
        label="What has happened",
        required=False,
        max_length=300,
        help_text="It is kept with the campaign and in the audit log.",
    )
    seen = forms.CharField(required=False, max_length=32, widget=forms.HiddenInput)
    """The ``version_of`` the campaign that the page shows."""
    confirmed_count = forms.CharField(
        label="Type the number of people to confirm",
        required=False,
        max_length=12,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )

    def __init__(self, *args: Any, zone: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.zone = ZoneInfo(zone)
        here = datetime.now(self.zone).replace(tzinfo=None, second=0, microsecond=0)
        field = self.fields["scheduled_at"]
        field.widget.attrs["min"] = f"{here:%Y-%m-%dT%H:%M}"
        field.initial = (here + timedelta(days=1)).replace(hour=10, minute=0)
        city = zone.rpartition("/")[2].replace("_", " ")
        field.help_text = f"By the clock in {city} ({datetime.now(self.zone):%Z}), where it is {here:%-I:%M %p} now."

    def clean_scheduled_at(self) -> datetime | None:
        # The field reads UTC; what was typed is the wall clock of the tenant.
        typed: datetime | None = self.cleaned_data["scheduled_at"]
        if typed is None:
            return None
        if typed.year > datetime.now(self.zone).year + 1:
            raise ValidationError("Choose a time within a year from now.")
        at = typed.replace(tzinfo=self.zone)
        if at.astimezone(UTC).astimezone(self.zone).replace(tzinfo=None) != typed.replace(tzinfo=None):
            raise ValidationError("The clocks skip this time on that day. Choose one an hour later.")
        return at

    def clean_confirmed_count(self) -> int | None:
        """The number as people write it: 12,500 or 12 500 is 12500."""
        digits = "".join(c for c in self.cleaned_data["confirmed_count"] if c not in ",. \u00a0\u202f")
        if not digits:
            return None
        if not (digits.isascii() and digits.isdigit()):
            raise ValidationError("Type the number in digits.")
        return int(digits)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("when") == "later" and not data.get("scheduled_at") and "scheduled_at" not in self.errors:
            self.add_error("scheduled_at", "Choose a date and time.")
        if not data.get("is_emergency"):
            data["emergency_reason"] = ""
        elif not data.get("emergency_reason"):
            self.add_error("emergency_reason", "Say what has happened.")
        elif data.get("when") != "now":
            self.add_error("is_emergency", "An emergency is sent now. Choose “Now”, or take this back.")
        return data
