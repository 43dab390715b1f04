"""Everything that we say to Twilio, said once to whoever listens at an address."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from aiohttp import web

from messaging.pipeline import event_loop
from messaging.providers.base import SendRequest
from messaging.providers.registry import Addresses, make_provider
from messaging.providers.twilio.subaccounts import ParentAccount
from tests.network import answering

__all__ = ["ACCOUNT", "Said", "all_that_we_say", "listener"]

ACCOUNT = "AC" + "a" * 32
SERVICE = "MG" + "d" * 32
MESSAGE = "SM" + "1" * 32


@dataclass(frozen=True)
class Said:
    """One request."""

    method: str
    path: str
    query: dict[str, str]
    form: dict[str, str]
    headers: dict[str, str] = field(repr=False)
    body: bytes = field(repr=False)


@contextmanager
def listener() -> Iterator[tuple[str, list[Said]]]:
    """An address that answers everything as Twilio would, and what it was asked."""
    said: list[Said] = []

    async def handle(request: web.Request) -> web.StreamResponse:
        body = await request.read()
        form = {name: str(value) for name, value in (await request.post()).items()}
        said.append(Said(request.method, request.path, dict(request.query), form, dict(request.headers), body))
        if "/Messages" in request.path:
            return _message(request)
        if request.method == "GET":
            # None yet, so that one is created.
            return web.json_response({"accounts": [], "next_page_uri": None, "uri": request.path, "page": 0})
        return web.json_response(_ACCOUNT, status=201 if request.path.endswith("/Accounts.json") else 200)

    with answering(handle) as address:
        yield address, said


_MADE = format_datetime(datetime(2026, 11, 22, 12, tzinfo=UTC))
_ACCOUNT = {"sid": "AC" + "c" * 32, "auth_token": "t", "friendly_name": "x", "status": "active", "date_created": _MADE}
_MESSAGE = {"sid": MESSAGE, "status": "queued", "date_created": _MADE, "to": "+12025550101", "from": "+12025550180"}


def _message(request: web.Request) -> web.StreamResponse:
    if request.method == "GET" and request.path.endswith("/Messages.json"):
        return web.json_response({"messages": [_MESSAGE], "next_page_uri": None, "uri": request.path, "page": 0})
    return web.json_response(_MESSAGE, status=201 if request.path.endswith("/Messages.json") else 200)


def all_that_we_say(address: str) -> None:
    """Create by number and by service, list in both ways, fetch, cancel; find, create, list and suspend sub-accounts."""
    event_loop.run(_about_messages(address))
    event_loop.run(_about_accounts(address))


async def _about_messages(address: str) -> None:
    credentials = {"account_sid": ACCOUNT, "auth_token": "t" * 32}
    provider = make_provider("twilio", credentials, Addresses(twilio=address, telnyx=address, simulator=address), 4)
    since = datetime.now(UTC) - timedelta(hours=1)
    for sender in ("+12025550180", "24680", SERVICE):
        await provider.send(
            SendRequest(
                attempt_id="a1",
                sender=sender,
                to="+12025550101",
                body="Grüße & {more} 🌷",
                status_callback="https://sms.example.com/callbacks/twilio/x/status?a=a1",
                validity_seconds=3_600,
            )
        )
    await provider.texts_to("+12025550101", since=since)
    _ = [text async for text in provider.texts_between(since, datetime.now(UTC))]
    await provider.fetch(MESSAGE)
    await provider.cancel(MESSAGE)
    await provider.close()


async def _about_accounts(address: str) -> None:
    parent = ParentAccount("AC" + "f" * 32, "p" * 32, base_url=address)
    found: Any = await parent.find_or_create("smsplatform 0199aaaa-0000-7000-8000-000000000000")
    await parent.all()
    for status in ("suspended", "active", "closed"):
        await parent.set_status(found.sid, status)
    await parent.close()
