"""Processes are stopped, doubled, asked to end; hints are lost and doubled; clocks jump."""

import os
import signal
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import redis
from aiohttp import web
from celery import current_app
from django.conf import settings as django_settings
from django.utils import timezone

from campaigns import services as campaigns
from campaigns.models import Campaign
from common.lanes import MARKETING, REMINDER, TRANSACTIONAL
from consent.services import is_suppressed
from messaging.models import Attempt, Batch, Message, ProviderAccount
from messaging.pipeline import reconcile, sweeps
from messaging.pipeline.receipt import apply_pending
from tenants.scope import tenant_scope
from tests.campaigns.conftest import make_draft, make_list
from tests.cast import Cast
from tests.faults.carrier import post_inbound
from tests.faults.children import Setup, beat, child, free_port, serve, until, work
from tests.faults.world import TICKS, World, numbers, tick
from tests.twilio_server import TwilioServer, _taken

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.faults]

PEOPLE = numbers(8)
ACCEPTED = ("accepted", "")


def one_at_a_time(world: World) -> None:
    """The account takes one text after the other."""
    with tenant_scope(world.company.tenant.id):
        ProviderAccount.objects.filter(id=world.sender.provider_account_id).update(max_in_flight=1)


def at_the_first_text(world: World, do: Callable[[], object]) -> list[str]:
    """Something happens while the provider takes the first text; the list says that it did."""
    done: list[str] = []

    def deed(server: TwilioServer, form: dict[str, str], request: web.Request) -> web.StreamResponse:
        if not done:
            done.append(form["To"])
            do()
        return _taken(server, form, request)

    world.provider.deeds = dict.fromkeys(PEOPLE, deed)
    return done


def all_once(world: World) -> None:
    assert world.taken() == dict.fromkeys(PEOPLE, 1)
    assert world.outcomes() == {ACCEPTED: len(PEOPLE)}


# --- Stopped and woken --------------------------------------------------------------------------------------------


def stopped_for_long(world: World, constants: dict[str, Any]) -> None:
    """A worker is stopped in the middle of a batch, for longer than everybody waits for it; then it goes on."""
    one_at_a_time(world)
    with child(work, Setup(constants=constants)) as sleeper:
        assert sleeper.pid is not None
        pid = sleeper.pid
        done = at_the_first_text(world, lambda: os.kill(pid, signal.SIGSTOP))
        world.queue(PEOPLE, lane=TRANSACTIONAL)
        until(lambda: done)
        world.time_passes()
        sweeps.release_expired_leases()
        sweeps.mark_unknown()
        reconcile.resolve_in_doubt()
        apply_pending()
        with child(work, Setup()):
            world.let_run(lambda: set(world.taken()) == set(PEOPLE))
            until(lambda: world.outcomes() == {ACCEPTED: len(PEOPLE)}, meanwhile=tick)
        asked = len(world.provider.created)
        os.kill(pid, signal.SIGCONT)
        # Whatever it still does is done when it takes the next hint.
        world.queue([numbers(9)[-1]], lane=TRANSACTIONAL)
        until(
            lambda: len(world.provider.created) > asked and world.settled(), meanwhile=lambda: world.hint(TRANSACTIONAL)
        )
        sleeper.terminate()
        sleeper.join(30)


@pytest.mark.fault("F18")
def test_a_worker_that_was_stopped_for_long_sends_nothing_when_it_wakes(clinic: World) -> None:
    stopped_for_long(clinic, {"messaging.pipeline.handover.FENCE_SECONDS": 0.5})
    assert set(clinic.taken().values()) == {1}


@pytest.mark.fault("F18")
@pytest.mark.counterproof("F18")
def test_without_the_fence_it_would_send_a_second_time(clinic: World) -> None:
    """The counter-proof."""
    stopped_for_long(clinic, {"messaging.pipeline.handover.FENCE_SECONDS": 3600.0})
    assert max(clinic.taken().values()) == 2


# --- Asked to end -------------------------------------------------------------------------------------------------


@pytest.mark.fault("F28")
@pytest.mark.counterproof("F28")
@pytest.mark.parametrize("asked", [signal.SIGTERM, signal.SIGKILL])
def test_a_worker_that_is_asked_to_end_finishes_what_it_began(clinic: World, asked: signal.Signals) -> None:
    """One that is not asked but ended (counter-proof) leaves texts in doubt."""
    one_at_a_time(clinic)
    with child(work, Setup()) as worker:
        done = at_the_first_text(clinic, lambda: os.kill(worker.pid or 0, asked))
        clinic.queue(PEOPLE)
        until(lambda: done)
        worker.join(30)
        assert worker.exitcode == (0 if asked == signal.SIGTERM else -signal.SIGKILL)
    with tenant_scope(clinic.company.tenant.id):
        assert Attempt.objects.filter(state="submitting").exists() is (asked == signal.SIGKILL)
    if asked == signal.SIGKILL:
        return
    clinic.time_passes(timedelta(minutes=1))
    with child(work, Setup()):
        clinic.let_run(lambda: clinic.settled([ACCEPTED]))
    all_once(clinic)


