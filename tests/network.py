"""The simulated phone network in a thread of the test process: a fake at the wire, nowhere else."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import web
from django.conf import settings

from messaging.providers.simulator.network import Options, make_app

__all__ = ["running_network"]


@contextmanager
def running_network(*, latency: float = 0.002, receipt_delay: float = 0.01) -> Iterator[str]:
    """The network's address while it runs."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def start() -> tuple[web.AppRunner, str]:
        # The port is known only after binding, and requests are signed over the address.
        holder = web.AppRunner(web.Application())
        await holder.setup()
        probe = web.TCPSite(holder, "127.0.0.1", 0)
        await probe.start()
        port = holder.addresses[0][1]
        await holder.cleanup()
        address = f"http://127.0.0.1:{port}"
        options = Options(settings.SIMULATOR_SECRET, settings.REDIS_URL, address, latency, receipt_delay)
        runner = web.AppRunner(make_app(options), access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        return runner, address

    runner, address = asyncio.run_coroutine_threadsafe(start(), loop).result(10)
    try:
        yield address
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()
