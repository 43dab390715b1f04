"""Forms about numbers that get no texts, and numbers that changed hands."""

from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile

from messaging.changed_list import MOST_BYTES, MOST_LINES

__all__ = ["ChangedNumbersForm", "OptOutListForm", "PartPriceForm"]


class NumberListForm(forms.Form):
    """A list of numbers, pasted or as a file."""

    most_lines = MOST_LINES

    lines = forms.CharField(
        label="Numbers",
        required=False,
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false"}),
        help_text="One on each line.",
    )
    file = forms.FileField(
        label="Or a file with such lines",
        required=False,
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,text/csv,text/plain"}),
        error_messages={"empty": "The file is empty."},
    )

    def clean_file(self) -> str:
        """What stands in the file."""
        file: UploadedFile[Any] | None = self.cleaned_data.get("file")
        if not file:
            return ""
        if (file.size or 0) > MOST_BYTES:
            raise ValidationError(self._too_long)
        content: bytes = file.read()
        try:
            return content.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise ValidationError("This is no text file. Save the list as CSV (UTF-8).") from None

    def clean(self) -> dict[str, Any]:
        """Something to read, and not too much of it."""
        data = super().clean() or {}
        text = f"{data.get('lines', '')}\n{data.get('file', '')}"
        if not self.errors and not text.strip():
            self.add_error("lines", "Paste some numbers, or choose a file.")
        if text.count("\n") > self.most_lines or len(text) > MOST_BYTES:
            self.add_error("lines", self._too_long)
        data["text"] = text.strip("\n")
        return data

    @property
    def _too_long(self) -> str:
        return f"At most {self.most_lines:,} lines and {MOST_BYTES // 1_000_000} MB at a time. Split the list."


class ChangedNumbersForm(NumberListForm):
    """Numbers with the days on which they changed hands."""

    day = forms.DateField(
        label="Day for lines that name none",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text="Empty: today.",
    )

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = today
        self.fields[
            "lines"
        ].help_text = "One on each line, with the day on which it was disconnected or given to somebody else: +12025550123, 2026-03-31"

    def clean_day(self) -> date:
        """The day, today unless told."""
        day: date = self.cleaned_data.get("day") or self.today
        if day > self.today:
            raise ValidationError("This day is still to come.")
        return day


class OptOutListForm(NumberListForm):
    """Numbers that are to get no texts any more."""

    most_lines = 10_000

    note = forms.CharField(
        label="Where the list comes from",
        min_length=3,
        max_length=200,
        help_text="Such as “unsubscribed by e-mail in March”. It is kept with each opt-out.",
    )


class PartPriceForm(forms.Form):
    """What a part costs."""

    price = forms.DecimalField(
        label="Price of one part",
        min_value=Decimal("0.000001"),
        max_value=Decimal(10),
        max_digits=8,
        decimal_places=6,
        help_text="What your provider and the carriers charge for 160 characters, such as 0.0112.",
    )
    currency = forms.ChoiceField(
        label="Currency", choices=[(code, code) for code in ("USD", "CAD", "EUR", "GBP", "AUD", "CHF")]
    )

    def micros(self) -> int:
        """The price in millionths."""
        price: Decimal = self.cleaned_data["price"]
        return int(price * 1_000_000)
