"""One contract for the questions that every provider is asked about its record."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from aiohttp import web

from messaging.providers.base import CouldNotAsk, KnownText, Provider, SendRequest
from messaging.providers.registry import Addresses, make_provider
from messaging.providers.simulator.keypad import type_reply
from tests.network import answering, running_network
from tests.twilio_server import TwilioServer

SECRET = "s" * 32
SID = "AC" + "a" * 32
CREDENTIALS = {
    "twilio": {"account_sid": SID, "auth_token": "t" * 32},
    "simulator": {"secret": SECRET, "account": "x"},
}
CLINIC, PERSON = "+12025550180", "+12025550101"
NOWHERE = "http://127.0.0.1:1"
NO_REDIS = "redis://127.0.0.1:1/0"
REQUEST = SendRequest("a1", CLINIC, PERSON, "Grüße 🌷", f"{NOWHERE}/callbacks/simulator/x/status?a=a1", 3600)
MINUTE = timedelta(minutes=1)
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]
Ask = Callable[[Provider], Coroutine[Any, Any, Any]]


@dataclass
class FarEnd:
    """A provider with a record, and a way for a person to write."""

    kind: str
    address: str
    write: Callable[[str], Any]


@contextmanager
def far_end(kind: str, **options: Any) -> Iterator[FarEnd]:
    if kind == "twilio":
        server = TwilioServer(SID, page_size=2)
        written = {"From": PERSON, "To": CLINIC}
        with answering(server.handle) as address:
            yield FarEnd(
                kind,
                address,
                lambda body: server.take({**written, "Body": body}, status="received", direction="inbound"),
            )
    else:
        with running_network(secret=SECRET, redis_url=NO_REDIS, **options) as address:
            yield FarEnd(kind, address, lambda body: type_reply(address, SECRET, number=PERSON, to=CLINIC, body=body))


@asynccontextmanager
async def adapter(kind: str, address: str, **credentials: str) -> AsyncIterator[Provider]:
    known = {**CREDENTIALS[kind], **credentials}
    provider = make_provider(kind, known, Addresses(twilio=address, telnyx=address, simulator=address), 8)
    try:
        yield provider
    finally:
        await provider.close()


def asked(kind: str, address: str, question: Ask, **credentials: str) -> Any:
    async def go() -> Any:
        async with adapter(kind, address, **credentials) as provider:
            return await question(provider)

    return asyncio.run(go())


def send(end: FarEnd, *requests: SendRequest) -> list[str]:
    async def all_of(provider: Provider) -> list[str]:
        return [(await provider.send(request)).provider_message_id for request in requests]

    found: list[str] = asked(end.kind, end.address, all_of)
    return found


async def the_last_minutes(provider: Provider) -> list[KnownText]:
    now = datetime.now(UTC)
    return [text async for text in provider.texts_between(now - MINUTE, now + MINUTE)]


def to(number: str, since: timedelta = MINUTE) -> Ask:
    return lambda provider: provider.texts_to(number, since=datetime.now(UTC) - since)


QUESTIONS: list[Ask] = [to(PERSON), lambda provider: provider.fetch("SM" + "1" * 32), the_last_minutes]


@pytest.mark.parametrize("kind", sorted(CREDENTIALS))
def test_what_was_taken_is_found(kind: str) -> None:
    with far_end(kind) as end:
        mine, others = send(end, REQUEST, replace(REQUEST, to="+12025550102", attempt_id="a2"))
        end.write("Thanks")
        texts = asked(kind, end.address, to(PERSON))
        assert [(text.provider_message_id, text.sender, text.number, text.body) for text in texts] == [
            (mine, CLINIC, PERSON, REQUEST.body)
        ]
        assert abs(texts[0].created_at - datetime.now(UTC)) < MINUTE
        assert not texts[0].inbound
        assert asked(kind, end.address, to(PERSON, since=-MINUTE)) == []
        assert asked(kind, end.address, to("+12025550199")) == []
        one = asked(kind, end.address, lambda provider: provider.fetch(mine))
        assert (one.provider_message_id, one.body) == (mine, REQUEST.body)
        assert asked(kind, end.address, lambda provider: provider.fetch("SM" + "f" * 32)) is None
        everything = asked(kind, end.address, the_last_minutes)
        assert {text.provider_message_id for text in everything if not text.inbound} == {mine, others}
        (reply,) = (text for text in everything if text.inbound)
        assert (reply.sender, reply.number, reply.body) == (CLINIC, PERSON, "Thanks")
        assert reply.news.provider_status == "received"


async def breaks(_: web.Request) -> web.StreamResponse:
    return web.json_response({"code": 20503, "message": "no", "status": 503}, status=503)


async def nonsense(_: web.Request) -> web.StreamResponse:
    return web.Response(text="<html>ok</html>", content_type="text/html")


async def hangs_up(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


@pytest.mark.parametrize("kind", sorted(CREDENTIALS))
@pytest.mark.parametrize(
    "answer", [breaks, nonsense, hangs_up, None], ids=["breaks", "nonsense", "hangs up", "nobody listens"]
)
def test_without_a_clear_answer_nothing_is_concluded(kind: str, answer: Answer | None) -> None:
    for question in QUESTIONS:
        if answer is None:
            with pytest.raises(CouldNotAsk):
                asked(kind, NOWHERE, question)
        else:
            with answering(answer) as address, pytest.raises(CouldNotAsk):
                asked(kind, address, question)


@pytest.mark.parametrize("kind", sorted(CREDENTIALS))
@pytest.mark.parametrize(
    "body", [{}, [], {"texts": [{"id": 1}]}, {"messages": [{"id": 1}]}, {"messages": [1]}, "x"], ids=str
)
def test_texts_of_another_shape_are_no_answer(kind: str, body: object) -> None:
    """An empty record would mean that a text never arrived, and it might go out again."""

    async def another_shape(_: web.Request) -> web.StreamResponse:
        return web.json_response(body)

    for question in QUESTIONS:
        with answering(another_shape) as address, pytest.raises(CouldNotAsk, match="unreadable"):
            asked(kind, address, question)


@pytest.mark.parametrize("question", [to(PERSON), the_last_minutes])
def test_a_list_that_does_not_exist_is_no_answer(question: Ask) -> None:
    async def gone(_: web.Request) -> web.StreamResponse:
        return web.json_response({"code": 20404, "message": "no", "status": 404}, status=404)

    with answering(gone) as address, pytest.raises(CouldNotAsk):
        asked("twilio", address, question)


def test_only_who_has_the_secret_is_answered_by_the_network() -> None:
    with far_end("simulator") as end:
        for question in QUESTIONS:
            with pytest.raises(CouldNotAsk, match="403"):
                asked("simulator", end.address, question, secret="o" * 32)
        request = Request(f"{end.address}/texts/to", data=b"{}", method="POST")
        with pytest.raises(HTTPError, match="403"):
            urlopen(request)


def test_an_account_has_only_its_own_record() -> None:
    with far_end("simulator") as end:
        (mine,) = send(end, REQUEST)
        for question in (to(PERSON), the_last_minutes, lambda provider: provider.fetch(mine)):
            assert not asked("simulator", end.address, question, account="y")


def test_a_text_whose_answer_was_lost_is_on_record() -> None:
    with far_end("simulator") as end:
        assert send(end, replace(REQUEST, to="+12025550198")) == [""]
        (text,) = asked("simulator", end.address, to("+12025550198"))
        assert text.body == REQUEST.body


@pytest.mark.parametrize(
    ("number", "status", "code"),
    [("+12025550101", "delivered", ""), ("+12025550190", "undelivered", "30003"), ("+12025550195", "delivered", "")],
)
def test_the_record_tells_what_became_of_a_text(number: str, status: str, code: str) -> None:
    """Whether or not the platform took the receipts."""

    async def taken(_: web.Request) -> web.StreamResponse:
        return web.Response()

    with answering(taken) as platform, far_end("simulator") as end:
        (name,) = send(end, replace(REQUEST, to=number, status_callback=f"{platform}/callbacks/simulator/x/status"))
        until = time.monotonic() + 10
        while (news := asked("simulator", end.address, lambda one: one.fetch(name)).news).status != status:
            assert time.monotonic() < until
        assert news.error_code == code


def line(n: int, at: float) -> str:
    known = {"kind": "text", "id": f"SIM{n}", "attempt": f"a{n}", "account": "x", "at": at}
    return json.dumps({**known, "from": CLINIC, "to": PERSON, "body": "Hi", "arrives": True}) + "\n"


def test_long_records_come_in_pages(tmp_path: Path) -> None:
    log, now = tmp_path / "log.jsonl", int(time.time())
    log.write_text("".join(line(n, now - 600 + n / 10) for n in range(2_500)))
    with far_end("simulator", log=log) as end:

        async def of_two_minutes(provider: Provider) -> list[str]:
            since = datetime.fromtimestamp(now - 600, UTC)
            texts = provider.texts_between(since, since + 2 * MINUTE)
            return [text.provider_message_id async for text in texts]

        assert asked("simulator", end.address, of_two_minutes) == [f"SIM{n}" for n in range(1_200)]


def test_twilios_pages_are_all_read() -> None:
    with far_end("twilio") as end:
        names = send(end, *[REQUEST] * 5)
        assert {text.provider_message_id for text in asked("twilio", end.address, to(PERSON))} == set(names)


def test_the_log_has_every_text_and_survives_the_network(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    with far_end("simulator", log=log) as end:
        (name,) = send(end, REQUEST)
        end.write("Thanks")
    with log.open("a") as file:
        file.write('{"kind": "text", "id": "SIM')
    with far_end("simulator", log=log) as end:
        send(end, replace(REQUEST, attempt_id="a2"))
    with far_end("simulator", log=log) as end:
        assert asked("simulator", end.address, lambda provider: provider.fetch(name)).body == REQUEST.body
        assert len(asked("simulator", end.address, the_last_minutes)) == 3
    first = json.loads(log.read_text().splitlines()[1])
    at = first.pop("at")
    assert abs(at - time.time()) < 60
    known = {"kind": "text", "id": name, "attempt": "a1", "account": "x", "arrives": True}
    assert first == {**known, "from": CLINIC, "to": PERSON, "body": REQUEST.body}


def test_a_network_without_a_log_says_that_it_knows_nothing_of_before() -> None:
    """An empty answer would mean that a text never arrived, and it might go out again."""
    with far_end("simulator", record_since=time.time() - 30) as end:
        before = f"SIM{int((time.time() - 40) * 1000):012x}" + "0" * 20
        for question in (to(PERSON), the_last_minutes, lambda provider: provider.fetch(before)):
            with pytest.raises(CouldNotAsk, match="410"):
                asked("simulator", end.address, question)
        assert asked("simulator", end.address, to(PERSON, since=MINUTE / 4)) == []


def test_a_log_that_begins_says_so_also_after_a_restart(tmp_path: Path) -> None:
    """A log that was deleted, or that the network did not have before, is no proof that nothing was sent."""
    log, began = tmp_path / "log.jsonl", time.time() - 30
    for record_since in (began, 0.0):
        with far_end("simulator", log=log, record_since=record_since) as end:
            with pytest.raises(CouldNotAsk, match="410"):
                asked("simulator", end.address, to(PERSON))
            assert asked("simulator", end.address, to(PERSON, since=MINUTE / 4)) == []
