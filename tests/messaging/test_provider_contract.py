"""One contract for every provider adapter, checked at the wire: what was answered decides the outcome, nothing else."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

import pytest
from aiohttp import web
from twilio.rest import Client

from messaging.providers.base import Outcome, SendRequest, SendResult
from messaging.providers.registry import PROVIDERS, Addresses, make_provider
from messaging.providers.twilio.transport import Transport

TWILIO = {"account_sid": "AC" + "a" * 32, "auth_token": "t" * 32}
SIMULATOR = {"secret": "s" * 32}
CREDENTIALS = {"twilio": TWILIO, "simulator": SIMULATOR}
REQUEST = SendRequest(
    attempt_id="a1",
    sender="+12025550180",
    to="+12025550101",
    body="Grüße & {more} 🌷",
    status_callback="https://sms.example.com/callbacks/x/status?a=a1",
    validity_seconds=3600,
)


@dataclass
class Wire:
    """What the fake at the other end of the wire answers, and what it was asked."""

    answer: Callable[[web.Request], Awaitable[web.StreamResponse]]
    asked: list[tuple[str, bytes, dict[str, str]]]


@asynccontextmanager
async def listening(wire: Wire) -> AsyncIterator[str]:
    async def handle(request: web.Request) -> web.StreamResponse:
        wire.asked.append((request.path, await request.read(), dict(request.headers)))
        return await wire.answer(request)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, backlog=1024)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def says(kind: str, status: int, code: str = "") -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """An answer in the words of that provider."""

    async def answer(request: web.Request) -> web.StreamResponse:
        if kind == "simulator":
            return web.json_response({"id": "SIM1"} if status == 201 else {"error_code": code}, status=status)
        body = (
            {"sid": "SM" + "1" * 32, "status": "queued"}
            if status == 201
            else {"code": int(code or 0), "message": "no", "status": status}
        )
        return web.json_response(body, status=status)

    return answer


async def hangs_up(request: web.Request) -> web.StreamResponse:
    """Takes the request and closes the connection without an answer."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def nonsense(request: web.Request) -> web.StreamResponse:
    return web.Response(text="<html>ok</html>", status=201, content_type="text/html")


async def redirects(request: web.Request) -> web.StreamResponse:
    return web.Response(status=307, headers={"Location": "http://127.0.0.1:1/"})


def send(kind: str, wire: Wire) -> SendResult:
    async def go() -> SendResult:
        async with listening(wire) as address:
            provider = make_provider(kind, CREDENTIALS[kind], Addresses(twilio=address, simulator=address), 8)
            try:
                return await provider.send(REQUEST)
            finally:
                await provider.close()

    return asyncio.run(go())


@pytest.mark.parametrize("kind", sorted(PROVIDERS))
@pytest.mark.parametrize(
    ("status", "code", "outcome"),
    [
        (201, "", Outcome.ACCEPTED),
        (400, "21211", Outcome.REFUSED),
        (400, "21610", Outcome.REFUSED),
        (401, "20003", Outcome.TRY_AGAIN),
        (401, "99999", Outcome.TRY_AGAIN),
        (400, "21606", Outcome.TRY_AGAIN),
        (400, "99999", Outcome.REFUSED),
        (429, "20429", Outcome.TRY_AGAIN),
        (500, "20500", Outcome.UNKNOWN),
        (503, "20503", Outcome.UNKNOWN),
    ],
)
def test_answers(kind: str, status: int, code: str, outcome: Outcome) -> None:
    result = send(kind, Wire(says(kind, status, code), []))
    assert result.outcome is outcome
    assert bool(result.provider_message_id) is (outcome is Outcome.ACCEPTED)
    assert result.number_opted_out is (code == "21610")
    assert result.stops == {"21606": "sender"}.get(code, "account" if status == 401 else "")
    if outcome is not Outcome.ACCEPTED:
        assert result.error_code == code


@pytest.mark.parametrize("kind", sorted(PROVIDERS))
@pytest.mark.parametrize("answer", [hangs_up, nonsense], ids=["hangs up", "nonsense"])
def test_without_a_clear_answer_nobody_knows(kind: str, answer: Any) -> None:
    wire = Wire(answer, [])
    assert send(kind, wire).outcome is Outcome.UNKNOWN
    assert len(wire.asked) == 1, "and it is not asked again"


