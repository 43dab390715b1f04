"""The simulated network's weather: disturbances by seed, outages, latency, and phones with a will of their own."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.error import HTTPError
from urllib.parse import parse_qs
from urllib.request import Request, urlopen

import pytest
from aiohttp import web
from django.conf import settings
from hypothesis import given
from hypothesis import strategies as st

from messaging.providers.base import CouldNotAsk, KnownText, Outcome, Provider, SendRequest, SendResult
from messaging.providers.registry import Addresses, make_provider
from messaging.providers.simulator.chaos import DISTURBANCES, disturbance_of
from messaging.providers.simulator.handsets import Handsets
from messaging.providers.simulator.scripts import Script
from messaging.providers.simulator.signing import SIGNATURE_HEADER, sign
from tests.network import answering, running_network

SECRET = "s" * 32
CLINIC, PERSON = "+12025550180", "+12025550101"
NO_REDIS = "redis://127.0.0.1:1/0"
NEVER = 3_600.0
LIMIT = 1.0
"""How long the platform waits for an answer that takes an hour."""
ACCEPTED, TRY_AGAIN, UNKNOWN = Outcome.ACCEPTED, Outcome.TRY_AGAIN, Outcome.UNKNOWN


@dataclass
class World:
    """The network, and a platform that notes what it is told."""

    network: str
    platform: str = ""
    told: list[str] = field(default_factory=list)
    """The receipts' statuses and the people's words, in the order in which they came."""

    def send(self, number: str = PERSON, *, attempt: str = "a1", limit: float = 9.0) -> SendResult:
        callback = f"{self.platform}/callbacks/simulator/x/status?a={attempt}"
        request = SendRequest(attempt, CLINIC, number, "Hi", callback, 3600)
        return self._with_adapter(lambda provider: within(limit, provider, request))

    def on_record(self, number: str = PERSON) -> list[KnownText]:
        since = datetime.now(UTC) - timedelta(minutes=1)
        found: list[KnownText] = self._with_adapter(lambda provider: provider.texts_to(number, since=since))
        return found

    def weather(self, **wanted: Any) -> dict[str, Any]:
        url, body = f"{self.network}/weather", json.dumps(wanted).encode()
        request = Request(url, data=body, headers={SIGNATURE_HEADER: sign(SECRET, url, body)}, method="POST")
        with urlopen(request, timeout=5) as answer:
            found: dict[str, Any] = json.load(answer)
        return found

    def hears(self, *words: str) -> bool:
        """Whether the platform is told this, in this order and nothing else."""
        eventually(lambda: len(self.told) >= len(words) and self.under_way() == 0)
        return self.told == list(words)

    def under_way(self) -> int:
        with urlopen(f"{self.network}/health", timeout=5) as answer:
            return int(json.load(answer)["under_way"])

    def _with_adapter(self, question: Callable[[Provider], Any]) -> Any:
        async def go() -> Any:
            addresses = Addresses(twilio="", telnyx="", simulator=self.network)
            provider = make_provider("simulator", {"secret": SECRET, "account": "x"}, addresses, 8)
            try:
                return await question(provider)
            finally:
                await provider.close()

        return asyncio.run(go())


async def within(limit: float, provider: Provider, request: SendRequest) -> SendResult:
    try:
        async with asyncio.timeout(limit):
            return await provider.send(request)
    except TimeoutError:
        return SendResult(UNKNOWN, error_code="no_answer")


def eventually(true: Callable[[], bool]) -> None:
    until = time.monotonic() + 10
    while not true():
        assert time.monotonic() < until


@contextmanager
def world(**options: Any) -> Iterator[World]:
    here = World("")

    async def platform(request: web.Request) -> web.StreamResponse:
        form = parse_qs((await request.read()).decode())
        here.told += form.get("status", []) + form.get("body", [])
        return web.Response()

    quick = {"latency": 0.001, "receipt_delay": 0.002, "slow": NEVER, "late": NEVER}
    with (
        answering(platform) as here.platform,
        running_network(**{"secret": SECRET, "redis_url": NO_REDIS, **quick, **options}) as here.network,
    ):
        yield here


USUAL = ("sent", "delivered")


@pytest.mark.parametrize(
    ("digits", "outcome", "told"),
    [
        ("80", UNKNOWN, ()),
        ("81", UNKNOWN, USUAL),
        ("82", UNKNOWN, ()),
        ("83", UNKNOWN, USUAL),
        ("85", ACCEPTED, ("delivered", "delivered", "sent", "sent")),
        ("86", ACCEPTED, ()),
        ("95", ACCEPTED, ("sent",)),
        ("96", ACCEPTED, ("sent", "sent", "delivered", "delivered")),
        ("97", ACCEPTED, ("delivered", "sent")),
        ("98", UNKNOWN, USUAL),
    ],
)
def test_phones_that_make_trouble(digits: str, outcome: Outcome, told: tuple[str, ...]) -> None:
    number = f"+120255501{digits}"
    with world() as here:
        assert here.send(number, limit=LIMIT if digits in ("80", "83") else 9).outcome is outcome
        assert here.hears(*told)
        if digits != "80":
            assert [text.news.status for text in here.on_record(number)] == ["delivered"]


@pytest.mark.parametrize(
    ("digits", "words"), [("87", "YES"), ("88", "STOP"), ("89", "What time do you open tomorrow?")]
)
def test_phones_that_answer_by_themselves(digits: str, words: str) -> None:
    with world() as here:
        here.send(f"+120255501{digits}")
        eventually(lambda: sorted(here.told) == sorted([*USUAL, words]))
        # What the platform answers arrives there too: that is not answered again.
        here.send(f"+120255501{digits}", attempt="a2")
        eventually(lambda: len(here.told) == 5 and here.under_way() == 0)
        assert here.told.count(words) == 1


@pytest.fixture
def scripted() -> Iterator[Callable[[str], None]]:
    """Sets what the person's phone answers by itself."""
    phones = Handsets(settings.REDIS_URL)
    yield lambda lines: phones.keep_script(PERSON, Script.parse(lines, seconds=0.0))
    phones.keep_script(PERSON, Script())


