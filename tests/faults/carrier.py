"""A carrier that calls back over the wire, and notices when it gets no answer."""

from http.client import HTTPException
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from django.conf import settings

from messaging.models import ProviderAccount
from messaging.providers.simulator.signing import SIGNATURE_HEADER, sign

__all__ = ["NO_ANSWER", "post_inbound", "post_status"]

NO_ANSWER = "no answer"
Answer = int | str | None
"""A status, ``NO_ANSWER``, or None while nobody listens."""


def post_inbound(account: ProviderAccount, number: str, sender: str, body: str, *, name: str = "SIM1") -> Answer:
    """A person texts."""
    return _post(account, "inbound", {"id": name, "from": number, "to": sender, "body": body})


def post_status(account: ProviderAccount, name: str, status: str, *, attempt: str = "") -> Answer:
    """A receipt."""
    return _post(account, f"status{attempt and '?a='}{attempt}", {"id": name, "status": status, "error_code": ""})


def _post(account: ProviderAccount, kind: str, form: dict[str, str]) -> Answer:
    url = f"{settings.PUBLIC_BASE_URL}/callbacks/simulator/{account.id}/{kind}"
    body = urlencode(form).encode()
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        SIGNATURE_HEADER: sign(settings.SIMULATOR_SECRET, url, body),
    }
    try:
        with urlopen(Request(url, data=body, headers=headers), timeout=20) as answer:
            return int(answer.status)
    except HTTPError as error:
        return error.code
    except URLError as error:
        return None if isinstance(error.reason, ConnectionRefusedError) else NO_ANSWER
    except (HTTPException, OSError):
        return NO_ANSWER
