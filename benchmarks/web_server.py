"""Status callbacks over Granian and over Gunicorn: the same application, the same clients, in one run.

Callbacks are the web server's heaviest load (one or more for each text sent), they are small, and each is committed before
it is answered. Measured is how many the servers take at most, and how long each waits when a fixed number comes every
second, whether the ones before were answered or not.
"""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode
from uuid import uuid4

import aiohttp

from benchmarks.stack import Cost, cpu_seconds, free_port, resident_megabytes

__all__ = ["run"]

REQUESTS: Final = int(os.environ.get("BENCH_CALLBACKS", "6000"))
CONNECTIONS: Final = 64
ROUNDS: Final = 2
STEADY_PER_SECOND: Final = int(os.environ.get("BENCH_CALLBACKS_PER_SECOND", "500"))
STEADY_SECONDS: Final = 20
INBOUND: Final = int(os.environ.get("BENCH_INBOUND", "2000"))
TOKEN: Final = "t" * 32
SENDER: Final = "+12025550191"
APPLICATION: Final = "smsplatform.wsgi:application"
SERVERS: Final[Mapping[str, Sequence[str]]] = {
    "granian 2x16": [
        "granian",
        "--interface",
        "wsgi",
        "--workers",
        "2",
        "--blocking-threads",
        "16",
        "--port",
        "{port}",
    ],
    "gunicorn gthread 2x16": ["gunicorn", "-k", "gthread", "-w", "2", "--threads", "16", "-b", "127.0.0.1:{port}"],
    "gunicorn sync 4": ["gunicorn", "-k", "sync", "-w", "4", "-b", "127.0.0.1:{port}"],
}


@dataclass(frozen=True)
class Callback:
    """A signed request as the provider makes it."""

    path: str
    body: bytes
    headers: dict[str, str]


def run() -> Iterator[Mapping[str, Any]]:
    """One line per server and round."""
    account_id = _account()
    for _ in range(ROUNDS):
        for name, arguments in SERVERS.items():
            yield _measure(f"callbacks {name}", arguments, account_id, _callbacks(account_id, REQUESTS))
    name, arguments = next(iter(SERVERS.items()))
    yield _measure(f"inbound texts {name}", arguments, account_id, _inbound(account_id, INBOUND))
    yield _measure_steady("granian 2x16", account_id)


def _account() -> Any:
    from messaging.services import add_provider_account
    from tenants.scope import tenant_scope
    from tests.cast import make_company

    company = make_company("Callbacks", "callbacks@bench.example", SENDER)
    with tenant_scope(company.tenant.id):
        credentials = {"account_sid": "AC" + "a" * 32, "auth_token": TOKEN}
        return add_provider_account(kind="twilio", name="Twilio", credentials=credentials).id


