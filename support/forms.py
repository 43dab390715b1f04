"""Forms of the inbox."""

from django import forms

from common.ids import uuid7
from messaging.services.sending import MAX_BODY

__all__ = ["NewConversationForm", "ReplyForm"]


class ReplyForm(forms.Form):
    """An answer to a person."""

    body = forms.CharField(
        label="Your reply", max_length=MAX_BODY, widget=forms.Textarea(attrs={"rows": 3, "maxlength": MAX_BODY})
    )
    once = forms.UUIDField(required=False, initial=uuid7, widget=forms.HiddenInput)
    """The id of the message to be: the form sent twice is one message."""


class NewConversationForm(forms.Form):
    """A number to write to."""

    number = forms.CharField(
        label="Mobile number", max_length=40, widget=forms.TextInput(attrs={"type": "tel", "autofocus": True})
    )
