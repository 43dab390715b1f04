"""The facts of a batch for the gate: what its messages share, what is known of each person, and what fills up on the way."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db.models import Max

from common.clock import database_now
from consent import facts as consent_facts
from consent.decision import ALLOW, ANSWERS_TO_KEYWORDS, CONFIRM_WITHIN, CONFIRMATIONS_OF_STOP, Decision, Facts
from consent.purpose_rules import rules_of
from consent.purposes import Purpose
from contacts.standing import standing_among
from messaging.content import text_problem
from messaging.models import InboundMessage
from messaging.pipeline.deferral import worth_waiting
from messaging.pipeline.frequency import TOO_OLD, Frequency
from messaging.pipeline.quiet import HAVE_HOURS, Night, Whereabouts, night_for, places_among
from messaging.pipeline.repeats import repeats_among
from messaging.pipeline.spending import Spending
from messaging.registration import name_problem
from tenants.models import Tenant
from tenants.trial import count_texts, reachable_in_trial, texts_left

__all__ = ["BatchFacts", "Candidate", "Circumstances"]


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What all messages of a batch share."""

    tenant: Tenant
    purpose: str
    sender_problem: str = ""
    registration_problem: str = ""
    by_name: bool = False
    """The sender is a name and no number."""
    exemption: str = ""
    handing_over: bool = False
    """What is allowed goes out now, so it counts against the limits of the day."""
    lane: str = ""
    """The lane of its batch; empty: that of the purpose."""
    cause_id: UUID | None = None
    planned_at: datetime | None = None
    """When its texts were planned; None: now."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A message to decide on."""

    number: str
    body: str = ""
    """What it says; empty where that is not known yet."""
    parts: int = 1
    missing_values: tuple[str, ...] = ()
    already_in_cause: bool = False
    person_erased: bool = False


_NOTHING: Final[Mapping[str, Any]] = {}


class BatchFacts:
    """All facts of one batch, followed through it: what an allowed message uses up counts for the next one."""

    def __init__(self, candidates: Sequence[Candidate], circumstances: Circumstances) -> None:
        numbers = {candidate.number for candidate in candidates}
        purpose, exemption = circumstances.purpose, circumstances.exemption
        now = database_now()
        rules = rules_of(purpose)
        self._people = consent_facts.load(numbers, purpose, rules, now)
        zones = self._add_standing(numbers)
        if purpose == Purpose.SUPPORT:
            self._add_writers(numbers)
        self._add_texts(candidates, circumstances, rules.repeat_hours, now)
        if circumstances.by_name:
            self._add_names(numbers)
        night = night_for(circumstances.tenant, purpose, exemption=exemption)
        self._places = places_among(numbers, zones) if night else {}
        self._hours = {place: _hours(night, place) for place in set(self._places.values())} if night else {}
        lock = circumstances.handing_over
        self._frequency = Frequency(purpose, exemption, self._places, numbers, lock=lock)
        self._spending = Spending(circumstances.tenant, exemption=exemption, lock=lock)
        self._trial = _Trial(circumstances, numbers)
        self._shared = _shared(circumstances, now)

    def facts(self, candidate: Candidate) -> Facts:
        """Those of one message, at its turn."""
        number = candidate.number
        place = self._places.get(number)
        return Facts(
            **self._shared,
            **self._people[number],
            **(self._hours[place] if place else _NOTHING),
            missing_values=candidate.missing_values,
            already_in_cause=candidate.already_in_cause,
            person_erased=candidate.person_erased,
            full=self._frequency.full(number),
            spent=self._spending.beyond(candidate.parts),
            beyond_trial=self._trial.is_beyond(number),
            trial_used_up=self._trial.used_up,
        )

    def note(self, candidate: Candidate, decision: Decision) -> None:
        """What was decided about it, before the next one's turn."""
        if decision.outcome == ALLOW:
            self._trial.allowed += 1
            self._frequency.note(candidate.number)
            self._spending.note(candidate.parts)

    def count(self) -> None:
        """All have had their turn."""
        self._trial.count()

    def _add_standing(self, numbers: Collection[str]) -> dict[str, str]:
        """Returns the noted time zones."""
        zones = {}
        for number, standing in standing_among(numbers).items():
            zones[number] = standing.timezone
            self._people[number]["contact_archived"] = standing.archived
        return zones

    def _add_names(self, numbers: Collection[str]) -> None:
        for number in numbers:
            if problem := name_problem(number):
                self._people[number]["unreachable_by_sender"] = problem

    def _add_writers(self, numbers: Collection[str]) -> None:
        """What a number's former owner wrote begins no conversation with the present one."""
        for number, last in _who_wrote(numbers).items():
            person = self._people[number]
            changed_hands_at = person.get("changed_hands_at")
            person["wrote_to_us"] = changed_hands_at is None or last >= changed_hands_at

    def _add_texts(
        self, candidates: Sequence[Candidate], circumstances: Circumstances, repeat_hours: int, now: datetime
    ) -> None:
        if circumstances.exemption in ANSWERS_TO_KEYWORDS:
            return
        for candidate in candidates:
            if problem := text_problem(candidate.body):
                self._people[candidate.number]["text_problem"] = problem
        repeats = repeats_among(
            {candidate.number: candidate.body for candidate in candidates},
            purpose=circumstances.purpose,
            hours=repeat_hours,
            cause_id=circumstances.cause_id,
            at=now,
            handing_over=circumstances.handing_over,
        )
        for number, repeated in repeats.items():
            self._people[number]["same_text"] = repeated


def _shared(circumstances: Circumstances, now: datetime) -> dict[str, Any]:
    """What is the same for all messages."""
    planned_at = circumstances.planned_at or now
    confirms = circumstances.exemption in CONFIRMATIONS_OF_STOP
    return {
        "purpose": circumstances.purpose,
        "tenant_active": circumstances.tenant.may_send,
        "sender_problem": circumstances.sender_problem,
        "registration_problem": circumstances.registration_problem,
        "exemption": circumstances.exemption,
        "confirm_by": planned_at + CONFIRM_WITHIN if confirms else None,
        "too_late_to_confirm": confirms and now - planned_at > CONFIRM_WITHIN,
        "planned_long_ago": circumstances.purpose in HAVE_HOURS and now - planned_at > TOO_OLD,
        "useful_until": planned_at + worth_waiting(circumstances.lane or circumstances.purpose),
    }


def _hours(night: Night, place: Whereabouts) -> dict[str, Any]:
    return {"opening": night.opening(place), "hours": night.grounds(place)}


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

    def count(self) -> None:
        if self.tenant.in_trial and self.counts and self.allowed:
            count_texts(self.tenant, self.allowed)


def _who_wrote(numbers: Collection[str]) -> dict[str, datetime]:
    """When each of them wrote last."""
    rows = InboundMessage.objects.filter(number__among=numbers).order_by()
    return dict(rows.values_list("number").annotate(last=Max("received_at")))
