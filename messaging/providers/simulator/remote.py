"""Signed requests to the network from outside its process and its event loop."""

import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from messaging.providers.simulator.signing import SIGNATURE_HEADER, sign

__all__ = ["NetworkProblem", "Refused", "post"]

_TIMEOUT_SECONDS: Final = 5


class NetworkProblem(Exception):
    """What was wanted did not reach the network; the message says why, for the person at the page."""


class Refused(NetworkProblem):
    """The network answered, and said no."""

    def __init__(self, status: int, problem: str) -> None:
        super().__init__(problem or "The simulated phone network refused it.")
        self.status = status


def post(network_url: str, path: str, secret: str, content: Mapping[str, object]) -> Any:
    """The network's answer. Raises ``NetworkProblem``."""
    url, body = f"{network_url}{path}", json.dumps(content).encode()
    headers = {SIGNATURE_HEADER: sign(secret, url, body), "Content-Type": "application/json"}
    request = Request(url, data=body, headers=headers, method="POST")  # noqa: S310 - our own network's address
    try:
        with urlopen(request, timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310
            return json.load(answer)
    except HTTPError as error:
        raise Refused(error.code, _problem_in(error)) from None
    except (URLError, OSError, ValueError):
        raise NetworkProblem("The simulated phone network does not answer. Is it running?") from None


def _problem_in(error: HTTPError) -> str:
    try:
        return str(json.load(error)["problem"])
    except (ValueError, KeyError, TypeError):
        return ""
