"""Forms of the contact pages."""

from collections.abc import Mapping
from typing import Final

from django import forms

from consent.models import ConsentRecord
from consent.purposes import PURPOSES_WITH_CONSENT
from contacts.bulk.actions import COLUMNS
from contacts.exporting.columns import USUAL
from contacts.exporting.columns import choices as export_columns
from contacts.fields import CHOICE_LENGTH, MAX_CHOICES, Kind
from contacts.importing.columns import FIELDS
from contacts.models import Contact, ContactField, ContactImport, ContactJob, ContactList
from contacts.models.fields import FIELD_LABEL_LENGTH
from contacts.models.filters import FILTER_NAME_LENGTH
from contacts.models.notes import NOTE_LENGTH

__all__ = [
    "BulkForm",
    "EraseForm",
    "FieldForm",
    "FilterForm",
    "ImportChoicesForm",
    "ListForm",
    "MergeForm",
    "NoteForm",
    "OptInForm",
    "TagForm",
    "UploadForm",
]

_PURPOSES = [(purpose.value, purpose.label) for purpose in PURPOSES_WITH_CONSENT]


class FieldForm(forms.Form):
    """A field to add or to change."""

    label = forms.CharField(label="Name", max_length=FIELD_LABEL_LENGTH)
    kind = forms.ChoiceField(label="Kind", choices=ContactField.KindName, initial=Kind.TEXT.value)
    choices = forms.CharField(
        label="Choices",
        required=False,
        max_length=MAX_CHOICES * (CHOICE_LENGTH + 2),
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="One on each line.",
    )

    def clean_choices(self) -> list[str]:
        return str(self.cleaned_data["choices"]).splitlines()


class FilterForm(forms.Form):
    """The name of a filter; what it finds is built beside it."""

    name = forms.CharField(label="Name of the filter", max_length=FILTER_NAME_LENGTH)


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


class BulkForm(forms.Form):
    """What a bulk action is done with; each kind has its own fields."""

    tag = forms.CharField(label="Tag", max_length=40)
    list = forms.UUIDField(label="List", widget=forms.Select, error_messages={"required": "Choose a list."})
    field = forms.ChoiceField(label="Field")
    value = forms.CharField(label="Value", max_length=500, required=False, help_text="Leave it empty to remove it.")
    columns = forms.MultipleChoiceField(
        label="Columns", widget=forms.CheckboxSelectMultiple, error_messages={"required": "Choose at least one column."}
    )
    format = forms.ChoiceField(
        label="Kind of file",
        choices=[("csv", "CSV, for any program"), ("xlsx", "Excel workbook (XLSX)")],
        widget=forms.RadioSelect,
        initial="csv",
    )
    typed = forms.IntegerField(label="Type the number of people to go ahead", min_value=0)

    def __init__(self, *args: object, kind: str, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        wanted = _BULK_FIELDS.get(kind, ())
        for name in set(self.fields) - set(wanted):
            del self.fields[name]
        if "list" in self.fields:
            lists = ContactList.objects.order_by("name").values_list("id", "name")
            self.fields["list"].widget.choices = [("", "Choose a list"), *lists]
        if "columns" in self.fields:
            columns = export_columns()
            self.fields["columns"].choices = columns  # type: ignore[attr-defined]
            self.initial["columns"] = [key for key, _ in columns if key in USUAL or key.startswith("field:")]
        if "field" in self.fields:
            own = ContactField.objects.filter(deleted_at=None).order_by("position", "id").values_list("key", "label")
            self.fields["field"].choices = [("", "Choose a field"), *own, *COLUMNS.items()]  # type: ignore[attr-defined]


_BULK_FIELDS: Final[dict[str, tuple[str, ...]]] = {
    ContactJob.Kind.ADD_TAG: ("tag",),
    ContactJob.Kind.REMOVE_TAG: ("tag",),
    ContactJob.Kind.ADD_TO_LIST: ("list",),
    ContactJob.Kind.REMOVE_FROM_LIST: ("list",),
    ContactJob.Kind.SET_FIELD: ("field", "value"),
    ContactJob.Kind.ERASE: ("typed",),
    ContactJob.Kind.EXPORT: ("columns", "format"),
}


class MergeForm(forms.Form):
    """Which value is kept where two contacts have different ones."""

    def __init__(
        self, *args: object, kept: Contact, gone: Contact, labels: Mapping[str, str], **kwargs: object
    ) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        for name, label in _MERGED.items():
            self._offer(name, label, getattr(kept, name), getattr(gone, name))
        for key, value in gone.fields.items():
            self._offer(f"field:{key}", labels.get(key, key), kept.fields.get(key, ""), value)

    def _offer(self, name: str, label: str, kept: object, gone: object) -> None:
        if kept and gone and kept != gone:
            choices = [("kept", str(kept)), ("gone", str(gone))]
            self.fields[name] = forms.ChoiceField(
                label=label, choices=choices, widget=forms.RadioSelect, initial="kept"
            )

    def taken(self) -> list[str]:
        """What is kept of the contact that goes."""
        return [name for name, choice in self.cleaned_data.items() if choice == "gone"]


_MERGED: Final = {
    "first_name": "First name",
    "last_name": "Last name",
    "email": "E-mail",
    "language": "Language",
    "timezone": "Time zone",
}


class EraseForm(forms.Form):
    """The word that says somebody means it."""

    typed = forms.CharField(
        label="Type ERASE to go ahead",
        max_length=20,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters"}),
        error_messages={"required": "Type ERASE to go ahead."},
    )


class UploadForm(forms.Form):
    """A file to import."""

    file = forms.FileField(
        label="File",
        help_text="An Excel workbook (.xlsx) or a CSV file. The first row holds the names of the columns.",
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,.tsv,.xlsx,text/csv"}),
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
