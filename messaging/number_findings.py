"""Findings about a number: whether texts reach it, whose it is, and whether its owner has answered YES."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from consent.decision import Decision, Facts
from messaging.findings import BAD, Finding, tone_of
from messaging.reasons import decision_reason

__all__ = ["confirmation_finding", "number_finding", "owner_finding"]


def number_finding(facts: Facts, objections: Mapping[str, Decision]) -> Finding:
    """Whether a provider said that the number gets no texts."""
    objection = objections.get("number_is_reachable")
    if objection is None:
        return Finding("Number", "No provider said that it cannot get texts.")
    since = datetime.fromisoformat(str(facts.unreachable["since"]))
    ground = f"Error code {facts.unreachable['error_code']}, message {facts.unreachable['message']}"
    return Finding("Number", f"{decision_reason(objection.as_json())}, since", BAD, since, ground)


def owner_finding(facts: Facts, objections: Mapping[str, Decision]) -> Finding:
    """Whether the number is still the same person's."""
    tone = tone_of(objections.get("number_kept_its_owner"))
    if facts.changed_hands_at is None:
        return Finding("Owner of the number", "Nothing says that it changed hands.", tone)
    if tone == BAD:
        return Finding("Owner of the number", "They agreed before it changed hands on", tone, facts.changed_hands_at)
    return Finding(
        "Owner of the number",
        "Only what was said since it changed hands counts, which was on",
        tone,
        facts.changed_hands_at,
    )


def confirmation_finding(objections: Mapping[str, Decision]) -> Iterator[Finding]:
    """Told only where a YES is waited for: most are never asked."""
    objection = objections.get("opt_in_is_confirmed")
    if objection is None:
        return
    subject, asked = "Confirmation", str(objection.data["asked"])
    if asked:
        yield Finding(subject, "No YES has come yet; they were asked on", BAD, datetime.fromisoformat(asked))
    else:
        yield Finding(subject, "They are asked for a YES soon; no offers go before it.", BAD)
