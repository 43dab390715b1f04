"""No call to a provider begins after the commit of an opt-out, however opting in and out, planning, handing over, the night
and the morning interleave; and without either guard one does."""

import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from typing import Any, Final

import pytest
from django.db import connection
from django.utils import timezone
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from common.lanes import MARKETING, REMINDER, TRANSACTIONAL
from consent import gate, revocation_lock
from consent.ledger import OptIn, record_opt_ins
from consent.preferences import stop_some
from consent.services import opt_out, opt_out_many
from messaging.models import Batch, Sender
from messaging.pipeline import dispatch
from messaging.pipeline.dispatch import run_next_batch
from messaging.pipeline.enqueue import Cause, Draft, enqueue
from messaging.providers.base import InboundText
from messaging.services import add_provider_account, add_sender, opt_out_list, receive
from messaging.tasks import withdraw_texts
from tenants.scope import tenant_scope
from tests.cast import FAST, Cast, Company
from tests.daylight import Daylight, tonight
from tests.twilio_server import TwilioServer, twilio_server

pytestmark = pytest.mark.django_db(transaction=True)

SID = "AC" + "a" * 32
LANES = {"marketing": MARKETING, "transactional": TRANSACTIONAL, "reminder": REMINDER}
STOPS = ("keyword", "words", "staff", "list", "pasted list")
ONLY = "no more "
"""Begins an act that ends one purpose, on the person's own page."""
PLACES = ("after_claim", "before_intent", "after_intent", "after_response")
A_MOMENT: Final = 0.08
"""Seconds in which an act that nothing keeps waiting is over many times."""

_used: Final = count()


@dataclass
class Act:
    """A stop, a start or an agreement: when its transaction began, and when it was committed."""

    kind: str
    began: float
    done: float | None = None
    purpose: str = ""
    """The one that it is about; empty: all."""


