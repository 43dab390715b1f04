"""HTTP/1.1 for handing texts over: many small POSTs to one address, over connections that stay open.

A general client spends several times as long on each request (``make bench ONLY=clients``), and sending is where a
campaign's time goes. This one knows what that needs and no more: one address, one request at a time on a connection, no
redirects, no cookies, no proxies, answers of limited size. It says for certain whether anything was sent.
"""

import asyncio
import ssl
import time
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

__all__ = ["Answer", "NothingSent", "Wire"]

CONNECT_SECONDS: Final = 3.05
"""A little more than the three seconds after which TCP offers a connection again."""
ANSWER_SECONDS: Final = 10.0
KEEP_ALIVE_SECONDS: Final = 10.0
"""Shorter than the idle limit of common load balancers: a connection that the other side is about to close would
turn a safe request into one of unknown outcome."""
MOST_BYTES: Final = 64 * 1024


class NothingSent(Exception):
    """No byte of the request reached the provider: another try cannot duplicate anything."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Status and body of an answer."""

    status: int
    body: bytes


class Wire:
    """Connections to one address. ``max_in_flight`` caps the requests under way."""

    def __init__(self, base_url: str, *, max_in_flight: int) -> None:
        parts = urlsplit(base_url)
        self._host = parts.hostname or ""
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._port = parts.port or (443 if self._tls else 80)
        self._prefix = parts.path.rstrip("/")
        self._host_header = parts.netloc.rpartition("@")[2]
        self._slots = asyncio.Semaphore(max_in_flight)
        self._idle: list[_Connection] = []

    def head(self, path: str, headers: dict[str, str]) -> bytes:
        """The part of a POST that is the same for all of them, for ``post``. Headers must hold no line break."""
        lines = [f"POST {self._prefix}{path} HTTP/1.1", f"Host: {self._host_header}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if any("\r" in line or "\n" in line for line in lines):
            raise ValueError("A header holds a line break.")
        return "\r\n".join([*lines, "Content-Length: "]).encode("ascii")

    async def post(self, head: bytes, body: bytes) -> Answer:
        """One request, never repeated. Raises ``NothingSent``, or ``OSError`` (also for a time-out) when nobody knows."""
        async with self._slots:
            connection = self._take() or await self._connect()
            try:
                answer = await connection.exchange(b"%b%d\r\n\r\n%b" % (head, len(body), body))
            finally:
                if connection.reusable:
                    connection.idle_since = time.monotonic()
                    self._idle.append(connection)
                else:
                    connection.abort()
            return answer

    async def close(self) -> None:
        """Close the connections that nobody uses."""
        while self._idle:
            self._idle.pop().abort()

    def _take(self) -> "_Connection | None":
        """The connection used last: those beyond what is needed grow old and are closed."""
        while self._idle:
            connection = self._idle.pop()
            if connection.reusable and time.monotonic() - connection.idle_since < KEEP_ALIVE_SECONDS:
                return connection
            connection.abort()
        return None

    async def _connect(self) -> "_Connection":
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                _, connection = await asyncio.get_running_loop().create_connection(
                    _Connection, self._host, self._port, ssl=self._tls
                )
        except OSError as error:  # also TimeoutError and ssl.SSLError
            raise NothingSent(type(error).__name__) from error
        return connection


class _Connection(asyncio.Protocol):
    """One connection. An answer ends by its length, by its last chunk, or, when it names neither, by its end."""

    def __init__(self) -> None:
        self.idle_since = 0.0
        self._transport: asyncio.Transport | None = None
        self._waiting: asyncio.Future[Answer] | None = None
        self._received = bytearray()
        self._ended = False

    @property
    def reusable(self) -> bool:
        """Whether another request may follow: the last one was answered in full, and the other side keeps it open."""
        return not self._ended and self._waiting is None and not self._received

    async def exchange(self, request: bytes) -> Answer:
        """Write a request and wait for its answer. Raises ``OSError``."""
        loop = asyncio.get_running_loop()
        waiting: asyncio.Future[Answer] = loop.create_future()
        self._waiting = waiting
        if self._ended or self._transport is None:
            raise ConnectionResetError("closed")
        self._transport.write(request)
        limit = loop.call_later(ANSWER_SECONDS, self._fail, TimeoutError("no answer in time"))
        try:
            return await waiting
        finally:
            limit.cancel()

    def abort(self) -> None:
        """Close at once."""
        self._ended = True
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        self._received += data
        if self._waiting is None or len(self._received) > MOST_BYTES:
            # More than was asked for: what comes next could not be told from the next answer.
            self._fail(ConnectionError("unexpected data"))
            return
        self._read(at_end=False)

    def eof_received(self) -> None:
        self._read(at_end=True)

    def connection_lost(self, error: Exception | None) -> None:
        self._read(at_end=error is None)
        self._fail(error if isinstance(error, OSError) else ConnectionResetError("closed"))

    def _read(self, *, at_end: bool) -> None:
        if self._waiting is None or self._waiting.done():
            return
        try:
            found = _parse(self._received, at_end=at_end)
        except ValueError:
            self._fail(ConnectionError("unreadable answer"))
            return
        if found is not None:
            answer, keeps = found
            self._received.clear()
            self._ended = self._ended or at_end or not keeps
            waiting, self._waiting = self._waiting, None
            waiting.set_result(answer)

    def _fail(self, error: OSError) -> None:
        self._ended = True
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(error)


def _parse(received: bytearray, *, at_end: bool) -> tuple[Answer, bool] | None:
    """The answer, and whether the connection stays open; None when more has to come. Raises ``ValueError``."""
    end = received.find(b"\r\n\r\n")
    if end < 0:
        return None
    head = bytes(received[:end]).lower()
    if not head.startswith(b"http/1."):
        raise ValueError
    status = int(head[9:12])
    if 100 <= status < 200:
        # Only a word in between; the answer follows.
        del received[: end + 4]
        return _parse(received, at_end=at_end)
    rest = memoryview(received)[end + 4 :]
    body = _body(head, bytes(rest), status, at_end=at_end)
    rest.release()
    if body is None:
        return None
    return Answer(status, body), head.startswith(b"http/1.1") and _header(head, b"connection") != b"close"


def _body(head: bytes, rest: bytes, status: int, *, at_end: bool) -> bytes | None:
    if status in (204, 304):
        return b""
    if b"chunked" in _header(head, b"transfer-encoding"):
        return _joined(rest)
    length = _header(head, b"content-length")
    if not length:
        return rest if at_end else None
    if not length.isdigit() or len(rest) > int(length):
        raise ValueError
    return rest if len(rest) == int(length) else None


def _header(head: bytes, name: bytes) -> bytes:
    """The value of a header, in small letters; empty when it is not there."""
    start = head.find(b"\r\n" + name + b":")
    if start < 0:
        return b""
    start += len(name) + 3
    end = head.find(b"\r\n", start)
    return head[start : end if end >= 0 else len(head)].strip()


def _joined(rest: bytes) -> bytes | None:
    """The body of chunks (RFC 9112, section 7.1); None until the last one is there. Trailers are left out."""
    body, position = bytearray(), 0
    while True:
        line_end = rest.find(b"\r\n", position)
        if line_end < 0:
            return None
        size = int(rest[position:line_end].partition(b";")[0], 16)
        if size < 0:
            raise ValueError
        position = line_end + 2
        if size == 0:
            ended = rest.startswith(b"\r\n", position) or rest.find(b"\r\n\r\n", position) >= 0
            return bytes(body) if ended else None
        if len(rest) < position + size + 2:
            return None
        body += rest[position : position + size]
        position += size + 2
