"""How many requests are under way at once: half as many when the account says so, and never more than the maximum."""

import asyncio
import json
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from messaging.models import ProviderAccount
from messaging.pace.in_flight import Cap, Slots
from messaging.pipeline import handover
from messaging.pipeline.dispatch import run_next_batch
from tenants.scope import tenant_scope
from tests.cast import Cast
from tests.messaging.test_dispatch import MARKETING, number, queue, statuses
from tests.messaging.test_trouble import due_now
from tests.network import answering


@given(st.integers(1, 500), st.lists(st.tuples(st.booleans(), st.floats(0, 5)), max_size=200))
def test_the_cap_stays_between_one_and_the_maximum(most: int, answers: list[tuple[bool, float]]) -> None:
    cap, now = Cap(most), 0.0
    for taken, seconds in answers:
        now += seconds
        if taken:
            cap.taken()
        else:
            cap.too_many(now)
        assert 1 <= cap.room <= most


def test_it_halves_once_for_requests_that_were_under_way_together_and_comes_back_slowly() -> None:
    cap = Cap(64)
    for _ in range(50):
        cap.too_many(100.0)
    assert cap.room == 32
    cap.too_many(101.5)
    assert cap.room == 16
    for _ in range(17):
        cap.taken()
    assert cap.room == 17
    for _ in range(5_000):
        cap.taken()
    assert cap.room == 64


@given(st.integers(1, 8), st.integers(1, 40), st.lists(st.integers(0, 39), max_size=10))
def test_no_more_are_under_way_than_the_cap_says_and_nobody_is_forgotten(
    most: int, count: int, gone: list[int]
) -> None:
    async def go() -> tuple[int, int]:
        slots = Slots(Cap(most))
        under_way, highest, done = 0, 0, 0

        async def one() -> None:
            nonlocal under_way, highest, done
            async with slots:
                under_way += 1
                highest = max(highest, under_way)
                try:
                    await asyncio.sleep(0)
                finally:
                    under_way -= 1
            done += 1

        tasks = [asyncio.create_task(one()) for _ in range(count)]
        await asyncio.sleep(0)
        for n in gone:
            tasks[n % count].cancel()
        results = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 5)
        cancelled = sum(isinstance(one, asyncio.CancelledError) for one in results)
        return highest, done + cancelled

    highest, ended = asyncio.run(go())
    assert highest <= most
    assert ended == count


@pytest.mark.fault("F05")
@pytest.mark.django_db(transaction=True)
def test_an_account_that_bears_few_requests_at_once_gets_few(committed_cast: Cast, settings: Any) -> None:
    """It takes four at once and answers 429 to the rest; each text arrives once."""
    clinic, under_way, took = committed_cast.clinic, 0, list[str]()

    async def handle(request: web.Request) -> web.StreamResponse:
        nonlocal under_way
        to = json.loads(await request.read())["to"]
        under_way += 1
        try:
            if under_way > 4:
                return web.json_response({"error_code": "20429"}, status=429)
            await asyncio.sleep(0.01)
            took.append(to)
            return web.json_response({"id": f"SIM{to}"}, status=201)
        finally:
            under_way -= 1

    with tenant_scope(clinic.tenant.id):
        ProviderAccount.objects.update(max_in_flight=64)
    people = [number(n) for n in range(90)]
    with answering(handle) as address:
        settings.SIMULATOR_URL = address
        handover._lines.clear()
        queue(clinic, people)
        for _ in range(40):
            due_now(clinic)
            if not run_next_batch(MARKETING):
                break
            handover._lines[clinic.account.id].slots.cap.halved_at = float("-inf")
        room = handover._lines[clinic.account.id].slots.cap.room
        handover._lines.clear()
    assert sorted(took) == people
    assert set(statuses(clinic).values()) == {"accepted"}
    assert room < 40
