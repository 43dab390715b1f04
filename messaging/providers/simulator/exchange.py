"""The exchange of the simulated network: texts to the phones, replies and receipts from them."""

import asyncio
import random
import time
from typing import Final

from aiohttp import web

from messaging.providers.simulator.behaviour import Answer, Behaviour, behaviour_of
from messaging.providers.simulator.callbacks import Callbacks
from messaging.providers.simulator.chaos import DISTURBANCES
from messaging.providers.simulator.options import Options
from messaging.providers.simulator.record import Entry, Record, account_in, attempt_in, new_id
from messaging.providers.simulator.screens import Screens
from messaging.providers.simulator.signed_http import SignedHttp, hang_up
from messaging.providers.simulator.weather import Weather

__all__ = ["Exchange"]

QUIET_SECONDS: Final = 60.0
"""A phone that answers by itself does so once in this time: the platform may answer it, and that arrives too."""
EARLY_SECONDS: Final = 3.0
"""An answer waits for early receipts no longer than this."""


class Exchange:
    """All virtual phones, and the texts under way."""

    def __init__(self, options: Options, signed: SignedHttp, record: Record, weather: Weather) -> None:
        self._options = options
        self._signed = signed
        self._record = record
        self._weather = weather
        self._screens = Screens(options.redis_url)
        self._callbacks = Callbacks(signed)
        self._refused: dict[str, int] = {}
        self._answered: dict[tuple[str, str], float] = {}

    async def open(self, _: web.Application) -> None:
        self._callbacks.open()

    async def close(self, _: web.Application) -> None:
        await self._callbacks.close()
        await self._screens.close()
        self._record.close()

    async def take(self, request: web.Request) -> web.StreamResponse:
        """``POST /messages``: a text for a phone."""
        text = await self._signed.read(request)
        number, attempt = text["to"], attempt_in(text["callback"])
        behaviour = behaviour_of(number)
        disturbance = self._weather.disturbance(attempt or number)
        if disturbance:
            behaviour = DISTURBANCES[disturbance](behaviour)
        await asyncio.sleep(self._weather.delay(number, attempt) + (self._options.slow if behaviour.slow else 0.0))
        if self._refused.get(number, 0) < behaviour.refusals_first:
            self._refused[number] = self._refused.get(number, 0) + 1
            return web.json_response({"error_code": "20429"}, status=429)
        self._refused.pop(number, None)
        if behaviour.http_status != 201:
            return web.json_response({"error_code": behaviour.error_code}, status=behaviour.http_status)
        message_id = await self._accept(text, behaviour)
        return await self._answer(request, message_id, behaviour.answer)

    async def reply(self, request: web.Request) -> web.Response:
        """``POST /replies``: a person types a reply on a phone."""
        text = await self._signed.read(request)
        address = text.get("inbound") or await self._screens.inbound_address(text["to"])
        if not address:
            return web.json_response({"problem": "No text from this number has come yet."}, status=404)
        message_id = await self._write(address, number=text["from"], sender=text["to"], body=text["body"])
        return web.json_response({"id": message_id}, status=202)

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
        answer, wait = "", 0.0
        if behaviour.arrives:
            await self._screens.show(entry)
            answer, wait = await self._screens.scripted_answer(entry)
        await self._screens.remember_inbound_address(entry.sender, callback)
        receipts = self._callbacks.start(self._receipts(entry.id, callback, behaviour))
        if answer:
            self._callbacks.start(self._write_after(wait, entry, answer))
        elif behaviour.says:
            self._callbacks.start(self._write_back(entry, behaviour.says))
        if behaviour.early:
            await asyncio.wait({receipts}, timeout=EARLY_SECONDS)
        return entry.id

    async def _answer(self, request: web.Request, message_id: str, answer: Answer) -> web.StreamResponse:
        if answer is Answer.RESET:
            return hang_up(request)
        if answer is Answer.FAILS:
            return web.json_response({"error_code": "20500"}, status=500)
        if answer is Answer.LATE:
            await asyncio.sleep(self._options.late)
        return web.json_response({"id": message_id}, status=201)

    async def _receipts(self, message_id: str, callback: str, behaviour: Behaviour) -> None:
        for status in behaviour.receipts:
            if not behaviour.early:
                await asyncio.sleep(self._options.receipt_delay * random.uniform(0.5, 1.5))  # noqa: S311 - not a secret
            code = behaviour.receipt_error if status in ("undelivered", "failed") else ""
            self._record.update(message_id, status, code)
            if status not in behaviour.lost:
                await self._callbacks.post(callback, {"id": message_id, "status": status, "error_code": code})

    async def _write_back(self, entry: Entry, words: str) -> None:
        talk = (entry.number, entry.sender)
        if time.monotonic() < self._answered.get(talk, 0.0) + QUIET_SECONDS:
            return
        self._answered[talk] = time.monotonic()
        await self._write_after(self._options.receipt_delay * 2, entry, words)

    async def _write_after(self, seconds: float, entry: Entry, words: str) -> None:
        await asyncio.sleep(seconds)
        address = await self._screens.inbound_address(entry.sender)
        await self._write(address, number=entry.number, sender=entry.sender, body=words)

    async def _write(self, address: str, *, number: str, sender: str, body: str) -> str:
        """A person writes to a sender, whose replies go to the address."""
        at = time.time()
        reply = Entry(new_id(at), account_in(address), "", sender, number, body, at, inbound=True, status="received")
        self._record.add(reply)
        await self._screens.show(reply)
        form = {"id": reply.id, "from": number, "to": sender, "body": body}
        self._callbacks.start(self._callbacks.post(address, form))
        return reply.id
