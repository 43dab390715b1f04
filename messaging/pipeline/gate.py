"""Stage 2, gate: the facts of a whole batch are loaded in a constant number of queries, then each message is decided.

It runs when messages are planned, and again, on fresh facts and under the revocation lock, when they are handed over.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from consent import facts as consent_facts
from consent.gate import Decision, Facts, decide
from consent.purposes import Purpose
from contacts.archive import archived_among
from messaging.models import InboundMessage
from tenants.models import Tenant

__all__ = ["Candidate", "Circumstances", "decide_all"]


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What all messages of a batch share."""

    tenant: Tenant
    purpose: str
    sender_problem: str = ""
    exemption: str = ""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A message to decide on."""

    number: str
    missing_values: tuple[str, ...] = ()
    already_in_cause: bool = False
    person_erased: bool = False


def decide_all(candidates: Sequence[Candidate], circumstances: Circumstances) -> list[Decision]:
    """A decision for each candidate, in order."""
    numbers = {candidate.number for candidate in candidates}
    known = consent_facts.load(numbers, circumstances.purpose)
    writers = _who_wrote(numbers) if circumstances.purpose == Purpose.SUPPORT else frozenset()
    archived = archived_among(numbers)
    active = circumstances.tenant.status == Tenant.Status.ACTIVE
    decisions = []
    for candidate in candidates:
        fact = known[candidate.number]
        decisions.append(
            decide(
                Facts(
                    purpose=circumstances.purpose,
                    tenant_active=active,
                    sender_problem=circumstances.sender_problem,
                    suppressed_because=fact.suppressed_because,
                    consent=fact.consent,
                    consent_record=fact.consent_record,
                    consent_since=fact.consent_since,
                    may_have_opted_out=fact.may_have_opted_out,
                    contact_archived=candidate.number in archived,
                    person_erased=candidate.person_erased,
                    wrote_to_us=candidate.number in writers,
                    missing_values=candidate.missing_values,
                    already_in_cause=candidate.already_in_cause,
                    exemption=circumstances.exemption,
                )
            )
        )
    return decisions


def _who_wrote(numbers: Collection[str]) -> frozenset[str]:
    rows = InboundMessage.objects.filter(number__in=list(numbers)).order_by()
    return frozenset(rows.values_list("number", flat=True).distinct())
