"""The form of a tenant's own hours: a week, one stretch of time a day."""

from collections.abc import Iterator
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.forms import BoundField

from consent.own_hours import Week
from consent.quiet_hours import WEEKDAYS, seconds_of

__all__ = ["DAY_NAMES", "HoursForm"]

DAY_NAMES: Final = dict(
    zip(WEEKDAYS, ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"), strict=True)
)
_TIMES: Final = [f"{minutes // 60:02d}:{minutes % 60:02d}" for minutes in range(0, 24 * 60 + 1, 30)]
_CLOSED: Final = ("", "No texts")


class HoursForm(forms.Form):
    """From when until when, for each day of the week, on the clock of whoever gets the text."""

    def __init__(self, *args: Any, week: Week, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for day, name in DAY_NAMES.items():
            start, end = (week[day][0][0], week[day][-1][1]) if week[day] else ("", "")
            times = [(time, time) for time in sorted({*_TIMES, start, end} - {""})]
            self.fields[f"{day}_from"] = forms.ChoiceField(
                label=f"{name} from", choices=[_CLOSED, *times], required=False, initial=start
            )
            self.fields[f"{day}_until"] = forms.ChoiceField(
                label=f"{name} until", choices=[_CLOSED, *times], required=False, initial=end
            )

    def clean(self) -> dict[str, Any]:
        """Both ends or none, in order; some day is open."""
        data = super().clean() or {}
        for day, name in DAY_NAMES.items():
            start, end = data.get(f"{day}_from", ""), data.get(f"{day}_until", "")
            if bool(start) != bool(end):
                self.add_error(f"{day}_until", f"Choose both times of {name}, or “No texts” twice.")
            elif start and seconds_of(start) >= seconds_of(end):
                self.add_error(
                    f"{day}_until", "It ends before it begins. What should go after midnight belongs to the next day."
                )
        if not self.errors and not any(self.week().values()):
            raise ValidationError("Leave some hours open, or nothing would ever go.")
        return data

    def week(self) -> dict[str, list[list[str]]]:
        """The hours as they are stored."""
        data = self.cleaned_data
        return {
            day: [[data[f"{day}_from"], data[f"{day}_until"]]] if data.get(f"{day}_from") else [] for day in WEEKDAYS
        }

    def days(self) -> Iterator[tuple[str, BoundField, BoundField]]:
        """Each day with its two fields."""
        for day, name in DAY_NAMES.items():
            yield name, self[f"{day}_from"], self[f"{day}_until"]
