"""Typing on a virtual phone, from outside the network's process."""

import json
from typing import Final
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from messaging.providers.simulator.signing import SIGNATURE_HEADER, sign

__all__ = ["NetworkProblem", "type_reply"]

_TIMEOUT_SECONDS: Final = 5


class NetworkProblem(Exception):
    """The reply did not reach the network; the message says why, for the person at the phone."""


def type_reply(network_url: str, secret: str, *, number: str, to: str, body: str) -> None:
    """Send ``body`` from the phone ``number`` to the tenant's number ``to``."""
    url = f"{network_url}/replies"
    content = json.dumps({"from": number, "to": to, "body": body}).encode()
    headers = {SIGNATURE_HEADER: sign(secret, url, content), "Content-Type": "application/json"}
    request = Request(url, data=content, headers=headers, method="POST")  # noqa: S310 - our own network's address
    try:
        with urlopen(request, timeout=_TIMEOUT_SECONDS):  # noqa: S310
            return
    except HTTPError as error:
        if error.code == 404:
            raise NetworkProblem("This number has never texted a virtual phone, so it cannot be reached.") from None
        raise NetworkProblem("The simulated phone network refused the text.") from None
    except (URLError, TimeoutError):
        raise NetworkProblem("The simulated phone network does not answer. Is it running?") from None
