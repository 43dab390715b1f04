"""Telnyx at the other end of the wire: it takes texts, and calls back with its own signature."""

import json
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.http import HttpResponse
from django.test import Client

from messaging.pipeline import handover
from tests.network import answering

__all__ = ["PROFILE", "TelnyxServer", "event", "telnyx_server"]

PROFILE = "3fa85f64-5717-4562-b3fc-2c963f66afa6"


@dataclass
class TelnyxServer:
    """One Telnyx account with its signing key. ``taken`` has the body of each text that came in, by its id."""

    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    taken: dict[str, dict[str, Any]] = field(default_factory=dict)
    keys_used: list[str] = field(default_factory=list)

    @property
    def public_key(self) -> str:
        """As the portal shows it."""
        return b64encode(self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.keys_used.append(request.headers["Authorization"])
        text = await request.json()
        message_id = str(uuid4())
        self.taken[message_id] = text
        return web.json_response({"data": {"id": message_id, "to": [{"status": "queued"}]}}, status=200)

    def headers(self, body: bytes, *, seconds_ago: int = 0) -> dict[str, str]:
        """What Telnyx sends along with a body."""
        timestamp = str(int(time.time()) - seconds_ago)
        signature = self.key.sign(timestamp.encode() + b"|" + body)
        return {"telnyx-timestamp": timestamp, "telnyx-signature-ed25519": b64encode(signature).decode()}

    def call(self, url: str, told: dict[str, Any]) -> HttpResponse:
        """A callback to an address of the platform."""
        body = json.dumps(told).encode()
        parts = urlsplit(url)
        answer: Any = Client().post(
            f"{parts.path}{'?' if parts.query else ''}{parts.query}",
            data=body,
            content_type="application/json",
            headers=self.headers(body),
        )
        return answer  # type: ignore[no-any-return]

    def tell(self, message_id: str, status: str, *, kind: str = "message.finalized", **more: Any) -> HttpResponse:
        """News about a text that was taken, sent where the text asked for them."""
        text = self.taken[message_id]
        message = {
            "id": message_id,
            "direction": "outbound",
            "from": {"phone_number": text["from"]},
            "to": [{"phone_number": text["to"], "status": status}],
        }
        return self.call(text["webhook_url"], event(kind, text["webhook_url"], **{**message, **more}))


def event(kind: str, url: str, **message: Any) -> dict[str, Any]:
    """An event in Telnyx's words, about a message with these fields."""
    payload = {"record_type": "message", "messaging_profile_id": PROFILE, "webhook_url": url, "errors": [], **message}
    data = {
        "record_type": "event",
        "event_type": kind,
        "id": str(uuid4()),
        "occurred_at": "2026-01-23T18:10:02.574Z",
        "payload": payload,
    }
    return {"data": data, "meta": {"attempt": 1, "delivered_to": url}}


@contextmanager
def telnyx_server(settings: Any) -> Iterator[TelnyxServer]:
    """A Telnyx that the platform's adapters reach."""
    server = TelnyxServer()
    with answering(server.handle) as address:
        settings.TELNYX_API_BASE_URL = address
        handover._lines.clear()
        yield server
        handover._lines.clear()
