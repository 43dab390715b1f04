"""From where a request comes, with and without proxies of our own."""

from typing import Any

import pytest
from django.test import RequestFactory

from common.client_address import client_address, from_this_machine

CASES = [
    # proxies, REMOTE_ADDR, X-Forwarded-For, the client, certainly on this machine
    (0, "203.0.113.9", "", "203.0.113.9", False),
    (0, "203.0.113.9", "127.0.0.1", "203.0.113.9", False),
    (0, "127.0.0.1", "", "127.0.0.1", True),
    (0, "::1", "", "::1", True),
    (0, "127.0.0.1", "203.0.113.9", "127.0.0.1", False),
    (0, "", "", "", False),
    (0, "nonsense", "", "", False),
    (1, "127.0.0.1", "203.0.113.9", "203.0.113.9", False),
    (1, "10.0.0.1", "127.0.0.1, 203.0.113.9", "203.0.113.9", False),
    (1, "10.0.0.1", "198.51.100.1,203.0.113.9", "203.0.113.9", False),
    (1, "127.0.0.1", "127.0.0.1", "127.0.0.1", True),
    (1, "127.0.0.1", "", "127.0.0.1", False),
    (1, "10.0.0.1", "nonsense", "10.0.0.1", False),
    (1, "10.0.0.1", "203.0.113.9:5123", "203.0.113.9", False),
    (1, "10.0.0.1", "[2001:db8::1]:443", "2001:db8::1", False),
    (1, "10.0.0.1", "::ffff:203.0.113.9", "203.0.113.9", False),
    (2, "10.0.0.1", "198.51.100.1, 203.0.113.9, 10.0.0.2", "203.0.113.9", False),
    (2, "10.0.0.1", "203.0.113.9", "10.0.0.1", False),
]


@pytest.mark.parametrize(("proxies", "caller", "forwarded", "client", "local"), CASES)
def test_the_client(settings: Any, proxies: int, caller: str, forwarded: str, client: str, local: bool) -> None:
    settings.TRUSTED_PROXY_COUNT = proxies
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    request = RequestFactory().get("/", REMOTE_ADDR=caller, headers=headers)
    assert client_address(request) == client
    assert from_this_machine(request) is local


@pytest.mark.parametrize("header", ["Forwarded", "X-Real-IP"])
def test_an_unknown_proxy_hides_who_calls(settings: Any, header: str) -> None:
    settings.TRUSTED_PROXY_COUNT = 0
    assert not from_this_machine(RequestFactory().get("/", REMOTE_ADDR="127.0.0.1", headers={header: "for=x"}))
