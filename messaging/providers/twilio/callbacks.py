"""Twilio's callbacks: genuine or refused.

The signature does not separate parameters and is silent about repeats and other content types, so ``read_form``
refuses ambiguous bodies first. The key is the one stored for the account in the callback's address, never one named
by the request, and the account that the body names must be that account.
"""

import re
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
from messaging.providers.twilio.errors import means_opted_out, stopped_by
from messaging.providers.twilio.statuses import status_of

__all__ = ["read_inbound", "read_status"]

_MESSAGE_SID: Final = re.compile(r"(?:SM|MM)[0-9A-Za-z]{32}")
"""Its length is what makes a repeated callback recognisable: the signature runs names and values together, so an old
request could be cut anew ("SM...NumMedia0" with NumMedia left out) and would pass for another text."""
_STATUS_PARAMETERS: Final = ("AccountSid", "MessageSid", "MessageStatus", "From", "To")
_INBOUND_PARAMETERS: Final = ("AccountSid", "MessageSid", "From", "To", "Body")


def read_status(callback: CallbackRequest, *, account_sid: str, secrets: Sequence[str]) -> StatusUpdate:
    """A status callback. A status word that is not known is kept as it is, with no status of ours."""
    form = _genuine(callback, _STATUS_PARAMETERS, account_sid, secrets)
    code = form.get("ErrorCode", "")
    return StatusUpdate(
        provider_message_id=form["MessageSid"],
        provider_status=form["MessageStatus"],
        status=status_of(form["MessageStatus"]),
        error_code=code,
        number_opted_out=means_opted_out(code),
        stops=stopped_by(code),
        payload=form,
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
    if not _MESSAGE_SID.fullmatch(form["MessageSid"]):
        raise CallbackRefused(400, "no message id")
    return without_nul(form)


def _fits(secret: str, url: str, form: Mapping[str, str], signature: str) -> bool:
    return bool(RequestValidator(secret).validate(url, form, signature))


def _count(text: str) -> int:
    return min(int(text), 10) if text.isascii() and text.isdigit() else 0
