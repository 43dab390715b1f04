"""The network's side of its HTTP: genuine requests in, signed callbacks out."""

import json
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from messaging.providers.simulator.signing import SIGNATURE_HEADER, is_genuine, sign

__all__ = ["SignedHttp", "hang_up"]


@dataclass(frozen=True, slots=True)
class SignedHttp:
    """``address`` is where the platform reaches the network: requests are signed over it."""

    secret: str
    address: str

    async def read(self, request: web.Request) -> dict[str, Any]:
        """The content of a genuine request; anything else is refused."""
        body = await request.read()
        url = f"{self.address}{request.path}"
        if not is_genuine(self.secret, url, body, request.headers.get(SIGNATURE_HEADER, "")):
            raise web.HTTPForbidden(text="signature")
        content: dict[str, Any] = json.loads(body)
        return content

    def headers(self, url: str, form: bytes) -> dict[str, str]:
        """The headers of a callback."""
        return {
            "Content-Type": "application/x-www-form-urlencoded",
            SIGNATURE_HEADER: sign(self.secret, url, form),
        }


def hang_up(request: web.Request) -> web.Response:
    """Close the connection without an answer, as a failure of the network would."""
    assert request.transport is not None  # noqa: S101 - it is open while the handler runs
    request.transport.abort()
    return web.Response()