# --- Hints and ticks ----------------------------------------------------------------------------------------------


@pytest.mark.fault("F13")
def test_a_broker_that_forgets_everything(clinic: World) -> None:
    client = redis.Redis.from_url(django_settings.REDIS_URL)
    with child(work, Setup()):
        for n, number in enumerate(PEOPLE):
            clinic.queue([number], hint=n % 2 == 0)
            client.flushdb()
        clinic.let_run(lambda: clinic.settled([ACCEPTED]))
    all_once(clinic)


@pytest.mark.fault("F15")
def test_hints_that_are_delivered_again_and_again(clinic: World) -> None:
    with child(work, Setup(threads=4)), child(work, Setup(threads=4)):
        clinic.queue(PEOPLE)
        for _ in range(20):
            clinic.hint()
        clinic.let_run(lambda: clinic.settled([ACCEPTED]))
    all_once(clinic)


@pytest.mark.fault("F16")
def test_two_tickers_and_then_none_for_an_hour(clinic: World) -> None:
    """A scheduled campaign starts once, late if nobody ticked, whoever ticks how often."""
    draft = make_draft(clinic.company, make_list(clinic.company, PEOPLE), sender=clinic.sender)
    with tenant_scope(clinic.company.tenant.id):
        campaigns.schedule(campaign=draft, at=timezone.now() + timedelta(minutes=1))
        Campaign.objects.update(scheduled_at=timezone.now() - timedelta(hours=1))
    with child(work, Setup(threads=4)), child(work, Setup(threads=4)):
        for _ in range(10):
            tick(*TICKS)
            tick(*TICKS)
        clinic.let_run(lambda: clinic.outcomes() == {ACCEPTED: len(PEOPLE)})
    all_once(clinic)


# --- Clocks -------------------------------------------------------------------------------------------------------


@pytest.mark.fault("F17")
@pytest.mark.parametrize(("lane", "hours"), [(MARKETING, 2), (REMINDER, 2), (TRANSACTIONAL, -1)])
def test_a_worker_whose_clock_is_wrong(clinic: World, lane: str, hours: int) -> None:
    """Leases, deadlines and what is too late go by the database's clock."""
    with child(work, Setup(clock=3600.0 * hours)):
        clinic.provider.deeds = {PEOPLE[0]: _busy_once()}
        clinic.queue(PEOPLE, lane=lane)
        until(lambda: clinic.tries() >= len(PEOPLE), meanwhile=lambda: clinic.hint(lane))
        clinic.time_passes(timedelta(seconds=10))
        with child(work, Setup()):
            clinic.let_run(lambda: clinic.settled([ACCEPTED]))
    all_once(clinic)


@pytest.mark.fault("F17")
def test_a_clock_that_is_ahead_proves_nothing_absent(clinic: World) -> None:
    """The provider's record may lack a text for a while; that while is the database's."""
    clinic.provider.deeds = dict.fromkeys(PEOPLE, _hangs_up)
    with child(work, Setup(clock=7200.0)):
        clinic.queue(PEOPLE, lane=TRANSACTIONAL)
        until(lambda: clinic.outcomes() == {("unknown", "no_answer"): len(PEOPLE)}, meanwhile=clinic.hint)
        clinic.time_passes(timedelta(minutes=1))
        asked = len(clinic.provider.asked)
        tick("messaging.reconcile")
        until(lambda: len(clinic.provider.asked) >= asked + len(PEOPLE))
        until(lambda: _asked_and_left(clinic))
    with tenant_scope(clinic.company.tenant.id):
        assert set(Attempt.objects.values_list("state", flat=True)) == {"unknown"}


