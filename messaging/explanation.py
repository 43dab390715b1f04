"""Why a person can or cannot be texted now: everything that the gate looks at, in plain words.

The gate stops at the first rule that objects. Whoever wants to help a person has to see all of them: who waits for the
morning only to learn of a paused sender waits twice.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from consent.decision import DEFER, Decision, Facts
from consent.gate import REASONS, RULES, decide
from consent.purposes import Purpose
from consent.rules_about_sending import NO_HOUR
from messaging.findings import BAD, WAITS, Finding, tone_of
from messaging.number_findings import confirmation_finding, number_finding, owner_finding
from messaging.pipeline.gate import Candidate, Circumstances, decide_all
from messaging.pipeline.route import Route, choose
from messaging.reasons import decision_reason
from messaging.stored_decision import places_in_words
from tenants.models import Tenant

__all__ = ["Explanation", "Finding", "explain"]


@dataclass(frozen=True, slots=True)
class Explanation:
    """The decision, and the findings in the order in which the rules ask."""

    decision: Decision
    findings: tuple[Finding, ...]


def explain(*, tenant: Tenant, number: str, purpose: str) -> Explanation:
    """What the gate would decide for this number and purpose now, and all that it looks at."""
    seen: list[Facts] = []

    def ask(facts: Facts) -> Decision:
        seen.append(facts)
        return decide(facts)

    route = choose(None)
    circumstances = Circumstances(
        tenant=tenant,
        purpose=purpose,
        sender_problem=route.sender_problem,
        registration_problem=route.registration_problem,
        by_name=route.is_one_way,
    )
    decision = decide_all([Candidate(number)], circumstances, ask=ask)[0]
    return Explanation(decision, _findings(seen[0], route))


def _findings(facts: Facts, route: Route) -> tuple[Finding, ...]:
    objections = {found.rule: found for rule in RULES if (found := rule(facts)) is not None}
    usual = (
        _account(objections),
        _sender(route),
        _opt_out(facts, objections),
        number_finding(facts, objections),
        _contact(facts, objections),
        _agreement(facts, objections),
        owner_finding(facts, objections),
        *confirmation_finding(objections),
        _possible_opt_out(facts, objections),
        _hours(facts, objections),
        _frequency(objections.get("within_frequency")),
    )
    further = (
        Finding("Another rule", f"{decision_reason(found.as_json())}.", tone_of(found))
        for rule, found in objections.items()
        if rule not in _TOLD
    )
    return (*usual, *further)


_OF_ACCOUNT: Final = ("tenant_is_active", "trial_allows_number", "trial_daily_limit")
_TOLD: Final = frozenset(
    {
        *_OF_ACCOUNT,
        "sender_is_ready",
        "sender_is_registered",
        "number_is_not_suppressed",
        "number_is_reachable",
        "number_kept_its_owner",
        "consent_is_current",
        "opt_in_is_confirmed",
        "contact_is_not_archived",
        "person_agreed",
        "no_stop_in_question",
        "within_quiet_hours",
        "within_frequency",
    }
)
"""Rules with a finding of their own; of any other one only the objection is told."""


def _account(objections: Mapping[str, Decision]) -> Finding:
    for rule in _OF_ACCOUNT:
        if rule in objections:
            return Finding("Your account", f"{REASONS[rule]}.", BAD)
    return Finding("Your account", "It may send this text.")


def _sender(route: Route) -> Finding:
    if route.problem:
        return Finding("Sender", route.problem, BAD)
    carrier = f"a number of the pool {route.pool}" if route.pool else str(route.sender)
    return Finding("Sender", f"It would go from {carrier}.")


_WHY_SUPPRESSED: Final[Mapping[str, str]] = {
    "provider_block": "The phone network reported an opt-out of all texts.",
    "wrong_number": "Somebody else has this number.",
}


def _opt_out(facts: Facts, objections: Mapping[str, Decision]) -> Finding:
    tone = tone_of(objections.get("number_is_not_suppressed"))
    if facts.suppressed_because:
        return Finding("Opt-out", _WHY_SUPPRESSED.get(facts.suppressed_because, "They opted out of all texts."), tone)
    return Finding("Opt-out", "No opt-out of all texts is in force.", tone)


def _contact(facts: Facts, objections: Mapping[str, Decision]) -> Finding:
    tone = tone_of(objections.get("contact_is_not_archived"))
    if not facts.contact_archived:
        return Finding("Contact", "Not in the archive.", tone)
    return Finding("Contact", "In the archive: they get answers and codes only.", tone)


def _agreement(facts: Facts, objections: Mapping[str, Decision]) -> Finding:
    tone = tone_of(objections.get("person_agreed"))
    record = f"Record {facts.consent_record}" if facts.consent_record else ""
    if "consent_is_current" in objections:
        return Finding("Agreement", "It is too old to count: it ended on", BAD, facts.consent_ends_at, record)
    if facts.consent == "opt_in":
        return Finding("Agreement", "They agreed to this on", tone, facts.consent_since, record)
    if facts.consent == "opt_out":
        return Finding("Agreement", "They took it back on", tone, facts.consent_since, record)
    if facts.purpose == Purpose.SUPPORT and facts.wrote_to_us:
        return Finding("Agreement", "None is needed for an answer: they wrote to you first.", tone)
    return Finding("Agreement", "None is on record.", tone)


def _possible_opt_out(facts: Facts, objections: Mapping[str, Decision]) -> Finding:
    subject, tone = "Texts that may ask to stop", tone_of(objections.get("no_stop_in_question"))
    if not facts.may_have_opted_out:
        return Finding(subject, "None waits for a decision.", tone)
    if tone == BAD:
        return Finding(subject, "One waits for a decision in the inbox; no offers go before it.", tone)
    return Finding(subject, "One waits for a decision in the inbox; until then it holds back offers only.", tone)


def _hours(facts: Facts, objections: Mapping[str, Decision]) -> Finding:
    subject, tone = "Hours", tone_of(objections.get("within_quiet_hours"))
    opening, ground = facts.opening, places_in_words(facts.hours)
    if opening is None:
        return Finding(subject, "Such texts go at any hour.", tone)
    if opening.is_open:
        return Finding(subject, "Allowed now, until", tone, opening.until, ground)
    if opening.since is None:
        return Finding(subject, f"{NO_HOUR}.", tone, ground=ground)
    return Finding(subject, "Not now; the next allowed time is", tone, opening.since, ground)


def _frequency(objection: Decision | None) -> Finding:
    subject = "How often"
    if objection is None:
        return Finding(subject, "No limit of texts to them is reached.")
    ground = f"{decision_reason(objection.as_json())}."
    if objection.outcome != DEFER:
        return Finding(subject, "A limit is reached for longer than the text is of use.", BAD, ground=ground)
    return Finding(subject, "A limit is reached; there is room again from", WAITS, objection.until, ground)
