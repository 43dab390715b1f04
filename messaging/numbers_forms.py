"""Forms about numbers that get no texts, and numbers that changed hands."""

from datetime import date
from decimal import Decimal
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile

from messaging.changed_list import MOST_BYTES, MOST_LINES

__all__ = ["ChangedNumbersForm", "PartPriceForm"]

_TOO_LONG: Final = f"At most {MOST_LINES:,} lines and {MOST_BYTES // 1_000_000} MB at a time. Split the list."


class ChangedNumbersForm(forms.Form):
    """A list of numbers with days, pasted or as a file."""

    lines = forms.CharField(
        label="Numbers",
        required=False,
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false"}),
        help_text="One on each line, with the day on which it was disconnected or given to somebody else: "
        "+12025550123, 2026-03-31",
    )
    file = forms.FileField(
        label="Or a file with such lines",
        required=False,
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,text/csv,text/plain"}),
        error_messages={"empty": "The file is empty."},
    )
    day = forms.DateField(
        label="Day for lines that name none",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text="Empty: today.",
    )

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = today

    def clean_file(self) -> str:
        """What stands in the file."""
        file: UploadedFile[Any] | None = self.cleaned_data.get("file")
        if not file:
            return ""
        if (file.size or 0) > MOST_BYTES:
            raise ValidationError(_TOO_LONG)
        content: bytes = file.read()
        try:
            return content.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise ValidationError("This is no text file. Save the list as CSV (UTF-8).") from None

    def clean_day(self) -> date:
        """The day, today unless told."""
        day: date = self.cleaned_data.get("day") or self.today
        if day > self.today:
            raise ValidationError("This day is still to come.")
        return day

    def clean(self) -> dict[str, Any]:
        """Something to read, and not too much of it."""
        data = super().clean() or {}
        text = f"{data.get('lines', '')}\n{data.get('file', '')}"
        if not self.errors and not text.strip():
            self.add_error("lines", "Paste some numbers, or choose a file.")
        if text.count("\n") > MOST_LINES or len(text) > MOST_BYTES:
            self.add_error("lines", _TOO_LONG)
        data["text"] = text.strip("\n")
        return data


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