@pytest.mark.fault("F17")
@pytest.mark.counterproof("F17")
@pytest.mark.parametrize("shared_clock", [True, False])
def test_a_worker_whose_clock_is_ahead_takes_its_ticks(clinic: World, shared_clock: bool) -> None:
    """They lapse by the broker's clock. By the worker's own, as Celery's ``expires`` does (counter-proof), all would."""
    clinic.queue(PEOPLE, hint=False)

    def ask() -> None:
        if shared_clock:
            tick("messaging.wake_lanes")
        else:
            current_app.send_task("messaging.wake_lanes", queue="background", expires=5)

    with child(work, Setup(clock=7200.0)):
        deadline = time.monotonic() + 5
        until(lambda: clinic.settled([ACCEPTED]) or (not shared_clock and time.monotonic() > deadline), meanwhile=ask)
    assert clinic.taken() == (dict.fromkeys(PEOPLE, 1) if shared_clock else {})


@pytest.mark.fault("F17")
def test_every_process_has_another_clock(clinic: World, settings: Any) -> None:
    """The web server's is two hours ahead, the ticker's one behind, a worker's three ahead: a STOP holds, the rest goes out."""
    settings.PUBLIC_BASE_URL = f"http://127.0.0.1:{(port := free_port())}"
    clinic.queue(PEOPLE, hint=False)
    account, sender = clinic.company.account, clinic.company.sender.value
    with child(serve, Setup(port=port, clock=7200.0)):
        assert until(lambda: post_inbound(account, PEOPLE[0], sender, "STOP")) == 204
    with child(beat, Setup(clock=-3600.0)), child(work, Setup(clock=10_800.0)):
        until(lambda: not _due(clinic))
    assert clinic.taken() == dict.fromkeys(PEOPLE[1:], 1)


@pytest.mark.fault("F17")
@pytest.mark.parametrize("jump", [7200.0, -3600.0])
def test_a_clock_that_jumps_in_the_middle_of_a_batch(clinic: World, jump: float) -> None:
    one_at_a_time(clinic)
    with child(work, Setup(jump=jump)) as worker, child(beat, Setup(jump=jump)) as ticker:
        pids = [worker.pid or 0, ticker.pid or 0]
        done = at_the_first_text(clinic, lambda: [os.kill(pid, signal.SIGUSR2) for pid in pids])
        clinic.queue(PEOPLE, hint=False)
        until(lambda: done)
        clinic.queue(PEOPLE, hint=False)
        until(lambda: clinic.settled([ACCEPTED]))
    assert clinic.taken() == dict.fromkeys(PEOPLE, 2)


def _asked_and_left(world: World) -> bool:
    with tenant_scope(world.company.tenant.id):
        return not Attempt.objects.filter(asked_at=None).exists()


def _busy_once() -> Any:
    asked: list[str] = []

    def deed(server: TwilioServer, form: dict[str, str], request: web.Request) -> web.StreamResponse:
        asked.append(form["To"])
        if len(asked) == 1:
            return web.json_response({"code": 20429, "message": "busy", "status": 429}, status=429)
        return _taken(server, form, request)

    return deed


def _hangs_up(_: TwilioServer, __: dict[str, str], request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


# --- STOP ---------------------------------------------------------------------------------------------------------


@pytest.mark.fault("F22")
def test_a_stop_during_a_campaign(clinic: World, committed_cast: Cast, settings: Any) -> None:
    """Batch after batch of one text each goes to the same people while they text STOP: nothing follows its answer."""
    settings.PUBLIC_BASE_URL = f"http://127.0.0.1:{(port := free_port())}"
    answered: dict[str, Any] = {}
    for _ in range(5):
        for number in PEOPLE:
            clinic.queue([number], hint=False)
    with child(serve, Setup(port=port)), child(work, Setup(threads=4)), child(work, Setup(threads=4)):
        account, sender = clinic.company.account, clinic.company.sender.value
        until(lambda: post_inbound(account, PEOPLE[0], sender, "STOP", name="S0") == 204)
        for n, number in enumerate(PEOPLE):
            clinic.hint()
            assert post_inbound(account, number, sender, "STOP", name=f"S{n}") == 204
            answered[number] = timezone.now()
        clinic.let_run(lambda: not _due(clinic))
    with tenant_scope(clinic.company.tenant.id):
        for number, at in answered.items():
            assert is_suppressed(number=number)
            campaign = Attempt.objects.filter(message__number=number, message__batch__exemption="")
            assert not campaign.filter(created_at__gt=at).exists()
        assert Message.objects.filter(status="blocked").exists()


def _due(world: World) -> bool:
    with tenant_scope(world.company.tenant.id):
        return Batch.objects.filter(state__in=["queued", "leased"], exemption="").exists()


def test_ticks_are_those_of_beat() -> None:
    """The tests tick for beat: what they ask for is what it asks for."""
    from smsplatform.schedule import SCHEDULE

    assert set(TICKS) <= {entry["task"] for entry in SCHEDULE.values()}
    assert set(TICKS) <= set(current_app.tasks)
