"""Stage 2, gate: the facts of a whole batch are loaded in a constant number of queries, then each message is decided.

It runs when messages are planned, and again, on fresh facts and under the revocation lock, when they are handed over.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Max

from common.clock import database_now
from consent import facts as consent_facts
from consent.gate import ALLOW, Decision, Facts, decide
from consent.purposes import Purpose
from contacts.archive import archived_among
from messaging.models import InboundMessage
from messaging.pipeline.deferral import worth_waiting
from messaging.pipeline.frequency import TOO_OLD, Frequency
from messaging.pipeline.quiet import HAVE_HOURS, night_for, places_among
from tenants.models import Tenant
from tenants.trial import count_texts, reachable_in_trial, texts_left

__all__ = ["Candidate", "Circumstances", "decide_all"]


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What all messages of a batch share."""

    tenant: Tenant
    purpose: str
    sender_problem: str = ""
    registration_problem: str = ""
    exemption: str = ""
    handing_over: bool = False
    """What is allowed goes out now, so it counts against the limits of the day."""
    lane: str = ""
    """The lane of its batch; empty: that of the purpose."""
    planned_at: datetime | None = None
    """When its texts were planned; None: now."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A message to decide on."""

    number: str
    missing_values: tuple[str, ...] = ()
    already_in_cause: bool = False
    person_erased: bool = False


def decide_all(
    candidates: Sequence[Candidate], circumstances: Circumstances, *, ask: Callable[[Facts], Decision] = decide
) -> list[Decision]:
    """A decision for each candidate, in order. ``ask`` is for who wants to see the facts as well."""
    numbers = {candidate.number for candidate in candidates}
    known = consent_facts.load(numbers, circumstances.purpose)
    writers = _who_wrote(numbers) if circumstances.purpose == Purpose.SUPPORT else {}
    archived = archived_among(numbers)
    active = circumstances.tenant.may_send
    trial = _Trial(circumstances, numbers)
    night = night_for(circumstances.tenant, circumstances.purpose, exemption=circumstances.exemption)
    places = places_among(numbers) if night else {}
    frequency = Frequency(
        circumstances.purpose, circumstances.exemption, places, numbers, lock=circumstances.handing_over
    )
    now = database_now()
    planned_at = circumstances.planned_at or now
    is_old = circumstances.purpose in HAVE_HOURS and now - planned_at > TOO_OLD
    useful_until = planned_at + worth_waiting(circumstances.lane or circumstances.purpose)
    decisions = []
    for candidate in candidates:
        fact = known[candidate.number]
        place = places.get(candidate.number)
        decision = ask(
            Facts(
                purpose=circumstances.purpose,
                tenant_active=active,
                sender_problem=circumstances.sender_problem,
                registration_problem=circumstances.registration_problem,
                suppressed_because=fact.suppressed_because,
                unreachable=fact.unreachable,
                changed_hands_at=fact.changed_hands_at,
                consent=fact.consent,
                consent_record=fact.consent_record,
                consent_since=fact.consent_since,
                consent_ends_at=fact.consent_ends_at,
                consent_ends_because=fact.consent_ends_because,
                consent_has_ended=fact.consent_has_ended,
                awaits_confirmation_since=fact.awaits_confirmation_since,
                asked_to_confirm_at=fact.asked_to_confirm_at,
                may_have_opted_out=fact.may_have_opted_out,
                contact_archived=candidate.number in archived,
                person_erased=candidate.person_erased,
                wrote_to_us=_wrote_since(writers.get(candidate.number), fact.changed_hands_at),
                missing_values=candidate.missing_values,
                already_in_cause=candidate.already_in_cause,
                exemption=circumstances.exemption,
                beyond_trial=trial.is_beyond(candidate.number),
                trial_used_up=trial.used_up,
                opening=night.opening(place) if night and place else None,
                hours=night.grounds(place) if night and place else {},
                planned_long_ago=is_old,
                full=frequency.full(candidate.number),
                useful_until=useful_until,
            )
        )
        trial.note(decision)
        if decision.outcome == ALLOW:
            frequency.note(candidate.number)
        decisions.append(decision)
    trial.count()
    return decisions


class _Trial:
    """The limits of a tenant in trial, followed through one batch; none for any other tenant."""

    def __init__(self, circumstances: Circumstances, numbers: Collection[str]) -> None:
        self.tenant = circumstances.tenant
        self.counts = circumstances.handing_over
        self.allowed = 0
        self.left = texts_left(self.tenant, lock=self.counts) if self.tenant.in_trial else 0
        self.reachable = reachable_in_trial(numbers) if self.tenant.in_trial else frozenset()

    def is_beyond(self, number: str) -> bool:
        return self.tenant.in_trial and number not in self.reachable

    @property
    def used_up(self) -> bool:
        return self.tenant.in_trial and self.allowed >= self.left

    def note(self, decision: Decision) -> None:
        self.allowed += decision.outcome == ALLOW

    def count(self) -> None:
        if self.tenant.in_trial and self.counts and self.allowed:
            count_texts(self.tenant, self.allowed)


def _who_wrote(numbers: Collection[str]) -> dict[str, datetime]:
    """When each of them wrote last."""
    rows = InboundMessage.objects.filter(number__among=numbers).order_by()
    return dict(rows.values_list("number").annotate(last=Max("received_at")))


def _wrote_since(last: datetime | None, changed_hands_at: datetime | None) -> bool:
    """What a number's former owner wrote begins no conversation with the present one."""
    return last is not None and (changed_hands_at is None or last >= changed_hands_at)
