"""Twilio at the other end of the wire, with a record of what it took that can be asked like the real one's."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from itertools import count
from typing import Any

from aiohttp import web

from messaging.pipeline import handover
from tests.network import answering

__all__ = ["TwilioServer", "twilio_server"]

Deed = Callable[["TwilioServer", dict[str, str], web.Request], web.StreamResponse]
"""What happens to a create: the form and the request are given, the answer is returned."""


@dataclass
class TwilioServer:
    """``deeds`` says by destination what happens to a create; any other is taken and answered."""

    account_sid: str
    deeds: dict[str, Deed] = field(default_factory=dict)
    messages: list[dict[str, Any]] = field(default_factory=list)
    created: list[str] = field(default_factory=list)
    """The destination of each create that came in, whatever became of it."""
    came_at: list[float] = field(default_factory=list)
    """When each of them did, in monotonic seconds."""
    asked: list[str] = field(default_factory=list)
    silent: bool = False
    """Questions are answered with an error."""
    page_size: int = 1_000
    _ids: Iterator[int] = field(default_factory=lambda: count(1))

    def take(self, form: dict[str, str], *, status: str = "queued", direction: str = "outbound-api") -> dict[str, Any]:
        """Put a text on record."""
        created = format_datetime(datetime.now(UTC))
        message = {
            "sid": f"SM{next(self._ids):032x}",
            "account_sid": self.account_sid,
            "to": form["To"],
            "from": form.get("From"),
            "messaging_service_sid": form.get("MessagingServiceSid"),
            "body": form["Body"],
            "status": status,
            "direction": direction,
            "date_created": created,
            "error_code": None,
        }
        self.messages.append(message)
        return message

    def grow_older(self, by: timedelta) -> None:
        """What is on record was taken so much earlier."""
        for message in self.messages:
            message["date_created"] = format_datetime(parsedate_to_datetime(message["date_created"]) - by)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        if request.method == "POST":
            form = {name: str(value) for name, value in (await request.post()).items()}
            self.created.append(form["To"])
            self.came_at.append(time.monotonic())
            return self.deeds.get(form["To"], _taken)(self, form, request)
        self.asked.append(request.query.get("To", request.path.rsplit("/", 1)[-1]))
        if self.silent:
            return web.json_response({"code": 20503, "message": "no", "status": 503}, status=503)
        if not request.path.endswith("/Messages.json"):
            sid = request.path.rsplit("/", 1)[-1].removesuffix(".json")
            found = next((one for one in self.messages if one["sid"] == sid), None)
            return web.json_response(found) if found else _refusal(404, 20404)
        return web.json_response(self._page(request))

    def _page(self, request: web.Request) -> dict[str, Any]:
        fitting = [one for one in reversed(self.messages) if request.query.get("To") in (None, one["to"])]
        start, size = int(request.query.get("Page", 0)), min(int(request.query["PageSize"]), self.page_size)
        rest = fitting[(start + 1) * size :]
        following = f"{request.path}?PageSize={size}&Page={start + 1}"
        if "To" in request.query:
            following += f"&To=%2B{request.query['To'][1:]}"
        return {
            "messages": fitting[start * size : (start + 1) * size],
            "next_page_uri": following if rest else None,
            "uri": request.path,
            "page": start,
            "page_size": size,
        }


def _refusal(status: int, code: int) -> web.Response:
    return web.json_response({"code": code, "message": "no", "status": status}, status=status)


def _taken(server: TwilioServer, form: dict[str, str], _: web.Request) -> web.StreamResponse:
    return web.json_response(server.take(form), status=201)


def taken_but_hangs_up(server: TwilioServer, form: dict[str, str], request: web.Request) -> web.StreamResponse:
    """The text is taken, the connection breaks before the answer."""
    server.take(form)
    return hangs_up(server, form, request)


def taken_but_fails(server: TwilioServer, form: dict[str, str], _: web.Request) -> web.StreamResponse:
    """The text is taken, the answer is an error."""
    server.take(form)
    return _refusal(500, 20500)


def hangs_up(_: TwilioServer, __: dict[str, str], request: web.Request) -> web.StreamResponse:
    """Nothing is taken, and nothing is answered."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


@contextmanager
def twilio_server(settings: Any, account_sid: str) -> Iterator[TwilioServer]:
    """A Twilio that the platform's adapters reach."""
    server = TwilioServer(account_sid)
    with answering(server.handle) as address:
        settings.TWILIO_API_BASE_URL = address
        handover._lines.clear()
        yield server
        handover._lines.clear()
