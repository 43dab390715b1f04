"""A network that misbehaves as told, between the product and PostgreSQL, Valkey or a provider."""

import asyncio
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

__all__ = ["FaultProxy", "fault_proxy"]

CHUNK: Final = 65_536
Upstream = str | tuple[str, int]
"""A Unix socket's path, or host and port."""


@dataclass
class FaultProxy:
    """Hands bytes on, unless its mode says otherwise. ``mode`` may change while connections are open.

    pass; hang_up (the connection is closed at once); blackhole (bytes are read and go nowhere); slow (a byte a second
    comes back); reset (open connections are reset by the next byte); half_answer (half of the next answer, then a reset).
    ``reset_at``: bytes of a client which, sent after ``armed_by`` on the same connection, are the last thing that gets
    through ("after": the server acts on them, its answer is lost) or do not ("before"). That happens once.
    """

    upstream: Upstream
    mode: str = "pass"
    armed_by: bytes = b""
    reset_at: bytes = b""
    reset_when: str = ""
    resets: int = 0
    seconds: float = 0.0
    """So long each chunk is held back on its way to the server."""
    port: int = 0
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    _listening: asyncio.Server | None = None
    _tasks: set["asyncio.Task[None]"] = field(default_factory=set)
    _lines: set["_Line"] = field(default_factory=set)

    def listen(self) -> None:
        """Take connections, always on the same port."""
        opened = asyncio.run_coroutine_threadsafe(
            asyncio.start_server(self.serve, "127.0.0.1", self.port, reuse_address=True), self.loop
        )
        self._listening = opened.result(10)
        self.port = self._listening.sockets[0].getsockname()[1]

    def refuse(self) -> None:
        """Nobody listens any more, and open connections are gone."""
        if self._listening is not None:
            self.loop.call_soon_threadsafe(self._listening.close)
        self.loop.call_soon_threadsafe(self._end_all)

    def mend(self) -> None:
        """Hand everything on again. Connections that lost bytes end: TCP would have sent them again or given up."""
        self.mode = "pass"
        self.loop.call_soon_threadsafe(self._reset_deaf)

    def _reset_deaf(self) -> None:
        for line in list(self._lines):
            if line.deaf:
                _reset(line.to_client)

    async def ended(self) -> None:
        """Wait until no connection is left."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _end_all(self) -> None:
        for task in list(self._tasks):
            task.cancel()

    def cut(self, when: str, *, after: bytes, at: bytes = b"COMMIT") -> None:
        """Lose a connection at a moment of the protocol, once."""
        self.armed_by, self.reset_at, self.reset_when, self.resets = after, at, when, 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, to its end."""
        if self.mode == "hang_up":
            return _reset(writer)
        if isinstance(self.upstream, str):
            server_reader, server_writer = await asyncio.open_unix_connection(self.upstream)
        else:
            server_reader, server_writer = await asyncio.open_connection(*self.upstream)
        line = _Line(self, reader, writer, server_reader, server_writer)
        task = asyncio.ensure_future(line.run())
        self._tasks.add(task)
        self._lines.add(line)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda _: self._lines.discard(line))
        return None


@dataclass(eq=False)
class _Line:
    """A connection through the proxy."""

    proxy: FaultProxy
    client: asyncio.StreamReader
    to_client: asyncio.StreamWriter
    server: asyncio.StreamReader
    to_server: asyncio.StreamWriter
    armed: bool = False
    last_answer: bool = False
    deaf: bool = False
    """Bytes of it went nowhere."""

    async def run(self) -> None:
        ways = [asyncio.ensure_future(self._upward()), asyncio.ensure_future(self._downward())]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            for writer in (self.to_client, self.to_server):
                writer.close()

    async def _upward(self) -> None:
        while data := await self._read(self.client):
            proxy = self.proxy
            await asyncio.sleep(proxy.seconds)
            if proxy.mode == "blackhole":
                self.deaf = True
                continue
            if proxy.mode == "reset":
                return _reset(self.to_client)
            if self._is_the_moment(data):
                proxy.resets += 1
                if proxy.reset_when == "before":
                    return _reset(self.to_client)
                self.last_answer = True
            self.to_server.write(data)
            await self.to_server.drain()
        return None

    async def _downward(self) -> None:
        while data := await self._read(self.server):
            if self.last_answer:
                return _reset(self.to_client)
            if self.proxy.mode == "half_answer":
                self.to_client.write(data[: len(data) // 2])
                await self.to_client.drain()
                return _reset(self.to_client)
            if self.proxy.mode == "blackhole":
                self.deaf = True
                continue
            if self.proxy.mode == "slow":
                for byte in data:
                    self.to_client.write(bytes([byte]))
                    await asyncio.sleep(1.0)
                continue
            self.to_client.write(data)
            await self.to_client.drain()
        return None

    def _is_the_moment(self, data: bytes) -> bool:
        proxy = self.proxy
        if not proxy.reset_at or proxy.resets:
            return False
        moment = self.armed and proxy.reset_at in data
        self.armed = self.armed or proxy.armed_by in data
        return moment

    @staticmethod
    async def _read(reader: asyncio.StreamReader) -> bytes:
        try:
            return await reader.read(CHUNK)
        except OSError:
            return b""


def _reset(writer: asyncio.StreamWriter) -> None:
    """End a connection the hard way."""
    raw = writer.get_extra_info("socket")
    if raw is not None:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


@contextmanager
def fault_proxy(upstream: Upstream, *, port: int = 0) -> Iterator[FaultProxy]:
    """A proxy in a thread of its own, on a free port unless told."""
    proxy = FaultProxy(upstream, port=port)
    thread = threading.Thread(target=proxy.loop.run_forever, daemon=True)
    thread.start()
    proxy.listen()
    try:
        yield proxy
    finally:
        proxy.refuse()
        asyncio.run_coroutine_threadsafe(proxy.ended(), proxy.loop).result(10)
        proxy.loop.call_soon_threadsafe(proxy.loop.stop)
        thread.join(5)
