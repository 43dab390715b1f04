"""Loading the consent facts of many numbers in a constant number of queries."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from common.clock import database_now
from consent.changed_numbers import changes_among
from consent.double_opt_in import waiting_among
from consent.erasure import hidden_names
from consent.models import ConsentRecord, ConsentState, PossibleOptOut
from consent.number_marks import marks_among
from consent.purposes import Purpose
from consent.services import suppressed_among
from consent.validity import Agreement, ends_of

__all__ = ["ConsentFacts", "load"]


_AGREED: Final = ConsentRecord.Act.OPT_IN.value


@dataclass(frozen=True, slots=True)
class ConsentFacts:
    """What is known about one number for one purpose."""

    suppressed_because: str = ""
    consent: str = ""
    consent_record: str = ""
    consent_since: datetime | None = None
    may_have_opted_out: bool = False
    unreachable: Mapping[str, object] = field(default_factory=dict)
    """Why the number cannot get texts, as it is stored with the decision."""
    changed_hands_at: datetime | None = None
    consent_ends_at: datetime | None = None
    consent_ends_because: str = ""
    consent_has_ended: bool = False
    awaits_confirmation_since: datetime | None = None
    asked_to_confirm_at: datetime | None = None


def load(numbers: Collection[str], purpose: str) -> dict[str, ConsentFacts]:
    """Facts by number, for every number asked for: eleven queries at most, whatever the count."""
    suppressed = suppressed_among(numbers=numbers)
    states = {
        number: (act, str(record_id), since)
        for number, act, record_id, since in ConsentState.objects.filter(
            number__among=numbers, purpose=purpose
        ).values_list("number", "act", "record_id", "since")
    }
    hidden = hidden_names(numbers)
    open_questions = PossibleOptOut.objects.filter(number__among=[*numbers, *hidden], settled_at=None)
    asked = {hidden.get(number, number) for number in open_questions.values_list("number", flat=True)}
    marks, changes = marks_among(numbers), changes_among(numbers)
    now = database_now()
    agreements = [Agreement(number, record, since) for number, (act, record, since) in states.items() if act == _AGREED]
    ends = ends_of(agreements, purpose, now)
    waiting = waiting_among(numbers) if purpose == Purpose.MARKETING else {}
    facts = {}
    for number in numbers:
        act, record_id, since = states.get(number, ("", "", None))
        facts[number] = ConsentFacts(
            suppressed_because=suppressed.get(number, ""),
            consent=act,
            consent_record=record_id,
            consent_since=since,
            may_have_opted_out=number in asked,
            unreachable=marks[number].as_data() if number in marks else {},
            changed_hands_at=changes[number].counts_from if number in changes else None,
            consent_ends_at=ends[number].at if number in ends else None,
            consent_ends_because=ends[number].because if number in ends else "",
            consent_has_ended=number in ends and ends[number].at <= now,
            awaits_confirmation_since=waiting[number].since if number in waiting else None,
            asked_to_confirm_at=waiting[number].asked_at if number in waiting else None,
        )
    return facts
