"""Forms of the inbox."""

from typing import Any

from django import forms

from common.ids import uuid7
from messaging.services.sending import MAX_BODY
from support.assignment import assignable_members
from tenants.models import Membership

__all__ = ["AssignForm", "NewConversationForm", "ReplyForm"]


class ReplyForm(forms.Form):
    """An answer to a person."""

    body = forms.CharField(
        label="Your reply", max_length=MAX_BODY, widget=forms.Textarea(attrs={"rows": 3, "maxlength": MAX_BODY})
    )
    once = forms.UUIDField(required=False, initial=uuid7, widget=forms.HiddenInput)
    """The id of the message to be: the form sent twice is one message."""


class _MemberChoice(forms.ModelChoiceField[Membership]):
    """Members by the name that colleagues see."""

    def label_from_instance(self, obj: Membership) -> str:
        return obj.shown_name


class AssignForm(forms.Form):
    """Who takes care of a conversation."""

    member = _MemberChoice(label="Assigned to", queryset=None, required=False, empty_label="Nobody")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["member"].queryset = assignable_members()  # type: ignore[attr-defined]


class NewConversationForm(forms.Form):
    """A number to write to."""

    number = forms.CharField(
        label="Mobile number", max_length=40, widget=forms.TextInput(attrs={"type": "tel", "autofocus": True})
    )
