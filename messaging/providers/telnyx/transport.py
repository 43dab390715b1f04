"""HTTP for questions to Telnyx about one message."""

from collections.abc import Mapping
from typing import Final

from messaging.providers.session import Session
from messaging.providers.wire import Answer

__all__ = ["TELNYX_API", "Transport"]

TELNYX_API: Final = "https://api.telnyx.com"


class Transport:
    """One account's messages; ``base_url`` may point to an emulator on loopback."""

    def __init__(self, *, base_url: str, headers: Mapping[str, str], max_in_flight: int) -> None:
        self._url = f"{base_url}/v2/messages"
        self._session = Session(max_in_flight=max_in_flight, headers=headers)

    async def request(self, method: str, message_id: str) -> Answer:
        """One request about one message. Raises ``aiohttp.ClientError``, ``TimeoutError`` or ``OSError``."""
        async with self._session.open().request(method, f"{self._url}/{message_id}", allow_redirects=False) as answer:
            return Answer(answer.status, await answer.read())

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()
