"""The decision that is stored with a message, in plain words: what it rested on when it was taken, years later too."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from consent.decision import ALLOW, ASKS_FOR_OWN_NUMBER, ASKS_TO_CONFIRM, DEFER, EMERGENCY
from messaging.reasons import decision_reason

__all__ = ["StoredDecision", "places_in_words", "stored_decision"]


@dataclass(frozen=True, slots=True)
class StoredDecision:
    """``until``: of a permission its end, of a text that waits the moment it is decided again."""

    text: str
    ground: str = ""
    until_words: str = ""
    until: datetime | None = None
    rules_version: str = ""


_EXEMPTIONS: Final[Mapping[str, str]] = {
    "opt_out_confirmation": "Allowed: the one confirmation of an opt-out",
    "offers_end_confirmation": "Allowed: the one confirmation that offers end",
    "kept_confirmation": "Allowed: the answer to what they want to keep",
    "opt_in_confirmation": "Allowed: the confirmation of an opt-in",
    "opt_in_welcome": "Allowed: the answer to their YES",
    ASKS_TO_CONFIRM: "Allowed: the one text that asks them to confirm with YES",
    "help_reply": "Allowed: the answer to HELP",
    EMERGENCY: "Allowed: an emergency alert, past hours and limits",
    ASKS_FOR_OWN_NUMBER: "Allowed: the question to a member whether the number is theirs",
}


def stored_decision(decision: Mapping[str, object]) -> StoredDecision | None:
    """``decision``: as ``Decision.as_json``. None for a message that the gate has not decided about yet."""
    if "outcome" not in decision:
        return None
    data = decision.get("data")
    known: Mapping[str, object] = data if isinstance(data, Mapping) else {}
    outcome = decision["outcome"]
    version = str(decision.get("rules_version", ""))
    until = _moment(decision.get("until"))
    if outcome == ALLOW:
        return StoredDecision(_permission(known), _grounds(known), "It was allowed to arrive until", until, version)
    said = "Put off" if outcome == DEFER else "Refused"
    reason = decision_reason(decision) or "a rule did not allow it"
    return StoredDecision(f"{said}: {reason}", _grounds(known), "To be decided again", until, version)


def places_in_words(hours: Mapping[str, object]) -> str:
    """Whose clocks and laws were counted: all places where they may live."""
    named = []
    for key, words in (("zones", "By the clocks of"), ("jurisdictions", "by the laws of")):
        places = hours.get(key)
        if isinstance(places, list) and places:
            named.append(f"{words} {', '.join(map(str, places))}")
    return "; ".join(named)


def _permission(data: Mapping[str, object]) -> str:
    if exemption := data.get("exemption"):
        return _EXEMPTIONS.get(str(exemption), "Allowed as an exemption")
    if data.get("wrote_to_us"):
        return "Allowed: they wrote to you first"
    return "Allowed: they had agreed" if data.get("record") else "Allowed: no rule objected"


def _grounds(data: Mapping[str, object]) -> str:
    record = f"Record {data['record']}" if data.get("record") else ""
    return ". ".join(part for part in (record, places_in_words(data)) if part)


def _moment(stored: object) -> datetime | None:
    return datetime.fromisoformat(stored) if isinstance(stored, str) and stored else None