@pytest.mark.parametrize("kind", sorted(PROVIDERS))
def test_redirects_are_not_followed(kind: str) -> None:
    wire = Wire(redirects, [])
    assert send(kind, wire).outcome in (Outcome.UNKNOWN, Outcome.REFUSED)
    assert len(wire.asked) == 1


@pytest.mark.parametrize("kind", sorted(PROVIDERS))
def test_nothing_was_written_when_nobody_listens(kind: str) -> None:
    async def go() -> SendResult:
        nowhere = "http://127.0.0.1:1"
        provider = make_provider(kind, CREDENTIALS[kind], Addresses(twilio=nowhere, simulator=nowhere), 8)
        try:
            return await provider.send(REQUEST)
        finally:
            await provider.close()

    result = asyncio.run(go())
    assert (result.outcome, result.error_code) == (Outcome.TRY_AGAIN, "not_connected")


def test_what_twilio_is_sent() -> None:
    wire = Wire(says("twilio", 201), [])
    send("twilio", wire)
    ((path, body, headers),) = wire.asked
    assert path == f"/2010-04-01/Accounts/{TWILIO['account_sid']}/Messages.json"
    assert parse_qs(body.decode()) == {
        "To": [REQUEST.to],
        "From": [REQUEST.sender],
        "Body": [REQUEST.body],
        "StatusCallback": [REQUEST.status_callback],
        "ValidityPeriod": ["3600"],
    }
    assert headers["Authorization"].startswith("Basic ")


def test_what_the_simulated_network_is_sent() -> None:
    wire = Wire(says("simulator", 201), [])
    send("simulator", wire)
    ((_, body, headers),) = wire.asked
    assert json.loads(body) == {
        "to": REQUEST.to,
        "from": REQUEST.sender,
        "body": REQUEST.body,
        "callback": REQUEST.status_callback,
    }
    assert headers["X-Simulator-Signature"]


def test_hundreds_are_in_flight_and_never_more_than_the_cap() -> None:
    """A slow provider costs one latency for many texts, not one each."""
    most, now = 0, 0

    async def slow(request: web.Request) -> web.StreamResponse:
        nonlocal most, now
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.2)
        now -= 1
        return await says("twilio", 201)(request)

    async def go() -> list[SendResult]:
        async with listening(Wire(slow, [])) as address:
            provider = make_provider("twilio", TWILIO, Addresses(twilio=address, simulator=address), 200)
            try:
                return await asyncio.gather(*(provider.send(REQUEST) for _ in range(400)))
            finally:
                await provider.close()

    results = asyncio.run(go())
    assert {result.outcome for result in results} == {Outcome.ACCEPTED}
    assert 100 < most <= 200


def test_every_error_code_of_twilio_has_a_meaning() -> None:
    from messaging.providers.twilio.errors import _TABLE, classify

    for code, entry in _TABLE.items():
        result = classify(400, code)
        assert result.error_code == code
        # What stops the sender is offered again too, but only after a person has acted.
        assert (result.outcome is Outcome.TRY_AGAIN) is (entry["retry"] is True or bool(result.stops))
        assert (result.outcome is Outcome.UNKNOWN) is (entry["retry"] is None)
    assert classify(400, "99999").outcome is Outcome.REFUSED


def test_what_twilio_is_sent_is_what_its_own_client_sends() -> None:
    async def by_the_official_client(wire: Wire) -> None:
        async with listening(wire) as address:
            transport = Transport(base_url=address, max_in_flight=1)
            client = Client(TWILIO["account_sid"], TWILIO["auth_token"], http_client=transport)
            await client.messages.create_async(
                to=REQUEST.to,
                from_=REQUEST.sender,
                body=REQUEST.body,
                status_callback=REQUEST.status_callback,
                validity_period=REQUEST.validity_seconds,
            )
            await transport.close()

    ours, theirs = Wire(says("twilio", 201), []), Wire(says("twilio", 201), [])
    send("twilio", ours)
    asyncio.run(by_the_official_client(theirs))
    ((our_path, our_body, our_headers),) = ours.asked
    ((path, body, headers),) = theirs.asked
    assert our_path == path
    assert our_body == body
    for name in ("Authorization", "Content-Type", "Accept"):
        assert our_headers[name] == headers[name]
