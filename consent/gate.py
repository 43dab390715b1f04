"""The gate: may this message go to this person now, and if not, why not.

``decide`` is a pure function over facts that ``consent.facts`` and ``messaging.pipeline.gate`` load for a whole batch. It
asks an ordered tuple of small rules; the first that objects decides. The decision is stored with every recipient, together
with the version of the rules, so that each "why" and "why not" can be read years later.
"""

from collections.abc import Mapping
from typing import Final

from consent.decision import ALLOW, EMERGENCY, Decision, Facts, Rule
from consent.rules_about_people import (
    agreement_is_strong_enough,
    consent_is_current,
    contact_is_not_archived,
    no_stop_in_question,
    number_is_not_suppressed,
    number_is_reachable,
    number_kept_its_owner,
    opt_in_is_confirmed,
    person_agreed,
    person_is_not_erased,
)
from consent.rules_about_sending import (
    confirmation_is_in_time,
    content_is_allowed,
    not_a_duplicate,
    one_per_number,
    sender_is_ready,
    sender_is_registered,
    tenant_is_active,
    text_is_complete,
    text_is_current,
    trial_allows_number,
    trial_daily_limit,
    within_frequency,
    within_quiet_hours,
    within_spend,
)

__all__ = ["REASONS", "RULES", "decide"]

RULES: Final[tuple[Rule, ...]] = (
    tenant_is_active,
    trial_allows_number,
    sender_is_ready,
    sender_is_registered,
    number_is_not_suppressed,
    number_is_reachable,
    person_is_not_erased,
    contact_is_not_archived,
    person_agreed,
    agreement_is_strong_enough,
    number_kept_its_owner,
    consent_is_current,
    opt_in_is_confirmed,
    no_stop_in_question,
    text_is_complete,
    content_is_allowed,
    one_per_number,
    confirmation_is_in_time,
    text_is_current,
    not_a_duplicate,
    within_quiet_hours,
    within_frequency,
    within_spend,
    trial_daily_limit,
)

REASONS: Final[Mapping[str, str]] = {
    "tenant_is_active": "This account is suspended or about to be deleted",
    "trial_allows_number": "In trial only your own team and guests can be texted",
    "sender_is_ready": "No sender can carry this text",
    "sender_is_registered": "The sender's registration is not approved",
    "number_is_not_suppressed": "Opted out of all texts",
    "number_is_reachable": "This number cannot get texts",
    "person_is_not_erased": "This person's data was erased",
    "contact_is_not_archived": "This contact is archived",
    "person_agreed": "Has not agreed to this kind of text",
    "agreement_is_strong_enough": "They did not agree in the way that this kind of text needs",
    "number_kept_its_owner": "The number changed hands since they agreed",
    "consent_is_current": "Their agreement is too old; ask them anew",
    "opt_in_is_confirmed": "They have not confirmed with YES yet",
    "no_stop_in_question": "May have asked to stop; decide about it in the inbox",
    "text_is_complete": "A value for the text is missing",
    "content_is_allowed": "Carriers do not let such a text through",
    "one_per_number": "The same person or number gets this text already",
    "confirmation_is_in_time": "An opt-out is confirmed within 5 minutes, or not at all",
    "text_is_current": "It was planned too long ago",
    "not_a_duplicate": "They got the same words a short time ago",
    "within_quiet_hours": "It is night where they are, or outside your hours",
    "within_frequency": "They got as many texts as are allowed",
    "within_spend": "The month's spending limit is reached",
    "trial_daily_limit": "The texts of today's trial are used up",
}
"""What staff read, by rule."""


def decide(facts: Facts) -> Decision:
    """Ask the rules in order; allow when none objects."""
    for rule in RULES:
        decision = rule(facts)
        if decision is not None:
            return decision
    until = facts.opening.until if facts.opening else facts.confirm_by
    return Decision(ALLOW, "all_rules_passed", _grounds(facts), until)


def _grounds(facts: Facts) -> dict[str, object]:
    """What an allowed message rests on."""
    exempted = {"exemption": facts.exemption} if facts.exemption else {}
    if exempted and facts.exemption != EMERGENCY:
        return {**exempted}
    if facts.consent == "opt_in":
        return {"record": facts.consent_record, **facts.hours, **exempted}
    return {"wrote_to_us": True} if facts.wrote_to_us else {}
