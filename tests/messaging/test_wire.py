"""The HTTP of handing over: every way an answer can come, and whether anything was sent when none comes."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from messaging.providers import wire
from messaging.providers.wire import Answer, NothingSent, Wire

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

OK = b"HTTP/1.1 201 Created\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nhel\r\n2\r\nlo\r\n0\r\nTrailer: x\r\n\r\n"


@asynccontextmanager
async def serving(serve: Serve, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=tls)
    port = server.sockets[0].getsockname()[1]
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{port}/base"
    finally:
        server.close()


async def one_request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    return head + await reader.readexactly(length)


def answering(*pieces: bytes, then_close: bool = False) -> Serve:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await one_request(reader)
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0)
            if then_close:
                return

    return serve


def post(serve: Serve, *, times: int = 1) -> Answer | str:
    """The last answer, or what was raised."""

    async def go() -> Answer | str:
        async with serving(serve) as address:
            line = Wire(address, max_in_flight=4)
            head = line.head("/texts", {"X-One": "1"})
            try:
                for _ in range(times):
                    answer = await line.post(head, b"body")
            except NothingSent:
                return "nothing sent"
            except TimeoutError:
                return "too late"
            except OSError:
                return "nobody knows"
            finally:
                await line.close()
            return answer

    return asyncio.run(go())


@pytest.mark.parametrize(
    ("pieces", "closes", "answer"),
    [
        ([OK], False, Answer(201, b"hello")),
        ([b"HTTP/1.1 100 Continue\r\n\r\n", OK], False, Answer(201, b"hello")),
        ([CHUNKED], False, Answer(200, b"hello")),
        ([b"HTTP/1.1 204 No Content\r\n\r\n"], False, Answer(204, b"")),
        ([b"HTTP/1.0 200 OK\r\n\r\nhello"], True, Answer(200, b"hello")),
        ([b"HTTP/1.1 200 OK\r\ncontent-LENGTH:0\r\n\r\n"], False, Answer(200, b"")),
        ([b""], True, "nobody knows"),
        ([OK[:-1]], True, "nobody knows"),
        ([CHUNKED[:-4]], True, "nobody knows"),
        ([b"SSH-2.0-x\r\n\r\n"], False, "nobody knows"),
        ([b"HTTP/1.1 two OK\r\n\r\n"], False, "nobody knows"),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello"], False, "nobody knows"),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhello"], False, "nobody knows"),
        ([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\nhello"], False, "nobody knows"),
        ([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"], False, "nobody knows"),
        ([b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000], False, "nobody knows"),
    ],
)
def test_answers(pieces: list[bytes], closes: bool, answer: Answer | str) -> None:
    assert post(answering(*pieces, then_close=closes)) == answer


@given(st.sampled_from([OK, CHUNKED]), st.sets(st.integers(1, len(CHUNKED) - 1), max_size=6))
def test_answers_may_come_in_any_pieces(whole: bytes, cuts: set[int]) -> None:
    edges = [0, *sorted(cut for cut in cuts if cut < len(whole)), len(whole)]
    received = bytearray()
    found = None
    for start, end in pairwise(edges):
        assert found is None
        received += whole[start:end]
        found = wire._parse(received, at_end=False)
    assert found is not None
    assert found[0].body == b"hello"


def test_nobody_listens() -> None:
    async def go() -> None:
        line = Wire("http://127.0.0.1:1", max_in_flight=1)
        with pytest.raises(NothingSent):
            await line.post(line.head("/", {}), b"")

    asyncio.run(go())


def test_a_certificate_that_nobody_vouches_for_is_not_trusted(tmp_path: Path) -> None:
    """Neither the key of the account nor a text goes to whoever sits in between."""
    came: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.append(await reader.read(1))

    async def go() -> None:
        async with serving(serve, tls=self_signed(tmp_path)) as address:
            line = Wire(address, max_in_flight=1)
            with pytest.raises(NothingSent):
                await line.post(line.head("/", {}), b"secret")

    asyncio.run(go())
    assert not any(came)


def self_signed(folder: Path) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    today = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    file = folder / "server.pem"
    file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


def test_a_provider_that_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "ANSWER_SECONDS", 0.05)

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await one_request(reader)
        await reader.read()

    assert post(silent) == "too late"


@pytest.mark.parametrize(
    ("answer", "closes", "connections"),
    [
        (OK, False, 1),
        (CHUNKED, False, 1),
        (OK.replace(b"\r\nContent", b"\r\nConnection: close\r\nContent"), False, 3),
        (OK.replace(b"1.1", b"1.0"), False, 3),
    ],
)
def test_connections_are_used_again_as_far_as_the_provider_lets_them(
    answer: bytes, closes: bool, connections: int
) -> None:
    opened = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal opened
        opened += 1
        await answering(answer, then_close=closes)(reader, writer)

    assert isinstance(post(serve, times=3), Answer)
    assert opened == connections


def test_a_connection_that_grew_old_is_not_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "KEEP_ALIVE_SECONDS", -1.0)
    opened = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal opened
        opened += 1
        await answering(OK)(reader, writer)

    post(serve, times=3)
    assert opened == 3


def test_what_follows_an_answer_unasked_is_nobody_elses_answer() -> None:
    """Else one text's id would be taken for another's."""

    async def go() -> list[Answer]:
        async with serving(answering(OK + OK.replace(b"hello", b"bogus"))) as address:
            line = Wire(address, max_in_flight=1)
            head = line.head("/", {})
            answers = []
            for _ in range(2):
                try:
                    answers.append(await line.post(head, b""))
                except NothingSent:
                    raise
                except OSError:
                    answers.append(Answer(0, b""))
            await line.close()
            return answers

    assert Answer(201, b"bogus") not in asyncio.run(go())


def test_headers_hold_no_line_break() -> None:
    line = Wire("http://example.com", max_in_flight=1)
    with pytest.raises(ValueError, match="line break"):
        line.head("/", {"Authorization": "x\r\nEvil: 1"})
