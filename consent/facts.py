"""Loading the consent facts of many numbers in a constant number of queries."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from consent.erasure import hidden_names
from consent.models import ConsentState, PossibleOptOut
from consent.services import suppressed_among

__all__ = ["ConsentFacts", "load"]


@dataclass(frozen=True, slots=True)
class ConsentFacts:
    """What is known about one number for one purpose."""

    suppressed_because: str = ""
    consent: str = ""
    consent_record: str = ""
    consent_since: datetime | None = None
    may_have_opted_out: bool = False


def load(numbers: Collection[str], purpose: str) -> dict[str, ConsentFacts]:
    """Facts by number, for every number asked for: five queries, whatever the count."""
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
    facts = {}
    for number in numbers:
        act, record_id, since = states.get(number, ("", "", None))
        facts[number] = ConsentFacts(suppressed.get(number, ""), act, record_id, since, number in asked)
    return facts
