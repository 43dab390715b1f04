"""What Telnyx has on record about one text, asked at the wire; and what cannot be asked."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web

from messaging.providers.base import CouldNotAsk, Provider
from messaging.providers.registry import make_provider
from tests.messaging.test_provider_contract import TELNYX, TELNYX_ID, Wire, at, hangs_up, listening, nonsense

OUTBOUND: dict[str, Any] = {
    "id": TELNYX_ID,
    "direction": "outbound",
    "from": {"phone_number": "+12025550180", "carrier": "Telnyx"},
    "to": [{"phone_number": "+12025550101", "status": "delivered"}],
    "text": "Hello",
    "received_at": "2026-01-23T18:10:02.574Z",
    "errors": [],
}


def ask(wire: Wire, question: Callable[[Provider], Awaitable[Any]]) -> Any:
    async def go() -> Any:
        async with listening(wire) as address:
            provider = make_provider("telnyx", TELNYX, at(address), 8)
            try:
                return await question(provider)
            finally:
                await provider.close()

    return asyncio.run(go())


def answers(status: int, told: Any) -> Wire:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.json_response(told, status=status)

    return Wire(answer, [])


def test_one_text() -> None:
    wire = answers(200, {"data": OUTBOUND})
    text = ask(wire, lambda provider: provider.fetch(TELNYX_ID))
    assert (text.sender, text.number, text.body, text.inbound) == ("+12025550180", "+12025550101", "Hello", False)
    assert text.created_at == datetime(2026, 1, 23, 18, 10, 2, 574000, tzinfo=UTC)
    assert (text.provider_message_id, text.news.status) == (TELNYX_ID, "delivered")
    ((path, _, headers),) = wire.asked
    assert path == f"/v2/messages/{TELNYX_ID}"
    assert headers["Authorization"] == f"Bearer {TELNYX['api_key']}"


def test_a_text_of_a_person_names_the_tenants_number_as_sender() -> None:
    told = {**OUTBOUND, "direction": "inbound", "from": {"phone_number": "+12025550101"}, "to": "+12025550180"}
    text = ask(answers(200, {"data": told}), lambda provider: provider.fetch(TELNYX_ID))
    assert (text.sender, text.number, text.inbound) == ("+12025550180", "+12025550101", True)


@pytest.mark.parametrize(
    ("code", "title", "opted_out"),
    [
        ("40300", "Blocked due to STOP message", True),
        ("40300", "Unreachable destination", False),
        ("40008", "Stop", False),
    ],
)
def test_only_a_stop_is_an_opt_out(code: str, title: str, *, opted_out: bool) -> None:
    told = {**OUTBOUND, "errors": [{"code": code, "title": title}]}
    told["to"] = [{"phone_number": "+12025550101", "status": "delivery_failed"}]
    news = ask(answers(200, {"data": told}), lambda provider: provider.fetch(TELNYX_ID)).news
    assert (news.status, news.error_code, news.number_opted_out) == ("undelivered", code, opted_out)


def test_a_text_that_is_not_there() -> None:
    assert ask(answers(404, {"errors": [{"code": "10005"}]}), lambda provider: provider.fetch(TELNYX_ID)) is None


@pytest.mark.parametrize(
    "wire",
    [
        answers(401, {}),
        answers(429, {}),
        answers(503, {}),
        answers(200, {"data": {}}),
        answers(200, {"data": {**OUTBOUND, "received_at": None}}),
        Wire(hangs_up, []),
        Wire(nonsense, []),
    ],
)
def test_no_clear_answer_is_no_answer(wire: Wire) -> None:
    with pytest.raises(CouldNotAsk):
        ask(wire, lambda provider: provider.fetch(TELNYX_ID))


def test_an_id_that_is_none_is_never_part_of_an_address() -> None:
    wire = answers(200, {"data": OUTBOUND})
    with pytest.raises(CouldNotAsk):
        ask(wire, lambda provider: provider.fetch("../messaging_profiles"))
    assert wire.asked == []


@pytest.mark.parametrize(("status", "cancelled"), [(200, True), (404, False), (422, False), (401, None), (503, None)])
def test_a_text_is_taken_back(status: int, cancelled: bool | None) -> None:
    wire = answers(status, {})
    if cancelled is None:
        with pytest.raises(CouldNotAsk):
            ask(wire, lambda provider: provider.cancel(TELNYX_ID))
    else:
        assert ask(wire, lambda provider: provider.cancel(TELNYX_ID)) is cancelled


def test_texts_of_a_number_or_a_time_cannot_be_asked_for() -> None:
    """So an attempt in doubt stays in doubt: nothing is concluded from a record that may be incomplete."""
    now = datetime.now(UTC)

    async def all_texts(provider: Provider) -> list[Any]:
        return [text async for text in provider.texts_between(now, now)]

    for question in (lambda provider: provider.texts_to("+12025550101", since=now), all_texts):
        wire = answers(200, {"data": []})
        with pytest.raises(CouldNotAsk):
            ask(wire, question)
        assert wire.asked == []
