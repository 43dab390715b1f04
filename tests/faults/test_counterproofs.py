"""Each guard taken off, one at a time: what it keeps from happening then does happen. With it on, the same story is well.

Stories are told in one process: a worker dies where ``_dies`` says, hints are carried out when they are sent, and hours
pass at once. Guards are taken off here alone, never by a switch in the product. Rows whose counter-proof needs processes,
a wire or a database of its own have it beside their tests.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from threading import Event, Thread
from typing import Any

import pytest
import time_machine
from aiohttp import web
from celery import current_app
from django.conf import settings
from django.db import connection
from django.db.models import Q
from django.utils import timezone

from campaigns import launch as launching
from campaigns import locks
from campaigns import services as campaigns
from campaigns import tasks as campaign_tasks
from campaigns.launch import plan_campaign
from campaigns.models import Campaign
from common.lanes import MARKETING, TRANSACTIONAL
from contacts import tasks as contact_tasks
from contacts.importing import progress
from contacts.models import ContactImport
from contacts.services import start_import, upload_import
from messaging import tasks
from messaging.models import Attempt, Batch, InboundMessage, Message
from messaging.pipeline import absent, dispatch, handover, receipt, reconcile, results, sweeps
from messaging.providers.base import InboundText, Outcome, StatusUpdate
from messaging.reasons import reason_of
from messaging.services import receive
from tenants.scope import tenant_scope
from tests.campaigns.conftest import make_draft, make_list
from tests.faults.database import owner
from tests.faults.world import World, numbers
from tests.twilio_server import TwilioServer, _taken, taken_but_hangs_up

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.faults]

PEOPLE = numbers(6)
TAKEN = {"accepted", "sent", "delivered"}


@dataclass(frozen=True)
class Off:
    """Where a guard is taken off, and what is put back afterwards."""

    patch: pytest.MonkeyPatch
    undo: ExitStack


@dataclass(frozen=True)
class Proof:
    """``story`` returns what went wrong: nothing, and ``violation`` among it when ``take_off`` was called before."""

    fault: str
    guard: str
    violation: str
    story: Callable[[World], set[str]]
    take_off: Callable[[Off], None]


# --- What went wrong ----------------------------------------------------------------------------------------------


def judge(world: World) -> set[str]:
    """What the provider has against what is written down here."""
    taken = world.taken()
    with tenant_scope(world.company.tenant.id):
        rows = list(Message.objects.values_list("number", "status"))
    found = {"doubled" for count in taken.values() if count > 1}
    found |= {"two_live" for count in world.live_attempts().values() if count > 1}
    found |= {"lost" for number in PEOPLE if number not in {to for to, _ in rows}}
    for number, status in rows:
        if number not in taken:
            found.add("lost" if status in ("queued", "submitting", "unknown") else "ended_early")
        elif status not in TAKEN:
            found.add("unrecorded")
    return found


def go_on(world: World, rounds: int = 3) -> None:
    """Hours pass, and everything that ticks has its turn."""
    for _ in range(rounds):
        world.time_passes()
        for tick in (tasks.sweep, tasks.reconcile_attempts, tasks.apply_receipts, tasks.wake_lanes):
            tick()


@contextmanager
def hints_are_lost() -> Iterator[None]:
    """Nobody carries them out."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(current_app.conf, "task_always_eager", False)
        yield


class Died(BaseException):
    """As of ``kill -9``: nobody catches it."""


@contextmanager
def _dies(module: Any, at: str, nth: int = 1) -> Iterator[None]:
    """The worker dies there; what had committed stays."""
    passed: list[str] = []

    def die(name: str) -> None:
        passed.extend([name] if name == at else [])
        if len(passed) >= nth:
            raise Died

    with pytest.MonkeyPatch.context() as patch, suppress(Died):
        patch.setattr(module, "failpoint", die)
        yield
        raise AssertionError("it did not come by")


# --- Stories ------------------------------------------------------------------------------------------------------


def dies(at: str, lane: str = TRANSACTIONAL) -> Callable[[World], set[str]]:
    def story(world: World) -> set[str]:
        world.queue(PEOPLE, lane=lane, hint=False)
        with _dies(dispatch, at):
            dispatch.run_next_batch(lane)
        go_on(world)
        return judge(world)

    return story


def deed(of: Callable[..., web.StreamResponse]) -> Callable[[World], set[str]]:
    """The first answer to each text is that; later ones are good."""

    def story(world: World) -> set[str]:
        met: list[str] = []

        def once(server: TwilioServer, form: dict[str, str], request: web.Request) -> web.StreamResponse:
            first = form["To"] not in met
            met.append(form["To"])
            return (of if first else _taken)(server, form, request)

        world.provider.deeds = dict.fromkeys(PEOPLE, once)
        world.queue(PEOPLE, hint=False)
        go_on(world)
        return judge(world)

    return story


