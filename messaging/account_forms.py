"""Forms that connect an account at a provider, one a provider."""

import base64
import re
from collections.abc import Mapping
from typing import Any, ClassVar, Final

from django import forms
from django.core.exceptions import ValidationError

from messaging.models import ProviderAccount

__all__ = ["ACCOUNT_FORMS", "AccountForm", "TelnyxAccountForm", "TokenForm", "TwilioAccountForm", "check_key"]


def check_key(key: str) -> None:
    """Refuse what cannot stand in the header of a request; raises ``ValidationError``."""
    if not re.fullmatch(r"[!-~]+", key):
        raise ValidationError("An API key has letters, digits and signs only, without spaces.")


class AccountForm(forms.Form):
    """An account at a provider."""

    kind: ClassVar[ProviderAccount.Kind]

    def credentials(self) -> dict[str, str]:
        """What is stored encrypted."""
        raise NotImplementedError


class TwilioAccountForm(AccountForm):
    """An account at Twilio."""

    kind = ProviderAccount.Kind.TWILIO

    name = forms.CharField(label="Name", max_length=80, initial="Twilio")
    account_sid = forms.CharField(
        label="Account SID", max_length=34, help_text="Starts with AC; shown in Twilio's console."
    )
    auth_token = forms.CharField(
        label="Auth token",
        max_length=64,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text="Stored encrypted. It also proves that callbacks come from Twilio.",
    )
    answers_keywords = forms.BooleanField(
        label="Twilio answers STOP and HELP itself",
        required=False,
        help_text="Switch on when default or advanced opt-out handling is active there; otherwise people get two answers.",
    )

    def clean_account_sid(self) -> str:
        sid: str = self.cleaned_data["account_sid"].strip()
        if not re.fullmatch(r"AC[0-9a-fA-F]{32}", sid):
            raise ValidationError("An account SID is AC and 32 digits or letters a to f.")
        return sid

    def credentials(self) -> dict[str, str]:
        """Sid and token."""
        return {name: self.cleaned_data[name] for name in ("account_sid", "auth_token")}


class TelnyxAccountForm(AccountForm):
    """An account at Telnyx."""

    kind = ProviderAccount.Kind.TELNYX

    name = forms.CharField(label="Name", max_length=80, initial="Telnyx")
    api_key = forms.CharField(
        label="API key",
        max_length=200,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text="Of version 2 of the API; in Telnyx's portal under API keys. Stored encrypted.",
        validators=[check_key],
    )
    public_key = forms.CharField(
        label="Public key",
        max_length=64,
        help_text="In Telnyx's portal beside the API keys. It proves that callbacks come from Telnyx.",
    )
    messaging_profile_id = forms.UUIDField(
        label="Messaging profile ID",
        required=False,
        help_text="May stay empty. With it, callbacks about other messaging profiles of the account are refused.",
    )
    answers_keywords = forms.BooleanField(
        label="Telnyx answers STOP and HELP itself",
        required=False,
        help_text="Switch on when the messaging profile has answers of its own; otherwise people get two answers.",
    )

    def clean_public_key(self) -> str:
        """An Ed25519 key has 32 bytes (RFC 8032, section 5.1.5)."""
        key: str = self.cleaned_data["public_key"].strip()
        try:
            size = len(base64.b64decode(key, validate=True))
        except ValueError:
            size = 0
        if size != 32:
            raise ValidationError("A public key is 44 letters, digits and signs, and ends with =.")
        return key

    def credentials(self) -> dict[str, str]:
        """Keys, and the messaging profile as Telnyx writes it."""
        return {
            "api_key": self.cleaned_data["api_key"],
            "public_key": self.cleaned_data["public_key"],
            "messaging_profile_id": str(self.cleaned_data["messaging_profile_id"] or ""),
        }


ACCOUNT_FORMS: Final[Mapping[str, type[AccountForm]]] = {
    form.kind: form for form in (TwilioAccountForm, TelnyxAccountForm)
}
"""The providers whose accounts can be connected, with what they ask for; the first one is shown unless one is chosen."""


class TokenForm(forms.Form):
    """Another auth token or API key of an account, because the one before was revoked or is to be."""

    auth_token = forms.CharField(
        label="New auth token",
        max_length=200,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text="Stored encrypted. Callbacks signed with the token before still count.",
    )

    def __init__(self, *args: Any, kind: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if kind == ProviderAccount.Kind.TELNYX:
            field = self.fields["auth_token"]
            field.label = "New API key"
            field.help_text = "Stored encrypted. The public key stays as it is."
            field.validators.append(check_key)
