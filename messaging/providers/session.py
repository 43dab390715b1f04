"""An ``aiohttp`` session for questions to a provider. Texts are handed over by ``wire``."""

from collections.abc import Mapping
from typing import Final

import aiohttp

from messaging.providers.wire import ANSWER_SECONDS, CONNECT_SECONDS, KEEP_ALIVE_SECONDS

__all__ = ["Session"]

TIMEOUT: Final = aiohttp.ClientTimeout(total=None, connect=None, sock_connect=CONNECT_SECONDS, sock_read=ANSWER_SECONDS)


class Session:
    """Pooled connections with time limits, made when first needed: a session belongs to the event loop that asks."""

    def __init__(self, *, max_in_flight: int, headers: Mapping[str, str] | None = None) -> None:
        self._max_in_flight = max_in_flight
        self._headers = dict(headers or {})
        self._session: aiohttp.ClientSession | None = None

    def open(self) -> aiohttp.ClientSession:
        """The session; another one when it was closed."""
        if self._session is None or self._session.closed:
            connector = aiohttp.TCPConnector(limit=self._max_in_flight, keepalive_timeout=KEEP_ALIVE_SECONDS)
            self._session = aiohttp.ClientSession(
                connector=connector, timeout=TIMEOUT, trust_env=False, headers=self._headers
            )
        return self._session

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