def busy(*_: object) -> web.StreamResponse:
    return web.json_response({"code": 20429, "message": "busy", "status": 429}, status=429)


def unreachable(world: World) -> set[str]:
    address = settings.TWILIO_API_BASE_URL
    world.queue(PEOPLE, hint=False)
    for where in ("http://127.0.0.1:1", address):
        settings.TWILIO_API_BASE_URL = where
        handover._lines.clear()
        go_on(world)
    return judge(world)


def adapter_raises(world: World) -> set[str]:
    """For one text; the others were taken."""
    provider = handover.provider_for(world.sender.provider_account)
    send = provider.send

    async def sometimes(request: Any) -> Any:
        if request.to == PEOPLE[0]:
            raise ValueError("unforeseen")
        return await send(request)

    world.queue(PEOPLE, hint=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(provider, "send", sometimes)
        tasks.wake_lanes()
    return judge(world) - {"lost"}


def poisoned(world: World) -> set[str]:
    """One text of the batch cannot be prepared, whenever it is tried: it ends with a reason, and the others go on."""
    world.queue(PEOPLE, hint=False)
    with owner() as cursor:
        cursor.execute(_POISON, [PEOPLE[2]])
        try:
            go_on(world, rounds=9)
        finally:
            cursor.execute("DROP TRIGGER poison ON messaging_attempt; DROP FUNCTION is_poisoned()")
    with tenant_scope(world.company.tenant.id):
        assert all(
            reason_of(message).startswith("Something about it") for message in Message.objects.filter(status="failed")
        )
        tallies = sum((Counter(batch.tally) for batch in Batch.objects.all()), Counter())
    assert tallies.total() == len(PEOPLE)
    assert PEOPLE[2] not in world.taken()
    return judge(world) - {"ended_early"}


_POISON = """
CREATE FUNCTION is_poisoned() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF EXISTS (SELECT FROM messaging_message WHERE id = NEW.message_id AND number = TG_ARGV[0]) THEN
        RAISE EXCEPTION 'unforeseen';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER poison BEFORE INSERT ON messaging_attempt FOR EACH ROW EXECUTE FUNCTION is_poisoned(%s)
"""


def hint_lost(world: World) -> set[str]:
    world.queue(PEOPLE, hint=False)
    tasks.wake_lanes()
    return judge(world)


def early_receipt(world: World) -> set[str]:
    """The receipt is applied before the answer, which then is lost."""
    world.provider.deeds = dict.fromkeys(PEOPLE, taken_but_hangs_up)
    world.queue(PEOPLE, hint=False)

    def told(name: str) -> None:
        if name != "after_response":
            return
        sids = {one["to"]: one["sid"] for one in world.provider.messages}
        with tenant_scope(world.company.tenant.id):
            for attempt in Attempt.objects.select_related("message"):
                sid = sids[attempt.message.number]
                receipt.store(world.sender.provider_account, attempt.id, StatusUpdate(sid, "sent", "sent"))
        receipt.apply_pending()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dispatch, "failpoint", told)
        dispatch.run_next_batch(MARKETING)
    with tenant_scope(world.company.tenant.id):
        accepted = Attempt.objects.filter(state="accepted").count()
    return judge(world) | ({"unrecorded"} if accepted != len(PEOPLE) else set())


def clock_ahead(world: World) -> set[str]:
    """The provider's record shows the texts late; meanwhile a worker whose clock is two hours ahead asks for them."""
    world.provider.deeds = dict.fromkeys(PEOPLE, taken_but_hangs_up)
    world.queue(PEOPLE, lane=TRANSACTIONAL, hint=False)
    tasks.wake_lanes()
    world.provider.deeds = {}
    late = list(world.provider.messages)
    world.provider.messages.clear()
    world.time_passes(timedelta(minutes=1))
    with time_machine.travel(timezone.now() + timedelta(hours=2), tick=True):
        tasks.reconcile_attempts()
    world.provider.messages.extend(late)
    go_on(world)
    return judge(world)


def _launched(world: World) -> Campaign:
    draft = make_draft(world.company, make_list(world.company, PEOPLE), sender=world.sender)
    with hints_are_lost(), tenant_scope(world.company.tenant.id):
        campaigns.launch(campaign=draft)
    return draft


def planner_dies(world: World) -> set[str]:
    made = _launched(world)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(launching, "MAX_BATCH", 2)
        for _ in range(2):
            with _dies(launching, "between_pages", nth=2):
                plan_campaign(world.company.tenant.id, made.id)
    go_on(world)
    return judge(world)


