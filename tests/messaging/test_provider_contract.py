"""One contract for every provider adapter, checked at the wire: what was answered decides the outcome, nothing else."""

import asyncio
import json
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

import pytest
from aiohttp import web
from twilio.rest import Client

from messaging.providers.base import Outcome, SendRequest, SendResult
from messaging.providers.codes import TABLES
from messaging.providers.registry import PROVIDERS, Addresses, make_provider
from messaging.providers.twilio.transport import Transport

TWILIO = {"account_sid": "AC" + "a" * 32, "auth_token": "t" * 32}
SIMULATOR = {"secret": "s" * 32, "account": "x"}
TELNYX = {"api_key": "KEY0123456789", "public_key": "A" * 43 + "=", "messaging_profile_id": ""}
TELNYX_ID = "40385f64-5717-4562-b3fc-2c963f66afa6"
CREDENTIALS = {"twilio": TWILIO, "telnyx": TELNYX, "simulator": SIMULATOR}
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
        if kind == "telnyx":
            told = {"data": {"id": TELNYX_ID}} if status == 201 else {"errors": [{"code": code, "title": "no"}]}
            return web.json_response(told, status=status)
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


def at(address: str) -> Addresses:
    """Every provider is at this address."""
    return Addresses(twilio=address, telnyx=address, simulator=address)


def send(kind: str, wire: Wire, **changes: str) -> SendResult:
    async def go() -> SendResult:
        async with listening(wire) as address:
            provider = make_provider(kind, {**CREDENTIALS[kind], **changes}, at(address), 8)
            try:
                return await provider.send(REQUEST)
            finally:
                await provider.close()

    return asyncio.run(go())


TWILIO_CODES = {
    "bad number": "21211",
    "opted out": "21610",
    "bad key": "20003",
    "bad sender": "21606",
    "too many": "20429",
    "broken": "20500",
    "busy": "20503",
    "unheard of": "99999",
}
TELNYX_CODES = {
    "bad number": "40310",
    "opted out": "40300",
    "bad key": "10009",
    "bad sender": "40305",
    "too many": "10011",
    "broken": "10007",
    "busy": "10008",
    "unheard of": "99999",
}
# The simulated network answers with Twilio's codes.
CODES = {"twilio": TWILIO_CODES, "telnyx": TELNYX_CODES, "simulator": TWILIO_CODES}


@pytest.mark.parametrize("kind", sorted(PROVIDERS))
@pytest.mark.parametrize(
    ("status", "problem", "outcome", "stops"),
    [
        (201, "", Outcome.ACCEPTED, ""),
        (400, "bad number", Outcome.REFUSED, ""),
        (400, "opted out", Outcome.REFUSED, ""),
        (409, "opted out", Outcome.REFUSED, ""),
        (401, "bad key", Outcome.TRY_AGAIN, "account"),
        (401, "unheard of", Outcome.TRY_AGAIN, "account"),
        (400, "bad sender", Outcome.TRY_AGAIN, "sender"),
        (400, "unheard of", Outcome.REFUSED, ""),
        (429, "too many", Outcome.TRY_AGAIN, ""),
        (500, "broken", Outcome.UNKNOWN, ""),
        (503, "busy", Outcome.UNKNOWN, ""),
        (503, "unheard of", Outcome.UNKNOWN, ""),
    ],
)
def test_answers(kind: str, status: int, problem: str, outcome: Outcome, stops: str) -> None:
    code = CODES[kind].get(problem, "")
    result = send(kind, Wire(says(kind, status, code), []))
    assert result.outcome is outcome
    assert bool(result.provider_message_id) is (outcome is Outcome.ACCEPTED)
    assert result.number_opted_out is (problem == "opted out")
    assert result.stops == stops
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
        provider = make_provider(kind, CREDENTIALS[kind], at("http://127.0.0.1:1"), 8)
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


@pytest.mark.parametrize("kind", ["telnyx", "twilio"])
def test_hundreds_are_in_flight_and_never_more_than_the_cap(kind: str) -> None:
    """A slow provider costs one latency for many texts, not one each."""
    most, now = 0, 0

    async def slow(request: web.Request) -> web.StreamResponse:
        nonlocal most, now
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.2)
        now -= 1
        return await says(kind, 201)(request)

    async def go() -> list[SendResult]:
        async with listening(Wire(slow, [])) as address:
            provider = make_provider(kind, CREDENTIALS[kind], at(address), 200)
            try:
                return await asyncio.gather(*(provider.send(REQUEST) for _ in range(400)))
            finally:
                await provider.close()

    results = asyncio.run(go())
    assert {result.outcome for result in results} == {Outcome.ACCEPTED}
    assert 100 < most <= 200


PROFILE = "3fa85f64-5717-4562-b3fc-2c963f66afa6"


@pytest.mark.parametrize("profile", ["", PROFILE])
def test_what_telnyx_is_sent(profile: str) -> None:
    wire = Wire(says("telnyx", 201), [])
    send("telnyx", wire, messaging_profile_id=profile)
    ((path, body, headers),) = wire.asked
    assert path == "/v2/messages"
    assert json.loads(body) == {
        "from": REQUEST.sender,
        "to": REQUEST.to,
        "text": REQUEST.body,
        "webhook_url": REQUEST.status_callback,
        "use_profile_webhooks": False,
        **({"messaging_profile_id": profile} if profile else {}),
    }
    assert headers["Authorization"] == "Bearer KEY0123456789"
    assert headers["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    "told",
    [{}, [], {"data": None}, {"data": {"id": 7}}, {"data": {"id": "../x"}}, {"data": {"id": TELNYX_ID + "0"}}],
    ids=str,
)
def test_without_an_id_of_telnyx_nobody_knows(told: Any) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.json_response(told, status=200)

    assert send("telnyx", Wire(answer, [])).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("kind", sorted(TABLES))
def test_every_error_code_has_a_meaning(kind: str) -> None:
    table = TABLES[kind]
    for code, entry in table.entries.items():
        result = table.classify(400, code)
        assert result.error_code == code
        # What stops the sender is offered again too, but only after a person has acted.
        assert (result.outcome is Outcome.TRY_AGAIN) is (entry["retry"] is True or bool(result.stops))
        assert (result.outcome is Outcome.UNKNOWN) is (entry["retry"] is None)
    assert table.classify(422, "99999").outcome is Outcome.REFUSED


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


def test_an_api_key_of_twilio_takes_the_place_of_the_token() -> None:
    wire = Wire(says("twilio", 201), [])
    send("twilio", wire, api_key_sid="SK" + "e" * 32, api_key_secret="secret")
    ((path, _, headers),) = wire.asked
    assert path == f"/2010-04-01/Accounts/{TWILIO['account_sid']}/Messages.json"
    assert headers["Authorization"] == f"Basic {b64encode(b'SK' + b'e' * 32 + b':secret').decode()}"
