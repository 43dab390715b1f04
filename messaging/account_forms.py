"""Forms that connect an account at a provider, one a provider."""

import base64
import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from django import forms
from django.core.exceptions import ValidationError

from messaging.models import ProviderAccount
from messaging.providers.twilio.sids import is_account, is_api_key

__all__ = ["ACCOUNT_FORMS", "AccountForm", "TelnyxAccountForm", "TokenForm", "TwilioAccountForm", "check_key"]


def check_key(key: str) -> None:
    """Refuse what cannot stand in the header of a request; raises ``ValidationError``."""
    if not re.fullmatch(r"[!-~]+", key):
        raise ValidationError("An API key has letters, digits and signs only, without spaces.")


class AccountForm(forms.Form):
    """An account at a provider. ``kept`` names the fields that are stored encrypted."""

    kind: ClassVar[ProviderAccount.Kind]
    kept: ClassVar[Sequence[str]]
    answers_help: ClassVar[str]

    name = forms.CharField(label="Name", max_length=80)
    answers_keywords = forms.BooleanField(required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.order_fields(["name", *self.kept, "answers_keywords"])
        self.fields["name"].initial = self.kind.label
        answers = self.fields["answers_keywords"]
        answers.label, answers.help_text = f"{self.kind.label} answers STOP and HELP itself", self.answers_help

    def credentials(self) -> dict[str, str]:
        """What is stored encrypted, of a valid form."""
        return {name: str(self.cleaned_data[name] or "") for name in self.kept}


class ApiKeyForm(forms.Form):
    """An API key of a Twilio account, with which requests are made instead of with the auth token."""

    api_key_sid = forms.CharField(
        label="API key SID",
        max_length=34,
        required=False,
        help_text="Starts with SK. May stay empty: then texts are sent with the auth token.",
    )
    api_key_secret = forms.CharField(
        label="API key secret",
        max_length=64,
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text="Stored encrypted.",
    )

    def clean_api_key_sid(self) -> str:
        sid: str = self.cleaned_data["api_key_sid"].strip()
        if sid and not is_api_key(sid):
            raise ValidationError("An API key's SID is SK and 32 digits or letters a to f.")
        return sid

    def clean(self) -> dict[str, Any]:
        """A key needs both; half of one would send nothing."""
        data = super().clean() or self.cleaned_data
        given = [bool(data.get(name)) for name in ("api_key_sid", "api_key_secret")]
        if any(given) and not all(given) and not self.errors:
            missing = "api_key_secret" if given[0] else "api_key_sid"
            self.add_error(missing, "An API key has a SID and a secret.")
        return data


class TwilioAccountForm(ApiKeyForm, AccountForm):
    """An account at Twilio."""

    kind = ProviderAccount.Kind.TWILIO
    kept = ("account_sid", "auth_token", "api_key_sid", "api_key_secret")
    answers_help = (
        "Switch on when default or advanced opt-out handling is active there; otherwise people get two answers."
    )

    account_sid = forms.CharField(
        label="Account SID", max_length=34, help_text="Starts with AC; shown in Twilio's console."
    )
    auth_token = forms.CharField(
        label="Auth token",
        max_length=64,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text="Stored encrypted. It also proves that callbacks come from Twilio.",
    )

    def clean_account_sid(self) -> str:
        sid: str = self.cleaned_data["account_sid"].strip()
        if not is_account(sid):
            raise ValidationError("An account SID is AC and 32 digits or letters a to f.")
        return sid


class TelnyxAccountForm(AccountForm):
    """An account at Telnyx."""

    kind = ProviderAccount.Kind.TELNYX
    kept = ("api_key", "public_key", "messaging_profile_id")
    answers_help = "Switch on when the messaging profile has answers of its own; otherwise people get two answers."

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


ACCOUNT_FORMS: Final[Mapping[str, type[AccountForm]]] = {
    form.kind: form for form in (TwilioAccountForm, TelnyxAccountForm)
}
"""The providers whose accounts can be connected, with what they ask for; the first one is shown unless one is chosen."""


class TokenForm(ApiKeyForm):
    """Another auth token or API key of an account, because the one before was revoked or is to be."""

    auth_token = forms.CharField(
        label="New auth token",
        max_length=200,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text="Stored encrypted. Callbacks signed with the token before still count.",
    )

    def __init__(self, *args: Any, kind: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.order_fields(["auth_token"])
        if kind == ProviderAccount.Kind.TELNYX:
            del self.fields["api_key_sid"], self.fields["api_key_secret"]
            field = self.fields["auth_token"]
            field.label = "New API key"
            field.help_text = "Stored encrypted. The public key stays as it is."
            field.validators.append(check_key)

    def api_key(self) -> dict[str, str]:
        """What was said of an API key, of a valid form: an empty one is used no more."""
        return {name: self.cleaned_data[name] for name in ("api_key_sid", "api_key_secret") if name in self.fields}
