"""Handing messages to Telnyx over its Messaging API v2.

Fields of the request: ``message_send_params`` in team-telnyx/telnyx-python. The API takes no validity period.
"""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime

from messaging.providers.base import (
    CallbackRequest,
    CouldNotAsk,
    InboundText,
    KnownText,
    Outcome,
    SendRequest,
    SendResult,
    StatusUpdate,
)
from messaging.providers.create import create
from messaging.providers.telnyx import callbacks, records
from messaging.providers.telnyx.errors import ERRORS
from messaging.providers.telnyx.transport import TELNYX_API, Transport
from messaging.providers.wire import Answer, Wire

__all__ = ["TelnyxProvider"]


class TelnyxProvider:
    """One Telnyx account. Credentials: ``api_key``, ``public_key`` and, if texts use one, ``messaging_profile_id``."""

    def __init__(self, credentials: Mapping[str, str], *, base_url: str = TELNYX_API, max_in_flight: int = 256) -> None:
        self._public_key = credentials["public_key"]
        self._profile = credentials.get("messaging_profile_id", "")
        headers = {"Authorization": f"Bearer {credentials['api_key']}", "Accept": "application/json"}
        self._transport = Transport(base_url=base_url, headers=headers, max_in_flight=max_in_flight)
        self._wire = Wire(base_url, max_in_flight=max_in_flight)
        self._head = self._wire.head("/v2/messages", {**headers, "Content-Type": "application/json"})

    async def send(self, request: SendRequest) -> SendResult:
        """Create one message; whatever is not certain is unknown, never repeated.

        Telnyx honours ``Idempotency-Key`` only where the reference of an endpoint says so, and that of this one is
        not known to say so (developers.telnyx.com/docs/development/api-fundamentals/idempotency).
        """
        wanted = {
            "from": request.sender,
            "to": request.to,
            "text": request.body,
            "webhook_url": request.status_callback,
            # Else the profile's address for incoming texts would be told about this one too.
            "use_profile_webhooks": False,
        }
        if self._profile:
            wanted["messaging_profile_id"] = self._profile
        return await create(self._wire, self._head, json.dumps(wanted).encode(), read=_result)

    async def texts_to(self, number: str, *, since: datetime) -> Sequence[KnownText]:
        """Cannot be asked of Telnyx."""
        raise CouldNotAsk(records.NOT_DOCUMENTED)

    async def fetch(self, provider_message_id: str) -> KnownText | None:
        """One message; raises ``CouldNotAsk``."""
        return await records.fetch(self._transport, provider_message_id)

    async def texts_between(self, since: datetime, until: datetime) -> AsyncIterator[KnownText]:
        """Cannot be asked of Telnyx."""
        raise CouldNotAsk(records.NOT_DOCUMENTED)
        yield

    async def cancel(self, provider_message_id: str) -> bool:
        """Cancel a scheduled message; raises ``CouldNotAsk``."""
        return await records.cancel(self._transport, provider_message_id)

    async def close(self) -> None:
        """Close the connections."""
        await self._wire.close()
        await self._transport.close()

    def read_status(self, callback: CallbackRequest) -> StatusUpdate:
        """Verify and read a status callback; raises ``CallbackRefused``."""
        return callbacks.read_status(callback, public_key=self._public_key, profile=self._profile)

    def read_inbound(self, callback: CallbackRequest) -> InboundText:
        """Verify and read an inbound callback; raises ``CallbackRefused``."""
        return callbacks.read_inbound(callback, public_key=self._public_key, profile=self._profile)


def _result(answer: Answer) -> SendResult:
    if not 200 <= answer.status < 300:
        return ERRORS.classify(answer.status, _code(answer.body))
    message = records.message_in(answer.body)
    if message is None:
        return SendResult(Outcome.UNKNOWN, error_code="unreadable_answer")
    return SendResult(Outcome.ACCEPTED, provider_message_id=message["id"])


def _code(body: bytes) -> str:
    """The first code under ``errors``; empty when there is none that could be one."""
    try:
        code = json.loads(body)["errors"][0]["code"]
    except (ValueError, LookupError, TypeError, RecursionError):
        return ""
    return str(code) if str(code).isascii() and str(code).isdigit() and len(str(code)) <= 8 else ""
