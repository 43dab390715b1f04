"""HTTP for questions to Telnyx: pooled connections and time limits. Texts are handed over by ``wire``."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import aiohttp

from messaging.providers.wire import ANSWER_SECONDS, CONNECT_SECONDS, KEEP_ALIVE_SECONDS

__all__ = ["TELNYX_API", "Reply", "Transport"]

TELNYX_API: Final = "https://api.telnyx.com"
TIMEOUT: Final = aiohttp.ClientTimeout(total=None, connect=None, sock_connect=CONNECT_SECONDS, sock_read=ANSWER_SECONDS)


@dataclass(frozen=True, slots=True)
class Reply:
    """Status and body of an answer."""

    status: int
    body: bytes


class Transport:
    """One ``aiohttp`` session for one account's messages; ``base_url`` may point to an emulator on loopback."""

    def __init__(self, *, base_url: str, headers: Mapping[str, str], max_in_flight: int) -> None:
        self._url = f"{base_url}/v2/messages"
        self._headers = dict(headers)
        self._max_in_flight = max_in_flight
        self._session: aiohttp.ClientSession | None = None

    async def request(self, method: str, message_id: str) -> Reply:
        """One request about one message. Raises ``aiohttp.ClientError``, ``TimeoutError`` or ``OSError``."""
        async with self._open().request(method, f"{self._url}/{message_id}", allow_redirects=False) as answer:
            return Reply(answer.status, await answer.read())

    def _open(self) -> aiohttp.ClientSession:
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
