"""Loading the consent facts of many numbers in a constant number of queries."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from django.db.models import CharField
from django.db.models.functions import Cast

from common.clock import database_now
from consent.changed_numbers import changes_among
from consent.double_opt_in import waiting_among
from consent.erasure import hidden_names
from consent.models import ChangedNumber, ConsentRecord, ConsentState, NumberMark, PendingOptIn, PossibleOptOut
from consent.number_marks import marks_among
from consent.purposes import Purpose
from consent.rare import tables_in_use
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
    """Facts by number, for every number asked for: twelve queries at most, whatever the count."""
    suppressed = suppressed_among(numbers=numbers)
    states = {
        number: (act, record_id, since)
        # As text: to make hundreds of ids of it would cost more than to find them.
        for number, act, record_id, since in ConsentState.objects.filter(
            number__among=numbers, purpose=purpose
        ).values_list("number", "act", Cast("record_id", CharField()), "since")
    }
    in_use = tables_in_use()
    asked = _asked_among(numbers) if PossibleOptOut in in_use else frozenset()
    marks = marks_among(numbers) if NumberMark in in_use else {}
    changes = changes_among(numbers) if ChangedNumber in in_use else {}
    now = database_now()
    agreements = [Agreement(number, record, since) for number, (act, record, since) in states.items() if act == _AGREED]
    ends = ends_of(agreements, purpose, now)
    waiting = waiting_among(numbers) if purpose == Purpose.MARKETING and PendingOptIn in in_use else {}
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


def _asked_among(numbers: Collection[str]) -> frozenset[str]:
    """Those of which a text waits for somebody to decide whether it asks to stop."""
    hidden = hidden_names(numbers)
    rows = PossibleOptOut.objects.filter(number__among=[*numbers, *hidden], settled_at=None)
    return frozenset(hidden.get(number, number) for number in rows.values_list("number", flat=True))
