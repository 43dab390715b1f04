"""How long a provider may keep a text in its own queue: as long as it is worth sending, by its lane."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import parse_qs
from uuid import uuid4

import pytest
from django.utils import timezone

from common.lanes import SENDING_LANES
from messaging.models import Batch, Sender
from messaging.pipeline.attempts import GOOD_FOR, requests_of
from messaging.pipeline.results import Handed
from messaging.providers.registry import make_provider
from tests.messaging.test_provider_contract import REQUEST, TWILIO, Wire, at, listening, says

ACCEPTED_BY_TWILIO = range(1, 36_001)


def test_every_lane_has_its_time() -> None:
    """A code is worth nothing after minutes, and all of them are times that Twilio takes as they are."""
    assert set(GOOD_FOR) == set(SENDING_LANES)
    assert min(GOOD_FOR, key=lambda lane: GOOD_FOR[lane]) == "verification"
    assert GOOD_FOR["verification"] <= timedelta(minutes=10)
    assert all(good_for.total_seconds() in ACCEPTED_BY_TWILIO for good_for in GOOD_FOR.values())


@pytest.mark.parametrize("lane", sorted(GOOD_FOR))
def test_a_request_carries_the_time_of_its_lane(lane: str) -> None:
    account = SimpleNamespace(kind="twilio", id=uuid4())
    sender = cast(Sender, SimpleNamespace(value="+12025550180", provider_account=account))
    handed = Handed(uuid4(), uuid4(), "+12025550101", n=1, first_at=timezone.now())
    (request,) = requests_of(cast(Batch, SimpleNamespace(lane=lane)), sender, [handed], ["Hi"])
    assert request.validity_seconds == GOOD_FOR[lane].total_seconds()


@pytest.mark.parametrize(("asked", "sent"), [(-5, 1), (0, 1), (1, 1), (300, 300), (36_000, 36_000), (86_400, 36_000)])
def test_twilio_is_asked_for_what_it_accepts(asked: int, sent: int) -> None:
    wire = Wire(says("twilio", 201), [])

    async def go() -> None:
        async with listening(wire) as address:
            provider: Any = make_provider("twilio", TWILIO, at(address), 8)
            await provider.send(replace(REQUEST, validity_seconds=asked))
            await provider.close()

    asyncio.run(go())
    ((_, body, _),) = wire.asked
    assert parse_qs(body.decode())["ValidityPeriod"] == [str(sent)]