def two_planners(world: World) -> set[str]:
    """The second one comes while the first one has written a page and not committed it."""
    made = _launched(world)
    link, written, tried = launching._link, Event(), Event()

    def first_waits(*arguments: Any) -> None:
        if not written.is_set():
            written.set()
            assert tried.wait(10)
        link(*arguments)

    def plan() -> None:
        try:
            plan_campaign(world.company.tenant.id, made.id)
        finally:
            connection.close()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(launching, "_link", first_waits)
        first = Thread(target=plan)
        first.start()
        assert written.wait(10)
        plan_campaign(world.company.tenant.id, made.id)
        tried.set()
        first.join(10)
    go_on(world)
    return judge(world)


def planning_fails(world: World) -> set[str]:
    """Once: the disk is full. Then there is room again."""
    made = _launched(world)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(launching, "_plan_page", lambda *_: 1 // 0)
        launching.take_turn(world.company.tenant.id, made.id)
    with tenant_scope(world.company.tenant.id):
        Campaign.objects.update(plan_again_at=None)
    campaign_tasks.run_due()
    go_on(world)
    return judge(world)


def stop_twice(world: World) -> set[str]:
    """The web server died after its commit, so the carrier asks again."""
    text = InboundText("SM1", sender=world.sender.value, number=PEOPLE[0], body="STOP")
    for _ in range(2):
        with tenant_scope(world.company.tenant.id):
            receive(world.sender.provider_account, text)
    with tenant_scope(world.company.tenant.id):
        return {"doubled"} if InboundMessage.objects.count() > 1 else set()


def importer_dies(world: World) -> set[str]:
    content = "\n".join(["phone,first name", *(f"{number},P" for number in PEOPLE)])
    with hints_are_lost(), tenant_scope(world.company.tenant.id):
        job = upload_import(tenant=world.company.tenant, file_name="people.csv", content=content.encode(), user_id=None)
        start_import(job=job, columns=job.columns, basis="web_form", purposes=["marketing"])
    with tenant_scope(world.company.tenant.id):
        progress.claim(job.id)
        ContactImport.objects.update(leased_until=timezone.now() - progress.LEASE)
    contact_tasks.resume_imports()
    with tenant_scope(world.company.tenant.id):
        return set() if ContactImport.objects.get().status == "done" else {"lost"}


# --- Guards -------------------------------------------------------------------------------------------------------


def replaced(module: Any, name: str, value: Any) -> Callable[[Off], None]:
    return lambda off: off.patch.setattr(module, name, value)


def all_of(*steps: Callable[[Off], None]) -> Callable[[Off], None]:
    return lambda off: [step(off) for step in steps] and None


def mapped(table: Any, outcome: Outcome, value: str) -> Callable[[Off], None]:
    return lambda off: off.patch.setitem(table, outcome, value)


def without(index: str, table: str) -> Callable[[Off], None]:
    """The index or constraint is dropped, and made again in an emptied table."""

    def drop(off: Off) -> None:
        with owner() as cursor:
            cursor.execute("SELECT pg_get_indexdef(%s::regclass)", [index])
            (definition,) = cursor.fetchone()
            cursor.execute("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = %s", [index])
            constraint = cursor.fetchone()
            off.undo.callback(
                _execute, f"ALTER TABLE {table} ADD CONSTRAINT {index} {constraint[0]}" if constraint else definition
            )
            off.undo.callback(_execute, f"TRUNCATE {table} CASCADE")
        _execute(f"ALTER TABLE {table} DROP CONSTRAINT {index}" if constraint else f"DROP INDEX {index}")

    return drop


def _execute(statement: str) -> None:
    with owner() as cursor:
        cursor.execute(statement)


def naive_sweep(off: Off) -> None:
    """All that a dead worker held is given back, whatever may have become of it."""
    release = sweeps._release

    def give_all_back(tenant_id: Any, batch_id: Any) -> None:
        with tenant_scope(tenant_id):
            Message.objects.filter(batch_id=batch_id, status__in=["submitting", "unknown"]).update(status="queued")
        release(tenant_id, batch_id)

    off.patch.setattr(sweeps, "_release", give_all_back)


async def send_and_hope(line: Any, request: Any, intended_at: float) -> Any:
    return await line.provider.send(request)


LAST_WINS = results._RESOLVE.replace(
    "CASE WHEN a.state IN ('submitting', 'unknown') THEN r.state ELSE a.state END", "r.state"
)
NOW_HERE = timezone.now
MESSAGE, ATTEMPT = results._MESSAGE_STATUS, results._ATTEMPT_STATE

PROOFS = [
    Proof(fault="F01", guard="sweep of leases", violation="lost", story=dies("after_claim"),
          take_off=replaced(sweeps, "release_expired_leases", lambda: 0)),
    Proof(fault="F02", guard="sweep of attempts", violation="lost", story=dies("after_intent"),
          take_off=replaced(sweeps, "mark_unknown", lambda: 0)),
    Proof(fault="F03", guard="in doubt, never given back", violation="doubled", story=dies("after_response"),
          take_off=all_of(naive_sweep, without("attempt_one_live", "messaging_attempt"))),
    Proof(fault="F04", guard="unknown, never tried again", violation="doubled", story=deed(taken_but_hangs_up),
          take_off=all_of(mapped(MESSAGE, Outcome.UNKNOWN, "queued"), mapped(ATTEMPT, Outcome.UNKNOWN, "rejected"))),
    Proof(fault="F05", guard="offered again", violation="ended_early", story=deed(busy),
          take_off=mapped(MESSAGE, Outcome.TRY_AGAIN, "failed")),
    Proof(fault="F06", guard="so long a text is good", violation="ended_early", story=unreachable,
          take_off=replaced(dispatch, "GOOD_FOR", dict.fromkeys(dispatch.GOOD_FOR, timedelta()))),
    Proof(fault="F10", guard="failed plans are found again", violation="lost", story=planning_fails,
          take_off=replaced(campaign_tasks, "to_plan", list)),
    Proof(fault="F13", guard="ticks find work in PostgreSQL", violation="lost", story=hint_lost,
          take_off=replaced(tasks, "lanes_with_work", lambda **_: {})),
    Proof(fault="F16", guard="one planner at a time", violation="doubled", story=two_planners,
          take_off=all_of(replaced(locks, "become_planner", lambda _: True), replaced(locks, "hold", lambda _: None))),
    Proof(fault="F17", guard="the database's clock", violation="doubled", story=clock_ahead,
          take_off=all_of(replaced(reconcile, "database_now", NOW_HERE), replaced(absent, "database_now", NOW_HERE))),
    Proof(fault="F20", guard="what is proven stands", violation="unrecorded", story=early_receipt,
          take_off=replaced(results, "_RESOLVE", LAST_WINS)),
    Proof(fault="F21", guard="inbound_once", violation="doubled", story=stop_twice,
          take_off=without("inbound_once", "messaging_inboundmessage")),
    Proof(fault="F23", guard="a recipient knows its message", violation="doubled", story=planner_dies,
          take_off=replaced(launching, "_link", lambda *_: None)),
    Proof(fault="F24", guard="imports are found again", violation="lost", story=importer_dies,
          take_off=replaced(contact_tasks, "waiting", lambda: Q(pk=None))),
    Proof(fault="F25", guard="a poisoned text is found by halving", violation="lost", story=poisoned,
          take_off=replaced(dispatch, "set_aside", lambda *_: None)),
    Proof(fault="F25", guard="each call on its own", violation="unrecorded", story=adapter_raises,
          take_off=replaced(handover, "_one", send_and_hope)),
]  # fmt: skip


def _params() -> list[Any]:
    marks = {proof.fault: [pytest.mark.fault(proof.fault), pytest.mark.counterproof(proof.fault)] for proof in PROOFS}
    return [pytest.param(proof, id=f"{proof.fault}-{proof.guard}", marks=marks[proof.fault]) for proof in PROOFS]


@pytest.mark.parametrize("guarded", [True, False], ids=["on", "off"])
@pytest.mark.parametrize("proof", _params())
def test_what_each_guard_is_good_for(
    clinic: World, monkeypatch: pytest.MonkeyPatch, proof: Proof, guarded: bool
) -> None:
    _one_process(monkeypatch)
    with ExitStack() as undo:
        if not guarded:
            proof.take_off(Off(monkeypatch, undo))
        found = proof.story(clinic)
        monkeypatch.undo()
    assert found == set() if guarded else proof.violation in found


def _one_process(patch: pytest.MonkeyPatch) -> None:
    """Hints are carried out when they are sent, and none of them for long."""
    patch.setattr(current_app.conf, "task_always_eager", True)
    patch.setattr(tasks, "WORK_SECONDS", 0.3)


# --- Redelivered hints --------------------------------------------------------------------------------------------


@pytest.mark.fault("F15")
@pytest.mark.counterproof("F15")
@pytest.mark.parametrize("indexed", [True, False])
def test_a_hint_that_begins_its_work_anew_meets_the_index(
    clinic: World, monkeypatch: pytest.MonkeyPatch, indexed: bool
) -> None:
    """As a queue's own redelivery would: what a worker still has in its hands is given to another one."""
    _one_process(monkeypatch)
    with ExitStack() as undo:
        off = Off(monkeypatch, undo)
        naive_sweep(off)
        if not indexed:
            without("attempt_one_live", "messaging_attempt")(off)
        found = dies("after_response", MARKETING)(clinic)
    assert ("doubled" in found) is not indexed
