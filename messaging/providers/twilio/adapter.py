"""Handing messages to Twilio over its REST API.

Creating a message, which happens a million times, goes over ``wire``; all questions go through the official SDK. A test
holds both to the same request.
"""

import json
from base64 import b64encode
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Final
from urllib.parse import urlencode

from twilio.rest import Client

from messaging.providers.base import (
    CallbackRequest,
    InboundText,
    KnownText,
    Outcome,
    SendRequest,
    SendResult,
    StatusUpdate,
)
from messaging.providers.create import create
from messaging.providers.twilio import callbacks, records
from messaging.providers.twilio.errors import ERRORS
from messaging.providers.twilio.sids import is_service
from messaging.providers.twilio.transport import TWILIO_API, Transport
from messaging.providers.wire import Answer, Wire

__all__ = ["TwilioProvider"]

MAX_VALIDITY_SECONDS: Final = 36_000
"""Twilio accepts 1 to 36000."""


class TwilioProvider:
    """One Twilio account.

    Credentials: ``account_sid``, ``auth_token``, while a token is rotated ``secondary_token``, and if requests are made with
    an API key ``api_key_sid`` and ``api_key_secret``. Callbacks are signed with the token all the same.
    """

    def __init__(self, credentials: Mapping[str, str], *, base_url: str = TWILIO_API, max_in_flight: int = 256) -> None:
        self._account_sid = credentials["account_sid"]
        self._secrets = [credentials["auth_token"], credentials.get("secondary_token", "")]
        self._transport = Transport(base_url=base_url, max_in_flight=max_in_flight)
        user, password = _login(credentials)
        client = Client(user, password, self._account_sid, http_client=self._transport)
        self._messages = client.api.v2010.account.messages
        self._wire = Wire(base_url, max_in_flight=max_in_flight)
        self._head = self._wire.head(
            f"/2010-04-01/Accounts/{self._account_sid}/Messages.json",
            {
                "Authorization": _basic(user, password),
                "Content-Type": "application/x-www-form-urlencoded",
                "Accept": "application/json",
            },
        )

    async def send(self, request: SendRequest) -> SendResult:
        """Create one message. Twilio has no idempotency key, so whatever is not certain is unknown, never repeated."""
        form = {
            "To": request.to,
            "StatusCallback": request.status_callback,
            "ValidityPeriod": max(1, min(request.validity_seconds, MAX_VALIDITY_SECONDS)),
            "MessagingServiceSid" if is_service(request.sender) else "From": request.sender,
            "Body": request.body,
        }
        return await create(self._wire, self._head, urlencode(form).encode(), read=_result)

    async def texts_to(self, number: str, *, since: datetime) -> Sequence[KnownText]:
        """What was handed over for a number since then; raises ``CouldNotAsk``."""
        return await records.texts_to(self._messages, number, since=since)

    async def fetch(self, provider_message_id: str) -> KnownText | None:
        """One message; raises ``CouldNotAsk``."""
        return await records.fetch(self._messages, provider_message_id)

    def texts_between(self, since: datetime, until: datetime) -> AsyncIterator[KnownText]:
        """All messages of the account in this time; raises ``CouldNotAsk``."""
        return records.texts_between(self._messages, since, until)

    async def cancel(self, provider_message_id: str) -> bool:
        """Cancel a scheduled message; raises ``CouldNotAsk``."""
        return await records.cancel(self._messages, provider_message_id)

    async def close(self) -> None:
        """Close the connections."""
        await self._wire.close()
        await self._transport.close()

    def read_status(self, callback: CallbackRequest) -> StatusUpdate:
        """Verify and read a status callback; raises ``CallbackRefused``."""
        return callbacks.read_status(callback, account_sid=self._account_sid, secrets=self._secrets)

    def read_inbound(self, callback: CallbackRequest) -> InboundText:
        """Verify and read an inbound callback; raises ``CallbackRefused``."""
        return callbacks.read_inbound(callback, account_sid=self._account_sid, secrets=self._secrets)


def _login(credentials: Mapping[str, str]) -> tuple[str, str]:
    if credentials.get("api_key_sid"):
        return credentials["api_key_sid"], credentials["api_key_secret"]
    return credentials["account_sid"], credentials["auth_token"]


def _basic(user: str, password: str) -> str:
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()


def _result(answer: Answer) -> SendResult:
    try:
        content = json.loads(answer.body)
        fields = content if isinstance(content, dict) else {}
    except ValueError:
        fields = {}
    if answer.status >= 400:
        return ERRORS.classify(answer.status, str(fields.get("code") or ""))
    sid = fields.get("sid")
    if 200 <= answer.status < 300 and sid and isinstance(sid, str):
        return SendResult(Outcome.ACCEPTED, provider_message_id=sid)
    return SendResult(Outcome.UNKNOWN, error_code="unreadable_answer")
