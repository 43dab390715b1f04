"""Forms about one person: who they are, and their numbers."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.conf.locale import LANG_INFO

from common.inputs import SuggestingInput
from common.places import country_name, zone_named, zones
from contacts.fields import VALUE_LENGTH, Kind, ValueProblem, read
from contacts.models import ContactField
from contacts.models.contact import NAME_LENGTH
from contacts.models.numbers import LABEL_LENGTH

__all__ = ["ContactForm", "NewContactForm", "NumberForm"]

_HOW_TO_WRITE = "With its area code, for example (202) 555-0123, or with + and the country code."
_NUMBER_INPUT = {"type": "tel", "autocomplete": "off"}


class OwnField(forms.CharField):
    """The input of one of the tenant's own fields; its value is the canonical one."""

    def __init__(self, *, field: ContactField, country: str) -> None:
        self.type, self.country = field.type, country
        super().__init__(
            label=field.label, required=False, max_length=VALUE_LENGTH, widget=_own_input(field), empty_value=""
        )

    def clean(self, value: Any) -> str:
        try:
            return read(super().clean(value), self.type, self.country)
        except ValueProblem as problem:
            raise forms.ValidationError(str(problem)) from None


def _own_input(field: ContactField) -> forms.Widget:
    match field.kind:
        case Kind.NUMBER:
            return forms.TextInput(attrs={"inputmode": "decimal"})
        case Kind.DATE:
            return forms.TextInput(attrs={"type": "date"})
        case Kind.YES_NO:
            return forms.Select(choices=[("", "Not known"), ("yes", "Yes"), ("no", "No")])
        case Kind.CHOICE:
            return forms.Select(choices=[("", "Not known"), *((choice, choice) for choice in field.choices)])
        case _:
            return forms.TextInput()


class ContactForm(forms.Form):
    """A person's details."""

    first_name = forms.CharField(label="First name", max_length=NAME_LENGTH, required=False)
    last_name = forms.CharField(label="Last name", max_length=NAME_LENGTH, required=False)
    email = forms.EmailField(label="E-mail", max_length=254, required=False)
    language = forms.ChoiceField(label="Language", required=False)
    timezone = forms.CharField(
        label="Time zone",
        max_length=64,
        required=False,
        widget=SuggestingInput([(zone, country_name(country)) for zone, country in sorted(zones())]),
    )

    def __init__(
        self,
        *args: Any,
        own_fields: Sequence[ContactField] = (),
        country: str = "US",
        likely_zone: str = "",
        **kwargs: Any,
    ) -> None:
        """``own_fields`` are the tenant's, whose values are typed as in ``country``."""
        super().__init__(*args, **kwargs)
        self.fields["language"].choices = _languages(self.initial.get("language", ""))  # type: ignore[attr-defined]
        likely = f", likely {likely_zone}" if likely_zone else ""
        self.fields["timezone"].help_text = f"Type a city, such as Chicago. Left empty, it goes by the number{likely}."
        self.own_names = [f"field_{field.key}" for field in own_fields]
        for name, field in zip(self.own_names, own_fields, strict=True):
            self.fields[name] = OwnField(field=field, country=country)

    def clean_timezone(self) -> str:
        typed = str(self.cleaned_data["timezone"])
        zone = zone_named(typed)
        if typed and not zone:
            raise forms.ValidationError("There is no such time zone. Type a city and choose one of those offered.")
        return zone

    def own_inputs(self) -> list[forms.BoundField]:
        """The inputs of the tenant's own fields."""
        return [self[name] for name in self.own_names]

    def details(self) -> dict[str, str]:
        """What was typed for the fields that every contact has."""
        return {name: value for name, value in self.cleaned_data.items() if name in ContactForm.base_fields}

    def own_values(self) -> dict[str, str]:
        """The canonical values of the tenant's own fields, by key."""
        return {name.removeprefix("field_"): self.cleaned_data[name] for name in self.own_names}


class NewContactForm(ContactForm):
    """A person to add."""

    number = forms.CharField(
        label="Mobile number",
        max_length=40,
        help_text=_HOW_TO_WRITE,
        widget=forms.TextInput(attrs=_NUMBER_INPUT),
    )
    field_order = ["number", "first_name", "last_name", "email", "language", "timezone"]


class NumberForm(forms.Form):
    """A further number of a person."""

    number = forms.CharField(
        label="Number", max_length=40, help_text=_HOW_TO_WRITE, widget=forms.TextInput(attrs=_NUMBER_INPUT)
    )
    label = forms.CharField(
        label="What it is", max_length=LABEL_LENGTH, required=False, help_text="Such as work, or a relative's name."
    )


def _languages(present: str) -> list[tuple[str, str]]:
    """Languages by name, with the one that the contact has already, whatever it is."""
    known = {code: info["name"] for code, info in LANG_INFO.items() if "name" in info}
    named = sorted((known | {present: known.get(present, present)}).items(), key=lambda language: language[1])
    return [("", "Not known"), *((code, name) for code, name in named if code)]
