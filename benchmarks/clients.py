"""What one hand-over costs in the process that makes it: the official SDK, a general client, and our own line.

All send the same form to the same provider at 100 ms, 512 requests in flight. Processor time only, so that the latency
does not count.
"""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlencode

import aiohttp
import uvloop
from twilio.rest import Client
from yarl import URL

from benchmarks.stack import fake_twilio
from messaging.providers.base import SendRequest
from messaging.providers.registry import Addresses, make_provider
from messaging.providers.twilio.transport import Transport

__all__ = ["run"]

TEXTS: Final = 8_000
WARM_UP: Final = 1_000
IN_FLIGHT: Final = 512
ACCOUNT: Final = {"account_sid": "AC" + "a" * 32, "auth_token": "t" * 32}
TEXT: Final = SendRequest(
    attempt_id="",
    sender="+12025550180",
    to="+12025550101",
    body="Hi Ann, our sale starts today\nReply STOP to opt out.",
    status_callback="https://texts.example.com/callbacks/twilio/01a20552-7e57-7440-9abd-8d625450164c/status?a=1",
    validity_seconds=14_400,
)

Send = Callable[[], Awaitable[object]]


def run() -> Iterator[Mapping[str, Any]]:
    """One line a client, with its ratio to the official SDK."""
    with fake_twilio(100) as address:
        baseline = 0.0
        for name, measure in (("sdk", _sdk), ("aiohttp", _aiohttp), ("wire", _wire)):
            microseconds = uvloop.run(measure(address))
            baseline = baseline or microseconds
            yield {
                "name": f"clients {name}",
                "value": round(microseconds, 1),
                "unit": "us of processor a text",
                "baseline": round(baseline, 1),
                "ratio": round(baseline / microseconds, 1),
            }


async def _cost(send: Send) -> float:
    await _pump(send, WARM_UP)
    before = time.process_time()
    await _pump(send, TEXTS)
    return 1e6 * (time.process_time() - before) / TEXTS


async def _pump(send: Send, texts: int) -> None:
    slots = asyncio.Semaphore(IN_FLIGHT)

    async def one() -> None:
        async with slots:
            await send()

    await asyncio.gather(*(one() for _ in range(texts)))


async def _sdk(address: str) -> float:
    transport = Transport(base_url=address, max_in_flight=IN_FLIGHT)
    messages = Client(ACCOUNT["account_sid"], ACCOUNT["auth_token"], http_client=transport).messages
    cost = await _cost(
        lambda: messages.create_async(
            to=TEXT.to,
            from_=TEXT.sender,
            body=TEXT.body,
            status_callback=TEXT.status_callback,
            validity_period=TEXT.validity_seconds,
        )
    )
    await transport.close()
    return cost


async def _aiohttp(address: str) -> float:
    url = URL(f"{address}/2010-04-01/Accounts/{ACCOUNT['account_sid']}/Messages.json")
    form = {"To": TEXT.to, "From": TEXT.sender, "Body": TEXT.body, "StatusCallback": TEXT.status_callback}
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Authorization": "Basic x"}
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=IN_FLIGHT)) as session:

        async def send() -> object:
            async with session.post(url, data=urlencode(form).encode(), headers=headers) as answer:
                return json.loads(await answer.read())["sid"]

        return await _cost(send)


async def _wire(address: str) -> float:
    addresses = Addresses(twilio=address, telnyx=address, simulator=address)
    provider = make_provider("twilio", ACCOUNT, addresses, IN_FLIGHT)
    cost = await _cost(lambda: provider.send(TEXT))
    await provider.close()
    return cost