def test_a_phone_with_a_script_answers_each_line_once(scripted: Callable[[str], None]) -> None:
    scripted("xyz -> never\nHI -> first\n* -> second")
    with world(redis_url=settings.REDIS_URL) as here:
        for n in range(3):
            here.send(attempt=f"a{n}")
        eventually(lambda: len(here.told) == 8 and here.under_way() == 0)
        assert [word for word in here.told if word not in USUAL] == ["first", "second"]
        assert Handsets(settings.REDIS_URL).script(PERSON).used == 2


def test_a_script_takes_the_place_of_what_the_number_says(scripted: Callable[[str], None]) -> None:
    number = "+12025550187"
    phones = Handsets(settings.REDIS_URL)
    phones.keep_script(number, Script.parse("* -> NO", seconds=0.0))
    try:
        with world(redis_url=settings.REDIS_URL) as here:
            here.send(number)
            eventually(lambda: len(here.told) == 3 and here.under_way() == 0)
            assert "YES" not in here.told
    finally:
        phones.keep_script(number, Script())


@given(st.text(max_size=200), st.floats(0, 100))
def test_a_script_is_read_as_it_is_shown(typed: str, seconds: float) -> None:
    try:
        script = Script.parse(typed, seconds=seconds)
    except ValueError:
        return
    assert Script.parse(script.text, seconds=seconds) == script
    assert Script.from_json(script.as_json()) == script


def seed_for(name: str) -> int:
    return next(seed for seed in range(1_000) if disturbance_of(seed, 1.0, "a1") == name)


@pytest.mark.parametrize(
    ("name", "outcome", "taken", "told"),
    [
        ("busy", TRY_AGAIN, 0, ()),
        ("fails_before", UNKNOWN, 0, ()),
        ("fails_after", UNKNOWN, 1, USUAL),
        ("reset_after", UNKNOWN, 1, USUAL),
        ("late", UNKNOWN, 1, USUAL),
        ("receipts_lost", ACCEPTED, 1, ()),
        ("receipts_doubled", ACCEPTED, 1, ("sent", "sent", "delivered", "delivered")),
        ("receipts_reversed", ACCEPTED, 1, ("delivered", "sent")),
        ("receipts_early", ACCEPTED, 1, USUAL),
    ],
)
def test_disturbances(name: str, outcome: Outcome, taken: int, told: tuple[str, ...]) -> None:
    with world(chaos=1.0, seed=seed_for(name)) as here:
        assert here.send(limit=LIMIT if name == "late" else 9).outcome is outcome
        if name == "receipts_early":
            assert here.told == list(told), "before the answer"
        assert here.hears(*told)
        assert [text.news.status for text in here.on_record()] == ["delivered"] * taken
        assert here.weather()["disturbed"] == {**dict.fromkeys(DISTURBANCES, 0), name: 1}


def test_receipts_may_come_before_the_answer() -> None:
    with world(receipt_delay=60) as here:
        here.send("+12025550184")
        assert here.told == list(USUAL)


