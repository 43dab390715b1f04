"""What answers at the other end of the wire, in a thread of the test process: the only place where tests fake."""

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

from aiohttp import web
from django.conf import settings

from messaging.providers.simulator.network import Options, make_app

__all__ = ["answering", "running_network"]


@contextmanager
def running_network(**options: Any) -> Iterator[str]:
    """The simulated phone network's address while it runs; ``options`` are those of ``Options``."""
    quick = {"latency": 0.002, "receipt_delay": 0.01}
    usual = {"secret": settings.SIMULATOR_SECRET, "redis_url": settings.REDIS_URL, **quick}

    def network(address: str) -> web.Application:
        return make_app(Options(**{**usual, "address": address, **options}))

    with _serving(network) as address:
        yield address


@contextmanager
def answering(handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> Iterator[str]:
    """The address of a provider that answers whatever the test says."""

    def provider(address: str) -> web.Application:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", handler)
        return app

    with _serving(provider) as address:
        yield address


@contextmanager
def _serving(make: Callable[[str], web.Application]) -> Iterator[str]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def start() -> tuple[web.AppRunner, str]:
        # The port is known only after binding, and requests are signed over the address.
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        address = f"http://127.0.0.1:{port}"
        # Who takes an hour to answer is not waited for.
        runner = web.AppRunner(make(address), access_log=None, shutdown_timeout=0.2)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port, backlog=1024).start()
        return runner, address

    runner, address = asyncio.run_coroutine_threadsafe(start(), loop).result(10)
    try:
        yield address
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()
