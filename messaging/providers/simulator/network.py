"""The simulated phone network as a process: ``python -m messaging.providers.simulator.network --port 8009``.

It takes texts over HTTP, lets virtual phones behave by their number (``behaviour``), keeps what they show in Redis,
and calls the platform back like a carrier: receipts, and replies typed on a phone. Environment: ``REDIS_URL``,
``SIMULATOR_SECRET``.
"""

import argparse
import asyncio
import json
import os
import random
import uuid
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

import aiohttp
import redis.asyncio
import uvloop
from aiohttp import web

from messaging.providers.simulator.behaviour import Behaviour, behaviour_of
from messaging.providers.simulator.handsets import (
    KEPT_PER_PHONE,
    ShownText,
    keys_of,
    now,
    stored,
)
from messaging.providers.simulator.signing import SIGNATURE_HEADER, is_genuine, sign

__all__ = ["Network", "Options", "make_app"]

CALLBACKS_AT_ONCE: Final = 16
CALLBACK_TRIES: Final = 6
MAX_BODY_BYTES: Final = 32_768


@dataclass(frozen=True, slots=True)
class Options:
    """How the network is set up. Times in seconds."""

    secret: str
    redis_url: str
    address: str
    """Where the platform reaches this network; its requests are signed over it."""
    latency: float = 0.08
    receipt_delay: float = 0.6
    seed: int = 1