def test_the_same_seed_disturbs_the_same_attempts_and_a_higher_rate_others_besides() -> None:
    attempts = [f"attempt-{n}" for n in range(4_000)]
    few = {one: disturbance_of(7, 0.1, one) for one in attempts}
    many = {one: disturbance_of(7, 0.5, one) for one in attempts}
    assert few == {one: disturbance_of(7, 0.1, one) for one in attempts}
    assert few != {one: disturbance_of(8, 0.1, one) for one in attempts}
    assert all(many[one] == name for one, name in few.items() if name)
    counts = Counter(many.values())
    assert counts.keys() == {"", *DISTURBANCES}
    assert 1_800 < counts[""] < 2_200
    assert min(counts.values()) > 150
    assert not any(disturbance_of(7, 0.0, one) for one in attempts)


@pytest.mark.parametrize(("answer", "problem"), [("503", "http_503"), ("closed", "ServerDisconnectedError")])
def test_an_outage_meets_every_request_until_it_ends(answer: str, problem: str) -> None:
    with world() as here:
        told = here.weather(outage={"answer": answer})
        assert told["outage"] == {"answer": answer, "seconds_left": None}
        assert here.send().outcome is UNKNOWN
        with pytest.raises(CouldNotAsk, match=problem):
            here.on_record()
        assert here.weather(outage=None)["outage"] is None
        assert here.on_record() == []
        assert here.send().outcome is ACCEPTED


def test_an_outage_may_end_by_itself() -> None:
    with world() as here:
        left = here.weather(outage={"answer": "503", "seconds": 0.2})["outage"]["seconds_left"]
        assert 0 < left <= 0.2
        eventually(lambda: here.weather()["outage"] is None)
        assert here.send().outcome is ACCEPTED


def test_the_weather_changes_while_the_network_runs() -> None:
    with world() as here:
        before = here.weather()
        assert (before["rate"], before["latency"]["kind"]) == (0.0, "uniform")
        after = here.weather(rate=1, seed=seed_for("busy"), latency={"kind": "fixed", "p50_ms": 5})
        assert (after["rate"], after["latency"]["kind"], after["latency"]["p50_ms"]) == (1.0, "fixed", 5)
        assert here.send().error_code == "20429"
        assert here.weather(rate=0)["seed"] == after["seed"]
        assert here.send().outcome is ACCEPTED


@pytest.mark.parametrize(
    "latency", [{"kind": "fixed", "p50_ms": 60_000}, {"kind": "lognormal", "p50_ms": 60_000, "p99_ms": 60_000}], ids=str
)
def test_latency_is_waited_before_a_text_is_taken(latency: dict[str, Any]) -> None:
    with world() as here:
        here.weather(latency=latency)
        assert here.send(limit=LIMIT).outcome is UNKNOWN
        assert here.on_record() == []


@pytest.mark.parametrize(
    "wanted",
    [
        {"rate": 1.1},
        {"rate": -0.1},
        {"rate": "much"},
        {"rate": "nan"},
        {"rate": None},
        {"seed": "x"},
        {"latency": {"kind": "odd"}},
        {"latency": {"p50_ms": -1}},
        {"latency": {"p50_ms": "x"}},
        {"latency": {"kind": "lognormal", "p50_ms": 80, "p99_ms": 40}},
        {"latency": {"kind": "lognormal", "p50_ms": 0, "p99_ms": 40}},
        {"latency": {"depth": 1}},
        {"latency": 5},
        {"outage": {"answer": "418"}},
        {"outage": {"answer": "503", "seconds": -1}},
        {"outage": {"answer": "503", "seconds": "inf"}},
        {"outage": "503"},
        {"rain": True},
    ],
    ids=str,
)
def test_odd_weather_is_refused_and_changes_nothing(wanted: dict[str, Any]) -> None:
    with world() as here:
        before = here.weather()
        with pytest.raises(HTTPError, match="422"):
            here.weather(**{"seed": 5, **wanted})
        assert here.weather() == before


def test_only_who_has_the_secret_changes_the_weather() -> None:
    with world() as here:
        request = Request(f"{here.network}/weather", data=b'{"rate": 1}', method="POST")
        with pytest.raises(HTTPError, match="403"):
            urlopen(request)
        assert here.weather()["rate"] == 0


def test_lognormal_latency_has_its_middle_and_its_tail() -> None:
    import random

    from messaging.providers.simulator.weather import Latency

    dice = random.Random(1)
    draws = sorted(Latency("lognormal", 100, 1_000).seconds(dice) for _ in range(20_000))
    assert draws[10_000] == pytest.approx(0.1, rel=0.05)
    assert draws[19_800] == pytest.approx(1.0, rel=0.15)
