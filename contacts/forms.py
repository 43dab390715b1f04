"""Forms of the contact pages."""

from zoneinfo import available_timezones

from django import forms

from consent.models import ConsentRecord
from consent.purposes import PURPOSES_WITH_CONSENT
from contacts.importing.columns import FIELDS
from contacts.models import ContactImport, ContactList
from contacts.models.contact import NAME_LENGTH
from contacts.models.notes import NOTE_LENGTH
from contacts.models.numbers import LABEL_LENGTH

__all__ = [
    "ContactForm",
    "ImportChoicesForm",
    "ListForm",
    "NewContactForm",
    "NoteForm",
    "NumberForm",
    "OptInForm",
    "TagForm",
    "UploadForm",
]

_ZONES = [("", "Not known"), *((zone, zone.replace("_", " ")) for zone in sorted(available_timezones()) if "/" in zone)]
_HOW_TO_WRITE = "With its area code, for example (202) 555-0123, or with + and the country code."
_NUMBER_INPUT = {"type": "tel", "autocomplete": "off"}
_PURPOSES = [(purpose.value, purpose.label) for purpose in PURPOSES_WITH_CONSENT]


class ContactForm(forms.Form):
    """A person's details."""

    first_name = forms.CharField(label="First name", max_length=NAME_LENGTH, required=False)
    last_name = forms.CharField(label="Last name", max_length=NAME_LENGTH, required=False)
    email = forms.EmailField(label="E-mail", max_length=254, required=False)
    language = forms.CharField(label="Language", max_length=10, required=False, help_text="Such as en or es.")
    timezone = forms.ChoiceField(label="Time zone", choices=_ZONES, required=False)


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


class OptInForm(forms.Form):
    """An agreement that staff write down."""

    purpose = forms.ChoiceField(label="They agreed to", choices=_PURPOSES)
    source = forms.ChoiceField(
        label="How",
        choices=[
            (ConsentRecord.Source.PAPER.value, "They signed a paper form"),
            (ConsentRecord.Source.WEB_FORM.value, "They ticked a box on a web form"),
            (ConsentRecord.Source.VERBAL.value, "They said so (not for offers)"),
        ],
    )
    wording = forms.CharField(
        label="What they agreed to, or where the proof is kept",
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def clean(self) -> dict[str, object]:
        data = super().clean() or {}
        spoken = data.get("source") == ConsentRecord.Source.VERBAL
        if spoken and data.get("purpose") == "marketing":
            self.add_error("source", "Offers need agreement in writing.")
        return data


class ListForm(forms.Form):
    """A list to make."""

    name = forms.CharField(label="Name of the list", max_length=80)


class TagForm(forms.Form):
    """A tag to put on a contact."""

    tag = forms.CharField(label="Tag", max_length=40)


class NoteForm(forms.Form):
    """A note to write on a contact."""

    body = forms.CharField(
        label="Note",
        max_length=NOTE_LENGTH,
        widget=forms.Textarea(attrs={"rows": 5}),
        error_messages={"required": "Write something first."},
    )


class UploadForm(forms.Form):
    """A file to import."""

    file = forms.FileField(
        label="CSV file",
        help_text="Saved from any spreadsheet program. The first row holds the names of the columns.",
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,.tsv,text/csv"}),
        error_messages={"required": "Choose a file first.", "empty": "The file is empty."},
    )


class ImportChoicesForm(forms.Form):
    """What the columns mean and how the people agreed; one select per column is added for the file at hand."""

    basis = forms.ChoiceField(
        label="How did these people agree to be texted?",
        choices=ContactImport.Basis,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose one. When you are not sure, choose the last."},
    )
    purposes = forms.MultipleChoiceField(
        label="What did they agree to?", choices=_PURPOSES, required=False, widget=forms.CheckboxSelectMultiple
    )
    consent_note = forms.CharField(
        label="The words they agreed to, or where the proof is kept",
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Kept with every consent record of this import.",
    )
    contact_list: forms.ModelChoiceField[ContactList] = forms.ModelChoiceField(
        label="Put them into a list", queryset=None, required=False, empty_label="No list"
    )
    new_list = forms.CharField(label="or into a new list", max_length=80, required=False)
    tag = forms.CharField(label="Give them a tag", max_length=40, required=False)

    def __init__(self, *args: object, job: ContactImport, header: list[str], **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.fields["contact_list"].queryset = ContactList.objects.order_by("name")  # type: ignore[attr-defined]
        self.column_names: list[str] = []
        for position, (title, guess) in enumerate(zip(header, job.columns, strict=True)):
            name = f"column_{position}"
            self.column_names.append(name)
            self.fields[name] = forms.ChoiceField(
                label=title or f"Column {position + 1}",
                required=False,
                initial=guess,
                choices=self._column_choices(guess),
            )

    @staticmethod
    def _column_choices(guess: str) -> list[tuple[str, str]]:
        own = [(guess, f"Keep as “{guess}”")] if guess and guess not in FIELDS else []
        return [("", "Leave out"), *FIELDS.items(), *own]

    def columns(self) -> list[str]:
        """The field each column fills, in the file's order."""
        return [self.cleaned_data[name] for name in self.column_names]