@dataclass
class World:
    """One person, one business, its provider; and what happened."""

    company: Company
    sender: Sender
    twilio: TwilioServer
    daylight: Daylight
    number: str
    acts: list[Act] = field(default_factory=list)
    texts: Iterator[int] = field(default_factory=count)
    beside: list[threading.Thread] = field(default_factory=list)
    purposes: dict[int, str] = field(default_factory=dict)
    """Of the calls, by their place."""

    def do(self, what: str) -> None:
        if what in STOPS or what == "start" or what in LANES or what.startswith(ONLY):
            kind = {"start": "start"}.get(what, "agree" if what in LANES else "stop")
            act = Act(kind, time.monotonic(), purpose=what.removeprefix(ONLY) if what not in (*STOPS, "start") else "")
            self.acts.append(act)
            self._act(what)
            act.done = time.monotonic()
        elif what.startswith("plan "):
            self._plan(what.removeprefix("plan "))
        elif what == "withdraw":
            withdraw_texts()
        else:
            self.daylight.become(tonight(3 if what == "night" else 14))

    def _act(self, what: str) -> None:
        with tenant_scope(self.company.tenant.id, durable=True):
            if what in LANES:
                record_opt_ins([OptIn(self.number, what, "web_form")], actor_id=None)
            elif what.startswith(ONLY):
                stop_some(number=self.number, purposes=[what.removeprefix(ONLY)], wording="No more", evidence={})
            elif what == "pasted list":
                opt_out_list(numbers=[self.number], note="by e-mail", user_id=self.company.owner.id)
            elif what == "staff":
                opt_out(number=self.number, source="staff")
            elif what == "list":
                opt_out_many(numbers=[self.number], source="import", evidence={})
            else:
                body = {"keyword": "STOP", "words": "please take me off your list", "start": "START"}[what]
                sid = f"SM{next(self.texts)}{self.number}"
                receive(self.sender.provider_account, InboundText(sid, self.sender.value, self.number, body))

    def _plan(self, purpose: str) -> None:
        with tenant_scope(self.company.tenant.id, durable=True):
            cause = Cause(kind="campaign", lane=LANES[purpose], purpose=purpose, sender_id=self.sender.id)
            batch, _ = enqueue([Draft(self.number, f"Text {next(self.texts)}")], cause)
            Batch.objects.filter(id=batch.id).update(created_at=timezone.now() - timedelta(seconds=1))

    def hand_over(self, lane: str, between: dict[str, str]) -> None:
        """While it happens, other people and machines do something at each of these places."""

        def elsewhere(name: str) -> None:
            if what := between.get(name):
                thread = threading.Thread(target=self._in_thread, args=[what])
                self.beside.append(thread)
                thread.start()
                thread.join(A_MOMENT)

        real, dispatch.failpoint = dispatch.failpoint, elsewhere
        before = len(self.twilio.created)
        try:
            run_next_batch(lane)
        finally:
            purpose = next(purpose for purpose, of in LANES.items() if of == lane)
            self.purposes |= dict.fromkeys(range(before, len(self.twilio.created)), purpose)
            dispatch.failpoint = real
            for thread in self.beside:
                thread.join(20)

    def _in_thread(self, what: str) -> None:
        try:
            self.do(what)
        finally:
            connection.close()

    def after_a_stop(self) -> list[float]:
        """When calls began although a stop had been committed and nothing that takes it back had begun since."""
        calls = enumerate(zip(self.twilio.created, self.twilio.came_at, strict=True))
        return [at for n, (to, at) in calls if to == self.number and self._stopped_at(at, self.purposes[n])]

    def _stopped_at(self, at: float, purpose: str) -> bool:
        """START takes back what ended everything; what ended one purpose, an agreement to it."""
        stops = [act for act in self.acts if act.kind == "stop" and act.done is not None and act.done < at]
        back = [act for act in self.acts if act.kind in ("start", "agree") and act.began < at]
        return any(
            stop.purpose in ("", purpose)
            and not any(
                act.began > stop.began and (act.kind == "start" if not stop.purpose else act.purpose == purpose)
                for act in back
            )
            for stop in stops
        )


@pytest.fixture
def world(committed_cast: Cast, settings: Any, daylight: Daylight) -> Iterator[Callable[[], World]]:
    """Makes a world with another person each time."""
    clinic = committed_cast.clinic
    with tenant_scope(clinic.tenant.id):
        credentials = {"account_sid": SID, "auth_token": "t" * 32}
        account = add_provider_account(kind="twilio", name="Twilio", credentials=credentials)
        sender = add_sender(tenant=clinic.tenant, account=account, value="+12025550180", kind="long_code")
        Sender.objects.filter(id=sender.id).update(parts_per_second=FAST)
    with twilio_server(settings, SID) as twilio:

        def make() -> World:
            person = next(_used)
            number = f"+1{('202', '212', '312', '303', '206')[person // 100 % 5]}55501{person % 100:02}"
            daylight.become(tonight(14))
            return World(clinic, sender, twilio, daylight, number)

        yield make


purposes = st.sampled_from(sorted(LANES))
acts = st.sampled_from([*STOPS, *(f"{ONLY}{purpose}" for purpose in LANES), "start", *LANES])
plain_steps = st.one_of(acts, purposes.map("plan {}".format), st.sampled_from(["withdraw", "night", "day"]))
hand_overs = st.tuples(purposes.map(LANES.__getitem__), st.dictionaries(st.sampled_from(PLACES), acts, max_size=2))
steps = st.lists(st.one_of(plain_steps, hand_overs), min_size=3, max_size=12)

Steps = Sequence[str | tuple[str, dict[str, str]]]

BEFORE: Final[Steps] = ["marketing", "plan marketing", "keyword", (MARKETING, {})]
DURING: Final[Steps] = ["marketing", "plan marketing", (MARKETING, {"after_intent": "keyword"})]
BY_NIGHT: Final[Steps] = ["marketing", "night", "plan marketing", (MARKETING, {}), "words", "day", (MARKETING, {})]


