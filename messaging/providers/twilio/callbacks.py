"""Twilio's callbacks: genuine or refused.

The signature does not separate parameters and is silent about repeats and other content types, so ``read_form``
refuses ambiguous bodies first. The key is the one stored for the account in the callback's address, never one named
by the request, and the account that the body names must be that account.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from twilio.request_validator import RequestValidator

from messaging.providers.base import (
    CallbackRefused,
    CallbackRequest,
    InboundText,
    StatusUpdate,
)
from messaging.providers.forms import read_form, without_nul
from messaging.providers.twilio.errors import ERRORS
from messaging.providers.twilio.sids import is_message, is_service
from messaging.providers.twilio.statuses import status_of

__all__ = ["read_inbound", "read_status"]

_STATUS_PARAMETERS: Final = ("AccountSid", "MessageSid", "MessageStatus", "To")
_INBOUND_PARAMETERS: Final = ("AccountSid", "MessageSid", "From", "To", "Body")


def read_status(callback: CallbackRequest, *, account_sid: str, secrets: Sequence[str]) -> StatusUpdate:
    """A status callback. A status word that is not known is kept as it is, with no status of ours."""
    form = _genuine(callback, _STATUS_PARAMETERS, account_sid, secrets)
    service = form.get("MessagingServiceSid", "")
    if "From" not in form and not service:
        # A service may have failed before it chose a number; anything else has one.
        raise CallbackRefused(400, "missing From")
    code = form.get("ErrorCode", "")
    return StatusUpdate(
        provider_message_id=form["MessageSid"],
        provider_status=form["MessageStatus"],
        status=status_of(form["MessageStatus"]),
        error_code=code,
        number_opted_out=ERRORS.means_opted_out(code),
        stops=ERRORS.stopped_by(code),
        payload=form,
        service=service,
        chosen_number=form.get("From", "") if service else "",
    )


def read_inbound(callback: CallbackRequest, *, account_sid: str, secrets: Sequence[str]) -> InboundText:
    """A text from a person. ``OptOutType`` says that Twilio has answered a keyword already."""
    form = _genuine(callback, _INBOUND_PARAMETERS, account_sid, secrets)
    media = range(_count(form.get("NumMedia", "0")))
    return InboundText(
        provider_message_id=form["MessageSid"],
        sender=form["To"],
        number=form["From"],
        body=form["Body"],
        media_urls=[form[f"MediaUrl{n}"] for n in media if f"MediaUrl{n}" in form],
        already_answered=bool(form.get("OptOutType")),
        payload=form,
        service=form.get("MessagingServiceSid", ""),
    )


def _genuine(
    callback: CallbackRequest, required: Collection[str], account_sid: str, secrets: Sequence[str]
) -> dict[str, str]:
    form = read_form(callback, required=required)
    signature = callback.headers.get("X-Twilio-Signature", "")
    # An empty secret would accept what anybody can compute.
    if not signature or not any(_fits(secret, callback.url, form, signature) for secret in secrets if secret):
        raise CallbackRefused(403, "signature")
    if form["AccountSid"] != account_sid:
        raise CallbackRefused(403, "another account")
    if not is_message(form["MessageSid"]):
        raise CallbackRefused(400, "no message id")
    service = form.get("MessagingServiceSid", "")
    if service and not is_service(service):
        raise CallbackRefused(400, "no messaging service")
    return without_nul(form)


def _fits(secret: str, url: str, form: Mapping[str, str], signature: str) -> bool:
    return bool(RequestValidator(secret).validate(url, form, signature))


def _count(text: str) -> int:
    return min(int(text), 10) if text.isascii() and text.isdigit() else 0
