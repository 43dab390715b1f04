"""Loading the consent facts of many numbers in a constant number of queries."""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Any, Final

from django.db.models import CharField
from django.db.models.functions import Cast

from consent.agreements import weak_among
from consent.changed_numbers import changes_among
from consent.double_opt_in import waiting_among
from consent.erasure import hidden_names
from consent.models import ChangedNumber, ConsentRecord, ConsentState, NumberMark, PendingOptIn, PossibleOptOut
from consent.number_marks import marks_among
from consent.purpose_rules import Rules
from consent.purposes import Purpose
from consent.rare import tables_in_use
from consent.services import suppressed_among
from consent.validity import Agreement, ends_of
from tenants.owned import TenantOwned

__all__ = ["PersonFacts", "load"]

PersonFacts = dict[str, Any]
"""What is known of one number for one purpose: fields of ``consent.decision.Facts`` that are not as usual, by name."""

_AGREED: Final = ConsentRecord.Act.OPT_IN.value


def load(numbers: Collection[str], purpose: str, rules: Rules, now: datetime) -> dict[str, PersonFacts]:
    """Facts by number, for every number asked for: fourteen queries at most, whatever the count."""
    facts: dict[str, PersonFacts] = {number: {} for number in numbers}
    agreements = []
    rows = ConsentState.objects.filter(number__among=numbers, purpose=purpose)
    # As text: to make hundreds of ids of it would cost more than to find them.
    for number, act, record, since in rows.values_list("number", "act", Cast("record_id", CharField()), "since"):
        facts[number] = {"consent": act, "consent_record": record, "consent_since": since}
        if act == _AGREED:
            agreements.append(Agreement(number, record, since))
    for number, reason in suppressed_among(numbers=numbers).items():
        facts[number]["suppressed_because"] = reason
    for number, found in weak_among(
        {one.number: one.record_id for one in agreements}, purpose, rules.agreement
    ).items():
        facts[number]["agreement_too_weak"] = found
    for number, end in ends_of(agreements, purpose, now).items():
        facts[number]["consent_ends_at"] = end.at
        facts[number]["consent_ends_because"] = end.because
        facts[number]["consent_has_ended"] = end.at <= now
    _add_exceptions(facts, purpose)
    return facts


def _add_exceptions(facts: Mapping[str, PersonFacts], purpose: str) -> None:
    """What is true of few people, from tables that are empty for most tenants."""
    in_use = tables_in_use()
    for table, load_from in _EXCEPTIONS.items():
        if table in in_use and (table is not PendingOptIn or purpose == Purpose.MARKETING):
            for number, found in load_from(facts.keys()).items():
                facts[number].update(found)


def _marked(numbers: Collection[str]) -> dict[str, PersonFacts]:
    return {number: {"unreachable": mark.as_data()} for number, mark in marks_among(numbers).items()}


def _changed(numbers: Collection[str]) -> dict[str, PersonFacts]:
    return {number: {"changed_hands_at": change.counts_from} for number, change in changes_among(numbers).items()}


def _waiting(numbers: Collection[str]) -> dict[str, PersonFacts]:
    return {
        number: {"awaits_confirmation_since": waiting.since, "asked_to_confirm_at": waiting.asked_at}
        for number, waiting in waiting_among(numbers).items()
    }


def _in_question(numbers: Collection[str]) -> dict[str, PersonFacts]:
    """Those of which a text waits for somebody to decide whether it asks to stop."""
    hidden = hidden_names(numbers)
    rows = PossibleOptOut.objects.filter(number__among=[*numbers, *hidden], settled_at=None)
    return {
        hidden.get(number, number): {"may_have_opted_out": True} for number in rows.values_list("number", flat=True)
    }


_EXCEPTIONS: Final[Mapping[type[TenantOwned], Callable[[Collection[str]], dict[str, PersonFacts]]]] = {
    PossibleOptOut: _in_question,
    NumberMark: _marked,
    ChangedNumber: _changed,
    PendingOptIn: _waiting,
}
