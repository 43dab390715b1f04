"""What each of Telnyx's error codes means for a message; the table is data, ``errors.json``, with its sources."""

import json
from pathlib import Path
from typing import Final

from messaging.providers.base import Outcome, SendResult, Stops

__all__ = ["class_of", "classify", "means_opted_out", "stopped_by"]

_TABLE: Final = {
    str(entry["code"]): entry
    for entry in json.loads(Path(__file__).with_name("errors.json").read_text(encoding="utf-8"))["errors"]
}
_FIRST_RETRY_SECONDS: Final = 1.0
_STOPS: Final = {"pause_sender": Stops.SENDER, "pause_account": Stops.ACCOUNT}
_BLOCKED: Final = "40300"
_UNAUTHORIZED: Final = 401
_TOO_MANY: Final = 429


def classify(http_status: int, code: str) -> SendResult:
    """What an answer other than success says about the message that was handed over."""
    stops = _stopped_by_answer(http_status, code)
    return SendResult(
        _outcome(http_status, code, stops),
        error_code=code or f"http_{http_status}",
        retry_after=_FIRST_RETRY_SECONDS,
        number_opted_out=code == _BLOCKED,
        stops=stops,
    )


def class_of(code: str) -> str:
    """The class of a code in ``errors.json``; empty for a code that is not listed."""
    return str(_TABLE[code]["class"]) if code in _TABLE else ""


def means_opted_out(code: str, title: str) -> bool:
    """Whether a delivery event says that the person opted out there.

    Telnyx gives 40300 in such events for unreachable destinations too; the title tells them apart.
    """
    return code == _BLOCKED and "stop" in title.lower()


def stopped_by(code: str) -> Stops:
    """What cannot send any more until a person acts."""
    return _STOPS.get(_TABLE[code]["action"], Stops.NOTHING) if code in _TABLE else Stops.NOTHING


def _stopped_by_answer(http_status: int, code: str) -> Stops:
    if http_status == _UNAUTHORIZED:
        return Stops.ACCOUNT
    return stopped_by(code) if 400 <= http_status < 500 and http_status != _TOO_MANY else Stops.NOTHING


def _outcome(http_status: int, code: str, stops: Stops) -> Outcome:
    if http_status == _TOO_MANY:
        # Refused before it was processed, so another try cannot duplicate.
        return Outcome.TRY_AGAIN
    if not 400 <= http_status < 500:
        return Outcome.UNKNOWN
    if stops:
        # Refused for what is wrong with the sender, not with the text: it keeps its place until that is mended.
        return Outcome.TRY_AGAIN
    retry = _TABLE[code]["retry"] if code in _TABLE else False
    if retry is None:
        return Outcome.UNKNOWN
    return Outcome.TRY_AGAIN if retry else Outcome.REFUSED
