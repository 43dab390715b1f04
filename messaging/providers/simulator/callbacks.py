"""Calling the platform back, like a carrier: a few at once, and again when it does not answer."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Final
from urllib.parse import urlencode

import aiohttp

from messaging.providers.simulator.signed_http import SignedHttp

__all__ = ["Callbacks"]

AT_ONCE: Final = 16
TRIES: Final = 6


class Callbacks:
    """The callbacks under way."""

    def __init__(self, signed: SignedHttp) -> None:
        self._signed = signed
        self._session: aiohttp.ClientSession | None = None
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def under_way(self) -> int:
        """How many are started and not done."""
        return len(self._tasks)

    def open(self) -> None:
        """Make ready; the event loop must run."""
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10))

    async def close(self) -> None:
        """Give up what is under way."""
        for task in self._tasks:
            task.cancel()
        if self._session:
            await self._session.close()

    def start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Do the work while texts are taken."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def post(self, url: str, form: dict[str, str]) -> None:
        """Call back until the platform takes it or has failed too often."""
        assert self._session is not None  # noqa: S101 - open() ran before the first request
        body = urlencode(form).encode()
        headers = self._signed.headers(url, body)
        for tried in range(TRIES):
            async with self._slots:
                try:
                    async with self._session.post(url, data=body, headers=headers) as answer:
                        if answer.status < 500:
                            return
                except (TimeoutError, aiohttp.ClientError):
                    pass
            await asyncio.sleep(0.25 * 2**tried)