class Network:
    """All virtual phones, and the texts and callbacks under way."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._redis = redis.asyncio.Redis.from_url(options.redis_url)
        self._session: aiohttp.ClientSession | None = None
        self._slots = asyncio.Semaphore(CALLBACKS_AT_ONCE)
        self._under_way: set[asyncio.Task[None]] = set()
        self._refused: dict[str, int] = {}
        self._taken: dict[str, str] = {}

    async def open(self, _: web.Application) -> None:
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10))

    async def close(self, _: web.Application) -> None:
        for task in self._under_way:
            task.cancel()
        if self._session:
            await self._session.close()
        await self._redis.aclose()

    async def take(self, request: web.Request) -> web.StreamResponse:
        """``POST /messages``: a text for a phone."""
        text = await self._genuine_json(request)
        number, behaviour = text["to"], behaviour_of(text["to"])
        await asyncio.sleep(self._latency(number))
        if self._refused.get(number, 0) < behaviour.refusals_first:
            self._refused[number] = self._refused.get(number, 0) + 1
            return web.json_response({"error_code": "20429"}, status=429)
        self._refused.pop(number, None)
        if behaviour.http_status != 201:
            return web.json_response({"error_code": behaviour.error_code}, status=behaviour.http_status)
        message_id = f"SIM{uuid.uuid4().hex}"
        if behaviour.arrives:
            await self._show(number, ShownText(incoming=True, sender=text["from"], body=text["body"], at=now()))
        await self._remember_inbound_address(text["from"], text["callback"])
        self._start(self._receipts(message_id, text["callback"], behaviour))
        if behaviour.answer_lost:
            # Close the connection without an answer, as a network failure after acceptance would.
            assert request.transport is not None  # noqa: S101 - it is open while the handler runs
            request.transport.abort()
        return web.json_response({"id": message_id}, status=201)

    async def reply(self, request: web.Request) -> web.Response:
        """``POST /replies``: a person types a reply on a phone."""
        text = await self._genuine_json(request)
        address = text.get("inbound") or await self._redis.get(f"phones:inbound:{text['to']}")
        if not address:
            return web.json_response({"problem": "No text from this number has come yet."}, status=404)
        await self._show(text["from"], ShownText(incoming=False, sender=text["to"], body=text["body"], at=now()))
        url = address.decode() if isinstance(address, bytes) else address
        form = {"id": f"SIM{uuid.uuid4().hex}", "from": text["from"], "to": text["to"], "body": text["body"]}
        self._start(self._call_back(url, form))
        return web.json_response({"id": form["id"]}, status=202)

    async def health(self, _: web.Request) -> web.Response:
        """``GET /health``."""
        await self._redis.ping()
        return web.json_response({"under_way": len(self._under_way)})

    async def _genuine_json(self, request: web.Request) -> dict[str, str]:
        body = await request.read()
        url = f"{self._options.address}{request.path}"
        if not is_genuine(self._options.secret, url, body, request.headers.get(SIGNATURE_HEADER, "")):
            raise web.HTTPForbidden(text="signature")
        text: dict[str, str] = json.loads(body)
        return text

    async def _show(self, number: str, text: ShownText) -> None:
        thread, recent, arrived = keys_of(number)
        async with self._redis.pipeline(transaction=False) as pipeline:
            pipeline.lpush(thread, stored(text))
            pipeline.ltrim(thread, 0, KEPT_PER_PHONE - 1)
            pipeline.zadd(recent, {number: text.at})
            if text.incoming:
                pipeline.incr(arrived)
            await pipeline.execute()

    async def _remember_inbound_address(self, sender: str, status_callback: str) -> None:
        """The platform's two callback addresses of an account differ in their last word."""
        inbound = status_callback.partition("?")[0].removesuffix("status") + "inbound"
        if self._taken.get(sender) != inbound:
            self._taken[sender] = inbound
            await self._redis.set(f"phones:inbound:{sender}", inbound)

    async def _receipts(self, message_id: str, callback: str, behaviour: Behaviour) -> None:
        for status in behaviour.receipts:
            await asyncio.sleep(self._options.receipt_delay * random.uniform(0.5, 1.5))  # noqa: S311 - not a secret
            failed = status in ("undelivered", "failed")
            form = {"id": message_id, "status": status, "error_code": behaviour.receipt_error if failed else ""}
            await self._call_back(callback, form)

    async def _call_back(self, url: str, form: dict[str, str]) -> None:
        assert self._session is not None  # noqa: S101 - open() ran before the first request
        body = urlencode(form).encode()
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            SIGNATURE_HEADER: sign(self._options.secret, url, body),
        }
        for tried in range(CALLBACK_TRIES):
            async with self._slots:
                try:
                    async with self._session.post(url, data=body, headers=headers) as answer:
                        if answer.status < 500:
                            return
                except (TimeoutError, aiohttp.ClientError):
                    pass
            await asyncio.sleep(0.25 * 2**tried)

    def _latency(self, number: str) -> float:
        """The same number always takes the same time, between half and one and a half of the set latency."""
        spread = random.Random(f"{self._options.seed}:{number}").uniform(0.5, 1.5)  # noqa: S311 - not a secret
        return self._options.latency * spread

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)


def make_app(options: Options) -> web.Application:
    """The network as a web application."""
    network = Network(options)
    app = web.Application(client_max_size=MAX_BODY_BYTES)
    app.on_startup.append(network.open)
    app.on_cleanup.append(network.close)
    app.router.add_post("/messages", network.take)
    app.router.add_post("/replies", network.reply)
    app.router.add_get("/health", network.health)
    return app


def main() -> None:
    """Run the network until it is stopped."""
    parser = argparse.ArgumentParser(description="The simulated phone network.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--latency-ms", type=float, default=80)
    parser.add_argument("--receipt-delay-ms", type=float, default=600)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    options = Options(
        secret=os.environ["SIMULATOR_SECRET"],
        redis_url=os.environ["REDIS_URL"],
        address=f"http://127.0.0.1:{arguments.port}",
        latency=arguments.latency_ms / 1000,
        receipt_delay=arguments.receipt_delay_ms / 1000,
        seed=arguments.seed,
    )
    uvloop.install()
    web.run_app(make_app(options), host="127.0.0.1", port=arguments.port, backlog=1024, print=None, access_log=None)


if __name__ == "__main__":
    main()
