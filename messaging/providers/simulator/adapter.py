"""Handing messages to the simulated phone network."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import aiohttp

from messaging.providers.base import (
    CallbackRefused,
    CallbackRequest,
    InboundText,
    KnownText,
    Outcome,
    SendRequest,
    SendResult,
    StatusUpdate,
)
from messaging.providers.forms import read_form, without_nul
from messaging.providers.session import Session
from messaging.providers.simulator import questions
from messaging.providers.simulator.signing import SIGNATURE_HEADER, is_genuine, sign
from messaging.providers.twilio.errors import ERRORS

__all__ = ["SimulatorProvider"]


class SimulatorProvider:
    """An account at the simulated network.

    Credentials: ``secret``, shared with the network, and ``account``, our id of the account. All accounts have the same
    secret; the network tells their texts apart by the id, which it has from the callback addresses.
    """

    def __init__(self, credentials: Mapping[str, str], *, base_url: str, max_in_flight: int = 256) -> None:
        self._secret = credentials["secret"]
        self._account = credentials["account"]
        self._base_url = base_url
        self._url = f"{base_url}/messages"
        self._session = Session(max_in_flight=max_in_flight)

    async def send(self, request: SendRequest) -> SendResult:
        """Hand one text to the network."""
        body = json.dumps(
            {"to": request.to, "from": request.sender, "body": request.body, "callback": request.status_callback}
        ).encode()
        headers = {SIGNATURE_HEADER: sign(self._secret, self._url, body), "Content-Type": "application/json"}
        try:
            async with self._session.open().post(
                self._url, data=body, headers=headers, allow_redirects=False
            ) as answer:
                return self._result(answer.status, await answer.json())
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
            return SendResult(Outcome.TRY_AGAIN, error_code="not_connected", retry_after=2.0)
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError):
            return SendResult(Outcome.UNKNOWN, error_code="no_answer")

    async def texts_to(self, number: str, *, since: datetime) -> Sequence[KnownText]:
        """The network's record of a number."""
        return await questions.texts_to(self._ask, number, since=since)

    async def fetch(self, provider_message_id: str) -> KnownText | None:
        """The network's record of a text."""
        return await questions.fetch(self._ask, provider_message_id)

    def texts_between(self, since: datetime, until: datetime) -> AsyncIterator[KnownText]:
        """The network's record of a time."""
        return questions.texts_between(self._ask, since, until)

    async def cancel(self, provider_message_id: str) -> bool:
        """What was taken is sent at once."""
        return False

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()

    def read_status(self, callback: CallbackRequest) -> StatusUpdate:
        """Verify and read a receipt; raises ``CallbackRefused``."""
        form = self._genuine(callback, ("id", "status"))
        return questions.news(form["id"], form["status"], form.get("error_code", ""), form)

    def read_inbound(self, callback: CallbackRequest) -> InboundText:
        """Verify and read a reply typed on a virtual phone; raises ``CallbackRefused``."""
        form = self._genuine(callback, ("id", "from", "to", "body"))
        return InboundText(
            provider_message_id=form["id"], sender=form["to"], number=form["from"], body=form["body"], payload=form
        )

    async def _ask(self, path: str, question: Mapping[str, object]) -> Any:
        known = {"account": self._account, **question}
        return await questions.ask(self._session.open(), self._secret, f"{self._base_url}{path}", known)

    def _genuine(self, callback: CallbackRequest, required: tuple[str, ...]) -> dict[str, str]:
        form = read_form(callback, required=required)
        if not is_genuine(self._secret, callback.url, callback.body, callback.headers.get(SIGNATURE_HEADER, "")):
            raise CallbackRefused(403, "signature")
        return without_nul(form)

    @staticmethod
    def _result(status: int, answer: Mapping[str, str]) -> SendResult:
        code = answer.get("error_code", "")
        if status == 201 and answer.get("id"):
            return SendResult(Outcome.ACCEPTED, provider_message_id=answer["id"])
        if status == 201:
            return SendResult(Outcome.UNKNOWN, error_code=code)
        # The codes are those that Twilio uses.
        return ERRORS.classify(status, code)
