"""A provider that speaks Twilio's REST API and is never the bottleneck: ``python -m benchmarks.fake_twilio``.

A raw protocol instead of a web framework, so that on a small machine the processor is left to what is measured.
``GET /stats`` answers how many creates came, how many destinations came more than once, and when (Unix time) each text to
a number that begins with ``PROBES`` came; ``GET /came`` when the last text came to each number.
"""

import argparse
import asyncio
import json
import time
from collections import Counter
from urllib.parse import parse_qs

import uvloop

PROBES = "+1999"
_ANSWER = (
    '{"sid": "SM%032x", "status": "queued", "num_segments": "1", "price": null, "error_code": null, '
    '"error_message": null, "account_sid": "ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "direction": "outbound-api", '
    '"date_created": "Sun, 22 Nov 2026 12:00:00 +0000", "date_updated": "Sun, 22 Nov 2026 12:00:00 +0000", '
    '"date_sent": null, "uri": "", "subresource_uris": {}}'
)


class Server:
    """Counts what comes in."""

    def __init__(self, latency: float) -> None:
        self.latency = latency
        self.created = 0
        self.destinations: Counter[str] = Counter()
        self.probes: dict[str, float] = {}
        self.came: dict[str, float] = {}

    def take(self, destination: str) -> None:
        self.created += 1
        self.destinations[destination] += 1
        now = self.came[destination] = time.time()
        if destination.startswith(PROBES):
            self.probes[destination] = now

    def stats(self) -> str:
        repeated = sum(1 for count in self.destinations.values() if count > 1)
        counts = {"created": self.created, "destinations": len(self.destinations), "repeated": repeated}
        return json.dumps({**counts, "probes": self.probes})


class Connection(asyncio.Protocol):
    """HTTP/1.1 with keep-alive and Content-Length, which is all that the clients use."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.Transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            head = self.buffer[:end].lower()
            mark = head.find(b"content-length:")
            length = (
                int(head[mark + 15 : head.find(b"\r", mark) if head.find(b"\r", mark) > 0 else len(head)])
                if mark > 0
                else 0
            )
            if len(self.buffer) < end + 4 + length:
                return
            body = self.buffer[end + 4 : end + 4 + length]
            self.buffer = self.buffer[end + 4 + length :]
            if head.startswith(b"get /came"):
                self.answer(b"200 OK", json.dumps(self.server.came))
            elif head.startswith(b"get"):
                self.answer(b"200 OK", self.server.stats())
            else:
                self.server.take(parse_qs(body.decode())["To"][0])
                text = _ANSWER % self.server.created
                asyncio.get_running_loop().call_later(self.server.latency, self.answer, b"201 Created", text)

    def answer(self, status: bytes, text: str) -> None:
        if not self.transport.is_closing():
            content = text.encode()
            self.transport.write(
                b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % (status, len(content))
                + content
            )


async def serve(port: int, latency: float) -> None:
    """Serve until killed."""
    state = Server(latency)
    server = await asyncio.get_running_loop().create_server(lambda: Connection(state), "127.0.0.1", port, backlog=4096)
    await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--latency-ms", type=float, default=100)
    options = parser.parse_args()
    uvloop.run(serve(options.port, options.latency_ms / 1000))
