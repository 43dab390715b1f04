"""What each of Twilio's error codes means for a message; the table is data, ``errors.json``, with its sources."""

import json
from pathlib import Path
from typing import Final

from messaging.providers.base import Outcome, SendResult

__all__ = ["classify", "means_opted_out"]

_TABLE: Final = {
    str(entry["code"]): entry
    for entry in json.loads(Path(__file__).with_name("errors.json").read_text(encoding="utf-8"))["errors"]
}
_FIRST_RETRY_SECONDS: Final = 1.0


def classify(http_status: int, code: str) -> SendResult:
    """What an answer other than success says about the message that was handed over."""
    return SendResult(_outcome(http_status, code), error_code=code or f"http_{http_status}", retry_after=_FIRST_RETRY_SECONDS, number_opted_out=means_opted_out(code))


def means_opted_out(code: str) -> bool:
    """Whether the code says that the person opted out at the provider."""
    return code in _TABLE and _TABLE[code]["class"] == "consent"


def _outcome(http_status: int, code: str) -> Outcome:
    if http_status == 429:
        # Documented as not processed, so another try cannot duplicate.
        return Outcome.TRY_AGAIN
    if http_status >= 500:
        return Outcome.UNKNOWN
    retry = _TABLE[code]["retry"] if code in _TABLE else False
    if retry is None:
        return Outcome.UNKNOWN
    return Outcome.TRY_AGAIN if retry else Outcome.REFUSED
