"""Stoplight Prism stands in for Twilio: it refuses what Twilio's published description of its API does not allow."""

import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from shutil import which
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest

from tests.twilio_conversation import ACCOUNT, Said, all_that_we_say, listener
from tests.twilio_description import DESCRIPTION

PRISM = Path(__file__).parent / "node_modules" / "@stoplight" / "prism-cli" / "dist" / "index.js"
NODE = which("node")
STARTS_WITHIN = 60.0

pytestmark = [
    pytest.mark.prism,
    pytest.mark.skipif(NODE is None, reason="there is no Node.js"),
    pytest.mark.skipif(not PRISM.exists(), reason="Prism is not installed; make prism does it"),
]


@pytest.fixture(scope="module")
def prism() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [str(NODE), str(PRISM), "mock", "--host", "127.0.0.1", "--port", str(port), str(DESCRIPTION)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_for(process, port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


def _wait_for(process: "subprocess.Popen[bytes]", port: int) -> None:
    until = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < until:
        assert process.poll() is None, "Prism ended"
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    pytest.fail("Prism did not start")


def judged(prism: str, said: Said) -> str:
    """What Prism has against a request; empty when nothing."""
    query = f"?{urlencode(said.query)}" if said.query else ""
    kept = {name: value for name, value in said.headers.items() if name in ("Authorization", "Content-Type")}
    request = Request(f"{prism}{said.path}{query}", data=said.body or None, headers=kept, method=said.method)
    try:
        with urlopen(request, timeout=30):
            return ""
    except HTTPError as refusal:
        return f"{refusal.code} {refusal.read().decode()}"


def test_prism_takes_all_that_we_say(prism: str) -> None:
    with listener() as (address, said):
        all_that_we_say(address)
    assert len(said) >= 12
    assert [(one.method, one.path, found) for one in said if (found := judged(prism, one))] == []


@pytest.mark.parametrize(
    ("method", "path", "body", "problem"),
    [
        ("POST", f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json", "From=%2B12025550180&Body=x", "property 'To'"),
        ("POST", f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json", "To=%2B1&ValidityPeriod=x", "must be integer"),
        ("POST", f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json", "To=%2B1&MessagingServiceSid=MG1", "34 characters"),
        ("POST", f"/2010-04-01/Accounts/{ACCOUNT}.json", "Status=gone", "equal to one of the allowed values"),
        ("GET", "/2010-04-01/Texts.json", "", "404"),
    ],
)
def test_prism_refuses_what_is_wrong(prism: str, method: str, path: str, body: str, problem: str) -> None:
    headers = {"Authorization": "Basic eDp5", "Content-Type": "application/x-www-form-urlencoded"}
    assert problem in judged(prism, Said(method, path, {}, {}, headers, body.encode()))


def test_prism_refuses_who_does_not_log_in(prism: str) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    path = f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
    assert "401" in judged(prism, Said("POST", path, {}, {}, headers, b"To=%2B12025550101"))
