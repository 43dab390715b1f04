"""HTTP for the official SDK's questions: pooled connections and time limits."""

from collections.abc import Mapping
from typing import Any, Final

import aiohttp
from twilio.http import AsyncHttpClient
from twilio.http.response import Response

from messaging.providers.session import Session
from messaging.providers.wire import NothingSent

__all__ = ["TWILIO_API", "Transport"]

TWILIO_API: Final = "https://api.twilio.com"


class Transport(AsyncHttpClient):  # type: ignore[misc]
    """The SDK's HTTP client over one ``aiohttp`` session; ``base_url`` may point to an emulator on loopback."""

    def __init__(self, *, base_url: str, max_in_flight: int) -> None:
        super().__init__(logger=None, is_async=True)
        self._base_url = base_url
        self._session = Session(max_in_flight=max_in_flight)

    async def request(
        self,
        method: str,
        uri: str,
        params: Mapping[str, str] | None = None,
        data: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,
        **_: Any,
    ) -> Response:
        """One request, never repeated here. Raises ``NothingSent`` or ``aiohttp.ClientError`` / ``TimeoutError``."""
        try:
            async with self._session.open().request(
                method,
                uri.replace(TWILIO_API, self._base_url, 1),
                params=params,
                data=data,
                headers={**(headers or {}), **_authorization(auth)},
                allow_redirects=False,
            ) as answer:
                return Response(answer.status, await answer.text(), headers=answer.headers)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise NothingSent(type(error).__name__) from error

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()


def _authorization(auth: tuple[str, str] | None) -> dict[str, str]:
    return {"Authorization": aiohttp.encode_basic_auth(*auth)} if auth else {}
