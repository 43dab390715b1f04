"""What each of Twilio's error codes means for a message; the table is data, ``errors.json``, with its sources."""

import json
from pathlib import Path
from typing import Final

from messaging.providers.base import Outcome, SendResult

__all__ = ["class_of", "classify", "means_opted_out"]

_TABLE: Final = {
    str(entry["code"]): entry
    for entry in json.loads(Path(__file__).with_name("errors.json").read_text(encoding="utf-8"))["errors"]
}
_FIRST_RETRY_SECONDS: Final = 1.0


def classify(http_status: int, code: str) -> SendResult:
    """What an answer other than success says about the message that was handed over."""
    return SendResult(
        _outcome(http_status, code),
        error_code=code or f"http_{http_status}",
        retry_after=_FIRST_RETRY_SECONDS,
        number_opted_out=means_opted_out(code),
    )


def class_of(code: str) -> str:
    """The class of a code in ``errors.json``; empty for a code that is not listed."""
    return str(_TABLE[code]["class"]) if code in _TABLE else ""


def means_opted_out(code: str) -> bool:
    """Whether the code says that the person opted out at the provider."""
    return class_of(code) == "consent"


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
