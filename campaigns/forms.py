"""Forms of the campaign pages."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

from django import forms

from campaigns.models import Campaign
from contacts.audience import Audience
from contacts.models import ContactFilter, ContactList, Tag
from messaging.models import Sender, SenderPool

__all__ = ["ComposerForm"]


POOL: Final = "pool:"


class ComposerForm(forms.ModelForm[Campaign]):
    """What a campaign says and to whom."""

    lists: forms.ModelMultipleChoiceField[ContactList] = forms.ModelMultipleChoiceField(
        label="Lists", queryset=None, required=False, widget=forms.CheckboxSelectMultiple
    )
    tags: forms.ModelMultipleChoiceField[Tag] = forms.ModelMultipleChoiceField(
        label="Tags", queryset=None, required=False, widget=forms.CheckboxSelectMultiple
    )
    excluded_lists: forms.ModelMultipleChoiceField[ContactList] = forms.ModelMultipleChoiceField(
        label="But not in these lists", queryset=None, required=False, widget=forms.CheckboxSelectMultiple
    )
    excluded_tags: forms.ModelMultipleChoiceField[Tag] = forms.ModelMultipleChoiceField(
        label="But not with these tags", queryset=None, required=False, widget=forms.CheckboxSelectMultiple
    )

    filters: forms.ModelMultipleChoiceField[ContactFilter] = forms.ModelMultipleChoiceField(
        label="Filters", queryset=None, required=False, widget=forms.CheckboxSelectMultiple
    )
    excluded_filters: forms.ModelMultipleChoiceField[ContactFilter] = forms.ModelMultipleChoiceField(
        label="But nobody whom these filters find", queryset=None, required=False, widget=forms.CheckboxSelectMultiple
    )

    sender = forms.ChoiceField(label="Send from", required=False)
    """A number by its id, or a pool by its id behind ``POOL``."""

    class Meta:
        model = Campaign
        fields = ["name", "purpose", "body", "stop_footer", "everyone"]
        widgets = {"purpose": forms.RadioSelect, "body": forms.Textarea(attrs={"rows": 5, "maxlength": 1600})}

    field_order = ["name", "purpose", "everyone", "lists", "tags", "excluded_lists", "excluded_tags", "body"]

    def __init__(self, *args: Any, audience: Audience | None = None, **kwargs: Any) -> None:
        """``audience`` is what is chosen when the form is first shown."""
        super().__init__(*args, **kwargs)
        for name in ("lists", "excluded_lists"):
            self.fields[name].queryset = ContactList.objects.order_by("name")  # type: ignore[attr-defined]
        for name in ("tags", "excluded_tags"):
            self.fields[name].queryset = Tag.objects.order_by("name")  # type: ignore[attr-defined]
        for name in ("filters", "excluded_filters"):
            self.fields[name].queryset = ContactFilter.objects.order_by("name")  # type: ignore[attr-defined]
        self._origins = _origins()
        self.fields["sender"].choices = [  # type: ignore[attr-defined]
            ("", _usual(self._origins)),
            *((key, str(one)) for key, one in self._origins.items()),
        ]
        if not self.is_bound:
            pool_id, sender_id = self.instance.pool_id, self.instance.sender_id
            chosen = f"{POOL}{pool_id}" if pool_id else str(sender_id or "")
            self.initial.update(asdict(audience or Audience()), sender=chosen)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        chosen = self._origins.get(data.get("sender", ""))
        self.instance.sender = chosen if isinstance(chosen, Sender) else None
        self.instance.pool = chosen if isinstance(chosen, SenderPool) else None
        return data

    def audience(self) -> dict[str, Any]:
        """The audience chosen, as ``campaigns.services.choose_audience`` takes it; what was not valid is left out."""
        data = self.cleaned_data
        names = ("lists", "tags", "filters", "excluded_lists", "excluded_tags", "excluded_filters")
        return {"everyone": bool(data.get("everyone")), **{name: list(data.get(name, ())) for name in names}}


def _origins() -> dict[str, Sender | SenderPool]:
    """The pools that have a number, then the numbers, by what the form sends for each."""
    pooled = Sender.objects.exclude(pool=None).values("pool_id")
    pools = SenderPool.objects.filter(id__in=pooled).order_by("-is_default", "name")
    active = Sender.objects.filter(status=Sender.Status.ACTIVE).order_by("-is_default", "value")
    return {**{f"{POOL}{pool.id}": pool for pool in pools}, **{str(sender.id): sender for sender in active}}


def _usual(origins: Mapping[str, Sender | SenderPool]) -> str:
    usual = next((one for one in origins.values() if isinstance(one, SenderPool) and one.is_default), None)
    return f"The usual pool ({usual})" if usual else "The usual number"
