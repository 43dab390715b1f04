"""The gate: each rule, in order, on facts alone."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.decision import ALLOW, ANSWERS_TO_KEYWORDS, BLOCK, DEFER, RULES_VERSION, Facts
from consent.frequency import Full, Limit
from consent.gate import REASONS, RULES, decide
from consent.purposes import Purpose

WILLING = Facts(purpose="marketing", consent="opt_in", consent_record="r1")

FULL = Full(Limit(3, 24, frozenset({"marketing"}), "US-FL"), 3, datetime(2027, 3, 1, 12, 7, tzinfo=UTC))

facts = st.builds(
    Facts,
    purpose=st.sampled_from([purpose.value for purpose in Purpose]),
    tenant_active=st.booleans(),
    sender_problem=st.sampled_from(["", "No sender"]),
    suppressed_because=st.sampled_from(["", "opted_out", "provider_block"]),
    consent=st.sampled_from(["", "opt_in", "opt_out"]),
    consent_record=st.just("r1"),
    may_have_opted_out=st.booleans(),
    contact_archived=st.booleans(),
    person_erased=st.booleans(),
    wrote_to_us=st.booleans(),
    missing_values=st.sampled_from([(), ("first_name",)]),
    already_in_cause=st.booleans(),
    beyond_trial=st.booleans(),
    trial_used_up=st.booleans(),
    planned_long_ago=st.booleans(),
    full=st.sampled_from([None, FULL]),
    exemption=st.sampled_from(["", *sorted(ANSWERS_TO_KEYWORDS)]),
)


@pytest.mark.parametrize(
    ("case", "outcome", "rule"),
    [
        (WILLING, ALLOW, "all_rules_passed"),
        (replace(WILLING, tenant_active=False), BLOCK, "tenant_is_active"),
        (replace(WILLING, sender_problem="No sender"), BLOCK, "sender_is_ready"),
        (replace(WILLING, suppressed_because="opted_out"), BLOCK, "number_is_not_suppressed"),
        (replace(WILLING, consent="opt_out"), BLOCK, "person_agreed"),
        (replace(WILLING, consent=""), BLOCK, "person_agreed"),
        (replace(WILLING, may_have_opted_out=True), BLOCK, "no_stop_in_question"),
        (replace(WILLING, may_have_opted_out=True, purpose="reminder"), ALLOW, "all_rules_passed"),
        (replace(WILLING, missing_values=("first_name",)), BLOCK, "text_is_complete"),
        (replace(WILLING, already_in_cause=True), BLOCK, "one_per_number"),
        (replace(WILLING, contact_archived=True), BLOCK, "contact_is_not_archived"),
        (replace(WILLING, contact_archived=True, consent=""), BLOCK, "contact_is_not_archived"),
        (replace(WILLING, contact_archived=True, suppressed_because="opted_out"), BLOCK, "number_is_not_suppressed"),
        (replace(WILLING, contact_archived=True, purpose="reminder"), BLOCK, "contact_is_not_archived"),
        (replace(WILLING, person_erased=True), BLOCK, "person_is_not_erased"),
        (replace(WILLING, beyond_trial=True), BLOCK, "trial_allows_number"),
        (replace(WILLING, beyond_trial=True, consent=""), BLOCK, "trial_allows_number"),
        (replace(WILLING, planned_long_ago=True), BLOCK, "text_is_current"),
        (replace(WILLING, full=FULL), DEFER, "within_frequency"),
        (replace(WILLING, full=FULL, useful_until=FULL.wakes_at), DEFER, "within_frequency"),
        (replace(WILLING, full=FULL, useful_until=FULL.free_at), BLOCK, "within_frequency"),
        (replace(WILLING, full=FULL, consent="opt_out"), BLOCK, "person_agreed"),
        (Facts(purpose="support", full=FULL, exemption="help_reply"), ALLOW, "all_rules_passed"),
        (replace(WILLING, trial_used_up=True), BLOCK, "trial_daily_limit"),
        # Only what would go is counted against the limit of the day.
        (replace(WILLING, trial_used_up=True, consent=""), BLOCK, "person_agreed"),
        # Whoever sends a keyword gets its answer, in trial too.
        (
            Facts(purpose="support", beyond_trial=True, trial_used_up=True, exemption="help_reply"),
            ALLOW,
            "all_rules_passed",
        ),
        (
            Facts(purpose="verification", beyond_trial=True, exemption="asks_for_own_number"),
            ALLOW,
            "all_rules_passed",
        ),
        (
            Facts(purpose="verification", trial_used_up=True, exemption="asks_for_own_number"),
            BLOCK,
            "trial_daily_limit",
        ),
        (Facts(purpose="verification", beyond_trial=True), BLOCK, "trial_allows_number"),
        # Archived people are answered and get their codes.
        (Facts(purpose="support", wrote_to_us=True, contact_archived=True), ALLOW, "all_rules_passed"),
        (Facts(purpose="verification", contact_archived=True), ALLOW, "all_rules_passed"),
        # A conversation the person opened needs no record; one they did not open does.
        (Facts(purpose="support", wrote_to_us=True), ALLOW, "all_rules_passed"),
        (Facts(purpose="support"), BLOCK, "person_agreed"),
        (Facts(purpose="support", wrote_to_us=True, consent="opt_out"), BLOCK, "person_agreed"),
        (Facts(purpose="marketing", wrote_to_us=True), BLOCK, "person_agreed"),
        # A code is asked for each time, but not by somebody who opted out of everything.
        (Facts(purpose="verification"), ALLOW, "all_rules_passed"),
        (Facts(purpose="verification", suppressed_because="opted_out"), BLOCK, "number_is_not_suppressed"),
        # The one confirmation of an opt-out goes to a suppressed number, nothing else does.
        (
            Facts(purpose="support", suppressed_because="opted_out", exemption="opt_out_confirmation"),
            ALLOW,
            "all_rules_passed",
        ),
        (Facts(purpose="support", suppressed_because="opted_out", exemption="help_reply"), ALLOW, "all_rules_passed"),
        (Facts(purpose="support", exemption="opt_out_confirmation", tenant_active=False), BLOCK, "tenant_is_active"),
        # The first objection decides.
        (
            Facts(purpose="marketing", suppressed_because="opted_out", missing_values=("x",)),
            BLOCK,
            "number_is_not_suppressed",
        ),
    ],
)
def test_decisions(case: Facts, outcome: str, rule: str) -> None:
    decision = decide(case)
    assert (decision.outcome, decision.rule) == (outcome, rule)


@given(facts)
def test_every_decision_is_explained(case: Facts) -> None:
    decision = decide(case)
    assert decision.outcome in (ALLOW, DEFER, BLOCK)
    assert (decision.until is not None) or decision.outcome != DEFER
    assert decision.as_json()["rules_version"] == RULES_VERSION
    if decision.outcome != ALLOW:
        assert decision.rule in REASONS


@given(facts)
def test_nothing_unexempt_goes_to_a_suppressed_number(case: Facts) -> None:
    decision = decide(case)
    if case.suppressed_because and not case.exemption:
        assert decision.outcome == BLOCK


@given(facts)
def test_marketing_needs_an_opt_in(case: Facts) -> None:
    decision = decide(replace(case, purpose="marketing", exemption=""))
    assert decision.outcome == BLOCK or case.consent == "opt_in"
    assert decision.outcome != ALLOW or decision.data["record"] == "r1"


@given(facts)
def test_an_allowed_message_breaks_no_rule(case: Facts) -> None:
    if decide(case).outcome == ALLOW:
        assert [rule(case) for rule in RULES] == [None] * len(RULES)


def test_each_rule_has_words_for_staff() -> None:
    assert set(REASONS) == {rule.__name__ for rule in RULES}
    assert all(rule.__doc__ for rule in RULES)
