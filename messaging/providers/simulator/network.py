"""The simulated phone network as a process: ``python -m messaging.providers.simulator.network --port 8009``.

It takes texts over HTTP, lets virtual phones behave by their number (``behaviour``), keeps a record that can be asked
(``record``), shows the phones' texts in Redis, and calls the platform back like a carrier: receipts, and replies typed
on a phone. Environment: ``REDIS_URL``, ``SIMULATOR_SECRET``.
"""

import argparse
import asyncio
import os
import random
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import uvloop
from aiohttp import web

from messaging.providers.simulator.behaviour import Behaviour, behaviour_of
from messaging.providers.simulator.callbacks import Callbacks
from messaging.providers.simulator.record import Entry, Record, account_in, attempt_in, new_id
from messaging.providers.simulator.record_views import RecordViews
from messaging.providers.simulator.screens import Screens
from messaging.providers.simulator.wire import Wire

__all__ = ["Network", "Options", "make_app"]

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
    log: Path | None = None
    record_since: float = 0.0
    """Texts from before that may be missing on the record."""


class Network:
    """All virtual phones, and the texts under way."""

    def __init__(self, options: Options, wire: Wire, record: Record) -> None:
        self._options = options
        self._wire = wire
        self._record = record
        self._screens = Screens(options.redis_url)
        self._callbacks = Callbacks(wire)
        self._refused: dict[str, int] = {}

    async def open(self, _: web.Application) -> None:
        self._callbacks.open()

    async def close(self, _: web.Application) -> None:
        await self._callbacks.close()
        await self._screens.close()
        self._record.close()

    async def take(self, request: web.Request) -> web.StreamResponse:
        """``POST /messages``: a text for a phone."""
        text = await self._wire.read(request)
        number, behaviour = text["to"], behaviour_of(text["to"])
        await asyncio.sleep(self._latency(number))
        if self._refused.get(number, 0) < behaviour.refusals_first:
            self._refused[number] = self._refused.get(number, 0) + 1
            return web.json_response({"error_code": "20429"}, status=429)
        self._refused.pop(number, None)
        if behaviour.http_status != 201:
            return web.json_response({"error_code": behaviour.error_code}, status=behaviour.http_status)
        message_id = await self._accept(text, behaviour)
        if behaviour.answer_lost:
            # Close the connection without an answer, as a network failure after acceptance would.
            assert request.transport is not None  # noqa: S101 - it is open while the handler runs
            request.transport.abort()
        return web.json_response({"id": message_id}, status=201)

    async def reply(self, request: web.Request) -> web.Response:
        """``POST /replies``: a person types a reply on a phone."""
        text = await self._wire.read(request)
        address = text.get("inbound") or await self._screens.inbound_address(text["to"])
        if not address:
            return web.json_response({"problem": "No text from this number has come yet."}, status=404)
        at = time.time()
        reply = Entry(new_id(at), account_in(address), "", text["to"], text["from"], text["body"], at, inbound=True)
        reply.status = "received"
        self._record.add(reply)
        await self._screens.show(reply)
        form = {"id": reply.id, "from": reply.number, "to": reply.sender, "body": reply.body}
        self._callbacks.start(self._callbacks.post(address, form))
        return web.json_response({"id": reply.id}, status=202)

    async def health(self, _: web.Request) -> web.Response:
        """``GET /health``."""
        return web.json_response({"under_way": self._callbacks.under_way})

    async def _accept(self, text: dict[str, str], behaviour: Behaviour) -> str:
        """Take a text: from here on it is on record, whatever is answered."""
        callback, at = text["callback"], time.time()
        entry = Entry(
            new_id(at), account_in(callback), attempt_in(callback), text["from"], text["to"], text["body"], at
        )
        entry.arrives = behaviour.arrives
        self._record.add(entry)
        if behaviour.arrives:
            await self._screens.show(entry)
        await self._screens.remember_inbound_address(entry.sender, callback)
        self._callbacks.start(self._receipts(entry.id, callback, behaviour))
        return entry.id

    async def _receipts(self, message_id: str, callback: str, behaviour: Behaviour) -> None:
        for status in behaviour.receipts:
            await asyncio.sleep(self._options.receipt_delay * random.uniform(0.5, 1.5))  # noqa: S311 - not a secret
            code = behaviour.receipt_error if status in ("undelivered", "failed") else ""
            self._record.update(message_id, status, code)
            if status not in behaviour.lost:
                await self._callbacks.post(callback, {"id": message_id, "status": status, "error_code": code})

    def _latency(self, number: str) -> float:
        """The same number always takes the same time, between half and one and a half of the set latency."""
        spread = random.Random(f"{self._options.seed}:{number}").uniform(0.5, 1.5)  # noqa: S311 - not a secret
        return self._options.latency * spread


def make_app(options: Options) -> web.Application:
    """The network as a web application."""
    wire = Wire(options.secret, options.address)
    record = Record(options.log, complete_since=options.record_since)
    network, views = Network(options, wire, record), RecordViews(wire, record)
    app = web.Application(client_max_size=MAX_BODY_BYTES)
    app.on_startup.append(network.open)
    app.on_cleanup.append(network.close)
    app.router.add_post("/messages", network.take)
    app.router.add_post("/replies", network.reply)
    app.router.add_get("/health", network.health)
    app.router.add_post("/texts/to", views.to)
    app.router.add_post("/texts/one", views.one)
    app.router.add_post("/texts/between", views.between)
    return app


def main() -> None:
    """Run the network until it is stopped."""
    parser = argparse.ArgumentParser(description="The simulated phone network.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--latency-ms", type=float, default=80)
    parser.add_argument("--receipt-delay-ms", type=float, default=600)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--log", type=Path, help="JSON lines of all texts, read again at the next start")
    arguments = parser.parse_args()
    options = Options(
        secret=os.environ["SIMULATOR_SECRET"],
        redis_url=os.environ["REDIS_URL"],
        address=f"http://127.0.0.1:{arguments.port}",
        latency=arguments.latency_ms / 1000,
        receipt_delay=arguments.receipt_delay_ms / 1000,
        seed=arguments.seed,
        log=arguments.log,
        record_since=0.0 if arguments.log else time.time(),
    )
    uvloop.install()
    web.run_app(make_app(options), host="127.0.0.1", port=arguments.port, backlog=1024, print=None, access_log=None)


if __name__ == "__main__":
    main()
