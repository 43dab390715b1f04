"""What a provider's error codes mean for a message, from its table: ``errors.json`` in its folder, with its sources.

An entry has ``code``, ``class`` (what kind of thing it is), ``action``, and ``retry``: true, false, or null when only the
provider's record can tell whether the text was taken.
"""

import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Final

from messaging.providers.base import NumberFault, Outcome, SendResult, Stops

__all__ = ["ErrorTable"]

_FIRST_RETRY_SECONDS: Final = 1.0
_UNAUTHORIZED: Final = 401
_TOO_MANY: Final = 429
_FAULTS: Final[Mapping[str, NumberFault]] = {
    "mark_number_invalid": NumberFault.INVALID,
    "mark_number_invalid_after_repeats": NumberFault.GONE,
    "mark_number_not_sms": NumberFault.NO_TEXTS,
    "suppress_until_review": NumberFault.BLOCKED,
}
"""The actions that are about the number a text was for."""


class ErrorTable:
    """The codes of one provider."""

    def __init__(self, file: Path, *, stops: Mapping[str, Stops], perhaps_destination: Collection[str] = ()) -> None:
        """``stops``: the actions that pause a sender or an account. ``perhaps_destination``: codes that pause, but are
        said of a number that is lost and of one that cannot reach this one destination alike."""
        rows = json.loads(file.read_text(encoding="utf-8"))["errors"]
        self.entries: Final[Mapping[str, Mapping[str, Any]]] = {str(row["code"]): row for row in rows}
        self._stops = stops
        self._perhaps_destination = frozenset(perhaps_destination)

    def classify(self, http_status: int, code: str) -> SendResult:
        """What an answer other than success says about the message that was handed over."""
        stops = self._stopped_by_answer(http_status, code)
        return SendResult(
            self._outcome(http_status, code, stops),
            error_code=code or f"http_{http_status}",
            retry_after=_FIRST_RETRY_SECONDS,
            number_opted_out=self.means_opted_out(code),
            stops=stops,
            perhaps_destination=code in self._perhaps_destination,
        )

    def class_of(self, code: str) -> str:
        """The class of a code; empty for a code that is not listed."""
        return str(self.entries[code]["class"]) if code in self.entries else ""

    def means_opted_out(self, code: str) -> bool:
        """Whether the code says that the person opted out at the provider."""
        return self.class_of(code) == "consent"

    def fault_of_number(self, code: str) -> NumberFault:
        """What the code says is wrong with the number that a text was for."""
        return (
            _FAULTS.get(self.entries[code]["action"], NumberFault.NOTHING)
            if code in self.entries
            else NumberFault.NOTHING
        )

    def stopped_by(self, code: str) -> Stops:
        """What cannot send any more until a person acts, where the code says that for certain."""
        return Stops.NOTHING if code in self._perhaps_destination else self._named_by(code)

    def _stopped_by_answer(self, http_status: int, code: str) -> Stops:
        if http_status == _UNAUTHORIZED:
            return Stops.ACCOUNT
        return self._named_by(code) if 400 <= http_status < 500 and http_status != _TOO_MANY else Stops.NOTHING

    def _named_by(self, code: str) -> Stops:
        return self._stops.get(self.entries[code]["action"], Stops.NOTHING) if code in self.entries else Stops.NOTHING

    def _outcome(self, http_status: int, code: str, stops: Stops) -> Outcome:
        if http_status == _TOO_MANY:
            # Refused before it was processed, so another try cannot duplicate.
            return Outcome.TRY_AGAIN
        if not 400 <= http_status < 500:
            return Outcome.UNKNOWN
        if stops:
            # Refused for what is wrong with the sender, not with the text: it keeps its place until that is mended.
            return Outcome.TRY_AGAIN
        retry = self.entries[code]["retry"] if code in self.entries else False
        if retry is None:
            return Outcome.UNKNOWN
        return Outcome.TRY_AGAIN if retry else Outcome.REFUSED