def _measure(name: str, arguments: Sequence[str], account_id: Any, callbacks: Sequence[Callback]) -> dict[str, Any]:
    port = free_port()
    with _serving(arguments, port) as process:
        address = f"http://127.0.0.1:{port}"
        asyncio.run(_wait_for(address))
        asyncio.run(_load(address, _callbacks(account_id, 400)))
        before, began = _cost(process.pid), time.monotonic()
        taken = asyncio.run(_load(address, callbacks))
        seconds, after = time.monotonic() - began, _cost(process.pid)
        memory = resident_megabytes(process.pid)
    taken.sort()
    return {
        "name": name,
        "value": round(len(callbacks) / seconds, 1),
        "unit": "requests/s",
        "median_ms": round(1000 * taken[len(taken) // 2], 1),
        "p99_ms": round(1000 * taken[len(taken) * 99 // 100], 1),
        "cpu_ms_per_item": round(1000 * (after.workers - before.workers) / len(callbacks), 3),
        "memory_mb": round(memory),
    }


def _measure_steady(name: str, account_id: Any) -> dict[str, Any]:
    port = free_port()
    with _serving(SERVERS[name], port) as process:
        address = f"http://127.0.0.1:{port}"
        asyncio.run(_wait_for(address))
        asyncio.run(_load(address, _callbacks(account_id, 400)))
        callbacks, before = _callbacks(account_id, STEADY_PER_SECOND * STEADY_SECONDS), _cost(process.pid)
        taken = sorted(asyncio.run(_steady_load(address, callbacks)))
        after = _cost(process.pid)
    return {
        "name": f"callbacks {name}, {STEADY_PER_SECOND} each second",
        "value": round(1000 * taken[len(taken) * 99 // 100], 1),
        "unit": "ms at the 99th percentile",
        "median_ms": round(1000 * taken[len(taken) // 2], 1),
        "most_ms": round(1000 * taken[-1], 1),
        "cpu_ms_per_item": round(1000 * (after.workers - before.workers) / len(callbacks), 3),
    }


@contextmanager
def _serving(arguments: Sequence[str], port: int) -> Iterator[subprocess.Popen[bytes]]:
    command = [one.format(port=port) for one in arguments]
    process = subprocess.Popen(
        [sys.executable, "-m", *command, APPLICATION], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(20)


def _callbacks(account_id: Any, amount: int) -> list[Callback]:
    """Status callbacks, each about another text."""
    sent = {"MessageStatus": "delivered", "From": SENDER, "To": "+12025550123"}
    return [_signed(f"/callbacks/twilio/{account_id}/status?a={uuid4()}", sent) for _ in range(amount)]


def _inbound(account_id: Any, amount: int) -> list[Callback]:
    """Texts from as many people; one in fifty wants no more."""
    path = f"/callbacks/twilio/{account_id}/inbound"
    written = (
        {"From": f"+1{2_020_000_000 + n}", "Body": "STOP" if n % 50 == 0 else "See you at ten"} for n in range(amount)
    )
    return [_signed(path, {**text, "To": SENDER}) for text in written]


def _signed(path: str, form: Mapping[str, str]) -> Callback:
    from django.conf import settings
    from twilio.request_validator import RequestValidator

    whole = {"MessageSid": f"SM{uuid4().hex}", "AccountSid": "AC" + "a" * 32, **form}
    signature = RequestValidator(TOKEN).compute_signature(settings.PUBLIC_BASE_URL + path, whole)
    headers = {"Content-Type": "application/x-www-form-urlencoded", "X-Twilio-Signature": signature}
    return Callback(path, urlencode(whole).encode(), headers)


async def _load(address: str, callbacks: Sequence[Callback]) -> list[float]:
    """Seconds each request took; every answer must be the 204 that means stored."""
    waiting, taken = iter(callbacks), []

    async def client(session: aiohttp.ClientSession) -> None:
        for one in waiting:
            began = time.monotonic()
            async with session.post(address + one.path, data=one.body, headers=one.headers) as answer:
                if answer.status != 204:
                    raise RuntimeError(f"the server answered {answer.status}: {json.dumps(await answer.text())}")
            taken.append(time.monotonic() - began)

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=CONNECTIONS)) as session:
        await asyncio.gather(*(client(session) for _ in range(CONNECTIONS)))
    return taken


async def _steady_load(address: str, callbacks: Sequence[Callback]) -> list[float]:
    """Seconds from the moment at which each request was due to its answer."""

    async def send(session: aiohttp.ClientSession, one: Callback, due: float) -> float:
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        async with session.post(address + one.path, data=one.body, headers=one.headers) as answer:
            if answer.status != 204:
                raise RuntimeError(f"the server answered {answer.status}: {json.dumps(await answer.text())}")
        return time.monotonic() - due

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=256)) as session:
        began = time.monotonic() + 0.5
        due = (began + n / STEADY_PER_SECOND for n in range(len(callbacks)))
        return list(await asyncio.gather(*(send(session, one, at) for one, at in zip(callbacks, due, strict=False))))


async def _wait_for(address: str) -> None:
    async with aiohttp.ClientSession() as session:
        for _ in range(400):
            try:
                async with session.get(f"{address}/livez") as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.05)
    raise RuntimeError("the web server did not start")


def _cost(pid: int) -> Cost:
    return Cost(cpu_seconds(pid), 0.0)