def live(world: World, life: Steps) -> None:
    for step in life:
        if isinstance(step, str):
            world.do(step)
        else:
            world.hand_over(*step)


@given(life=steps)
@example(life=BEFORE)
@example(life=BY_NIGHT)
@example(life=DURING)
@example(life=["reminder", "plan reminder", (REMINDER, {"before_intent": "staff"}), "start", (REMINDER, {})])
@example(life=["marketing", "plan marketing", (MARKETING, {"after_claim": "list", "after_intent": "start"})])
@example(
    life=[
        "marketing",
        "plan marketing",
        (MARKETING, {"after_intent": "no more marketing"}),
        "plan marketing",
        (MARKETING, {}),
    ]
)
@example(
    life=[
        "marketing",
        "reminder",
        "plan reminder",
        "no more marketing",
        (REMINDER, {"before_intent": "no more reminder"}),
    ]
)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_call_begins_after_the_commit_of_a_stop(world: Callable[[], World], life: Steps) -> None:
    one = world()
    live(one, life)
    assert not one.after_a_stop()
    assert all(act.done is not None for act in one.acts), "every act is committed in the end"


@pytest.mark.parametrize("life", [BEFORE, BY_NIGHT])
@pytest.mark.counterproof("F22")
def test_without_the_decision_at_hand_over_one_does(
    world: Callable[[], World], monkeypatch: pytest.MonkeyPatch, life: Steps
) -> None:
    blind = {gate.number_is_not_suppressed, gate.person_agreed}
    real, rules = dispatch.decide_all, gate.RULES

    def unasked(*args: Any, **options: Any) -> Any:
        monkeypatch.setattr(gate, "RULES", tuple(rule for rule in rules if rule not in blind))
        try:
            return real(*args, **options)
        finally:
            monkeypatch.setattr(gate, "RULES", rules)

    monkeypatch.setattr(dispatch, "decide_all", unasked)
    one = world()
    live(one, life)
    assert one.after_a_stop()


@pytest.mark.counterproof("F22")
def test_without_waiting_for_the_calls_under_way_one_does(
    world: Callable[[], World], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(revocation_lock, "hold_after_calls", lambda numbers: revocation_lock.hold_exclusively())
    monkeypatch.setattr("consent.services.hold_after_calls", lambda numbers: revocation_lock.hold_exclusively())
    # Nothing keeps it waiting now; on a busy machine it takes its time all the same.
    monkeypatch.setattr(sys.modules[__name__], "A_MOMENT", 9.0)
    one = world()
    live(one, DURING)
    assert one.after_a_stop()


def test_while_one_waits_the_texts_of_others_go_on(world: Callable[[], World]) -> None:
    """The lock is given back between looks: a STOP in the middle of a call keeps nobody else waiting."""
    stopping, other = world(), world()
    other.do("marketing")
    other.do("plan marketing")
    went: list[bool] = []

    def others_turn() -> None:
        went.append(run_next_batch(MARKETING))

    stopping.do("reminder")
    stopping.do("plan reminder")
    began = time.monotonic()

    def elsewhere(name: str) -> None:
        if name == "after_intent" and not stopping.beside:
            thread = threading.Thread(target=stopping._in_thread, args=["keyword"])
            stopping.beside.append(thread)
            thread.start()
            thread.join(A_MOMENT)
            others_turn()

    real, dispatch.failpoint = dispatch.failpoint, elsewhere
    try:
        run_next_batch(REMINDER)
    finally:
        dispatch.failpoint = real
        stopping.beside[0].join(20)
    assert went == [True]
    assert other.number in other.twilio.created
    assert stopping.acts[0].done is not None
    assert stopping.acts[0].done - began < revocation_lock.PATIENCE_SECONDS, "it waits no longer than the call takes"
