"""What allauth's forms for second steps do differently here: codes work once, and what a browser sends is checked.

Named in ``MFA_FORMS``.
"""

import struct
from typing import Any, Final

from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.base.internal.flows import check_rate_limit
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.webauthn.forms import (
    AddWebAuthnForm,
    AuthenticateWebAuthnForm,
    EditWebAuthnForm,
    LoginWebAuthnForm,
    ReauthenticateWebAuthnForm,
)
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from django import forms
from fido2.utils import websafe_encode
from fido2.webauthn import RegistrationResponse

from tenants.models import User
from tenants.services import matching_counter, spend_code

__all__ = [
    "AddPasskeyForm",
    "AppForm",
    "CodeForm",
    "ConfirmByCodeForm",
    "ConfirmByPasskeyForm",
    "LoginByPasskeyForm",
    "PasskeyForm",
    "RenamePasskeyForm",
]

CREDENTIAL_LENGTH: Final = 20_000
"""Characters of JSON; what browsers send has less than a tenth of it."""
_BYTES: Final = ("id", "rawId")
_BYTES_OF_RESPONSE: Final = ("clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle")
_NAME_LENGTH: Final = 60
_UNREADABLE: Final = (
    ArithmeticError,
    AttributeError,
    InvalidSignature,
    LookupError,
    NotImplementedError,
    RecursionError,
    struct.error,
    TypeError,
    UnsupportedAlgorithm,
    ValueError,
)
"""What the library for passkeys raises for answers that are none, or were signed by another key."""


class _SpendingCode(forms.Form):
    """Takes a code of the app or a recovery code, and uses it up."""

    user: User
    code = forms.CharField(
        label="Code",
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "autofocus": True}),
    )

    def clean_code(self) -> str:
        # Allauth's limit counts by address as well; ours holds for the account whatever happens to the cache.
        forget = check_rate_limit(self.user)
        code = str(self.cleaned_data["code"])
        self.authenticator = spend_code(user=self.user, code=code)
        forget()
        return code


class CodeForm(_SpendingCode, AuthenticateForm):  # type: ignore[misc]
    """The second step of signing in."""


class ConfirmByCodeForm(_SpendingCode, ReauthenticateForm):  # type: ignore[misc]
    """Confirming by a code that it is you."""


class AppForm(ActivateTOTPForm):  # type: ignore[misc]
    """The first code of an app that is being set up."""

    counter: int | None = None
    """The time step of that code, which is used up."""

    code = forms.CharField(
        label="Code that the app shows",
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )

    def clean_code(self) -> str:
        code = "".join(str(super().clean_code()).split())
        self.counter = matching_counter(self.secret, code)
        return code


class CredentialField(forms.JSONField):
    """What the browser answers, as JSON. Anybody can send anything there; none of it may be an error of ours."""

    default_error_messages = {"invalid": "This did not work. Try it again."}

    def __init__(self, **options: Any) -> None:
        super().__init__(widget=forms.HiddenInput, **options)

    def to_python(self, value: Any) -> Any:
        if isinstance(value, str) and len(value) > CREDENTIAL_LENGTH:
            raise forms.ValidationError(self.error_messages["invalid"])
        try:
            credential = super().to_python(value)
        except RecursionError:
            raise forms.ValidationError(self.error_messages["invalid"]) from None
        if credential is not None and not _is_credential(credential):
            raise forms.ValidationError(self.error_messages["invalid"])
        return credential


def _is_credential(value: Any) -> bool:
    """Whether bytes are text where WebAuthn (level 3, section 5.1) has them.

    For a number in their place the library would make that many bytes, until the memory is gone.
    """
    response = value.get("response") if isinstance(value, dict) else None
    if not isinstance(response, dict):
        return False
    read = [value.get(name) for name in _BYTES] + [response.get(name) for name in _BYTES_OF_RESPONSE]
    return all(each is None or isinstance(each, str) for each in read)


class AddPasskeyForm(AddWebAuthnForm):  # type: ignore[misc]
    """A passkey or security key that was just made."""

    credential = CredentialField()
    passwordless = None  # One kind: whether it can sign in alone is up to the device.

    name = forms.CharField(
        label="Name", max_length=_NAME_LENGTH, help_text="Such as “My phone”, so that you recognise it later."
    )

    def clean(self) -> dict[str, Any]:
        try:
            cleaned: dict[str, Any] = super().clean()
            if cleaned.get("credential"):
                cleaned["credential"] = _what_is_kept(cleaned["credential"])
        except _UNREADABLE as error:
            raise _refusal() from error
        return cleaned


class _Proving(forms.Form):
    credential = CredentialField()

    def clean_credential(self) -> Any:
        try:
            return super().clean_credential()  # type: ignore[misc]
        except _UNREADABLE as error:
            raise _refusal() from error


class PasskeyForm(_Proving, AuthenticateWebAuthnForm):  # type: ignore[misc]
    """A passkey as the second step of signing in."""


class LoginByPasskeyForm(_Proving, LoginWebAuthnForm):  # type: ignore[misc]
    """A passkey instead of a password."""


class ConfirmByPasskeyForm(_Proving, ReauthenticateWebAuthnForm):  # type: ignore[misc]
    """Confirming by a passkey that it is you."""


class RenamePasskeyForm(EditWebAuthnForm):  # type: ignore[misc]
    """Another name for a passkey."""

    name = forms.CharField(label="Name", max_length=_NAME_LENGTH)


def _refusal() -> forms.ValidationError:
    error: forms.ValidationError = get_adapter().validation_error("incorrect_code")
    return error


def _what_is_kept(credential: dict[str, Any]) -> dict[str, Any]:
    """The parts of a registration that are needed later; whatever else was sent along is not stored."""
    parsed = RegistrationResponse.from_dict(credential)
    extensions = credential.get("clientExtensionResults")
    properties = extensions.get("credProps") if isinstance(extensions, dict) else None
    alone = properties.get("rk") if isinstance(properties, dict) else None
    return {
        "id": parsed.id,
        "rawId": parsed.id,
        "type": "public-key",
        "response": {
            "clientDataJSON": websafe_encode(parsed.response.client_data),
            "attestationObject": websafe_encode(parsed.response.attestation_object),
        },
        "clientExtensionResults": {"credProps": {"rk": alone}} if isinstance(alone, bool) else {},
    }
