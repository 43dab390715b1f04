"""What goes wrong around the call to the provider: no answer is lost, nothing is given up early, nothing goes twice."""

import asyncio
import json
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg2
import pytest
from aiohttp import web
from cryptography.fernet import Fernet
from django.db import DatabaseError, connection
from django.utils import timezone

from common.lanes import CONVERSATION, MARKETING
from consent.services import is_suppressed
from messaging.models import Attempt, Batch, Message, Sender
from messaging.pipeline import attempts, dispatch, handover, sweeps
from messaging.pipeline.claim import LEASE, claim
from messaging.pipeline.dispatch import run_next_batch
from messaging.pipeline.enqueue import Cause
from messaging.pipeline.handover import hand_over
from messaging.pipeline.receipt import apply_pending, store
from messaging.pipeline.results import backoff, record
from messaging.pipeline.transitions import lock_batches
from messaging.providers.base import Outcome, SendResult, StatusUpdate
from messaging.reasons import reason_of
from messaging.services.sending import cancel_batches, hold_batches
from tenants.scope import all_tenants, tenant_scope
from tests.cast import Cast, Company
from tests.messaging.test_dispatch import MARKET, number, queue, statuses
from tests.network import answering

pytestmark = pytest.mark.django_db(transaction=True)

Answer = Callable[[str], Awaitable[web.StreamResponse]]
"""What the provider answers for a number."""


@pytest.fixture
def clinic(committed_cast: Cast) -> Company:
    return committed_cast.clinic


@contextmanager
def provider(settings: Any, answer: Answer) -> Iterator[list[str]]:
    """A network that answers as told; yields the numbers it was asked to text."""
    asked: list[str] = []

    async def handle(request: web.Request) -> web.StreamResponse:
        asked.append(json.loads(await request.read())["to"])
        return await answer(asked[-1])

    with answering(handle) as address:
        settings.SIMULATOR_URL = address
        handover._lines.clear()
        yield asked
        handover._lines.clear()


async def taken(to: str) -> web.StreamResponse:
    return web.json_response({"id": f"SIM{to}"}, status=201)


async def busy(to: str) -> web.StreamResponse:
    return web.json_response({"error_code": "20429"}, status=429)


def due_now(company: Company) -> None:
    with tenant_scope(company.tenant.id):
        Batch.objects.filter(state="queued").update(not_before=timezone.now())


def first_offered(company: Company, ago: timedelta) -> None:
    with tenant_scope(company.tenant.id):
        Attempt.objects.update(created_at=timezone.now() - ago)


# --- Answers are written down -------------------------------------------------------------------------------------


@pytest.mark.fault("F08")
@pytest.mark.counterproof("F08")
@pytest.mark.parametrize("insisting", [True, False])
def test_the_answers_survive_a_lost_connection(
    clinic: Company, settings: Any, monkeypatch: pytest.MonkeyPatch, insisting: bool
) -> None:
    """The database drops the worker's connection while the provider is being called. Whoever does not insist on
    writing the answers down (counter-proof) has taken texts that are in doubt here."""
    where = connection.get_connection_params()

    async def answer(to: str) -> web.StreamResponse:
        if to == number(1):
            with psycopg2.connect(
                **{k: where[k] for k in ("dbname", "user", "password", "host", "port") if k in where}
            ) as other:
                other.cursor().execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
        if to == number(2):
            return web.json_response({"error_code": "21610"}, status=400)
        return await taken(to)

    queue(clinic, [number(1), number(2), number(3)])
    if not insisting:
        monkeypatch.setattr(dispatch, "RECORD_SECONDS", 0.0)
    with provider(settings, answer) as asked, nullcontext() if insisting else pytest.raises(DatabaseError):
        run_next_batch(MARKETING)
    assert sorted(asked) == [number(1), number(2), number(3)]
    if not insisting:
        connection.close()
        assert set(statuses(clinic).values()) == {"submitting"}
        return
    assert statuses(clinic) == {number(1): "accepted", number(2): "failed", number(3): "accepted"}
    with tenant_scope(clinic.tenant.id):
        assert is_suppressed(number=number(2))


@pytest.mark.fault("F25")
@pytest.mark.parametrize("odd", ["[]", '"x"', "null", '{"id": null}', "{", ""])
def test_one_odd_answer_takes_no_other_with_it(clinic: Company, settings: Any, odd: str) -> None:
    async def answer(to: str) -> web.StreamResponse:
        return (
            web.Response(text=odd, status=201, content_type="application/json") if to == number(2) else await taken(to)
        )

    queue(clinic, [number(1), number(2), number(3)])
    with provider(settings, answer):
        run_next_batch(MARKETING)
    assert statuses(clinic) == {number(1): "accepted", number(2): "unknown", number(3): "accepted"}


@pytest.mark.fault("F25")
def test_what_fails_for_everybody_ends_nobody(clinic: Company, settings: Any) -> None:
    """It is no text's fault: all wait, in smaller batches by then, and go when it is mended."""

    def fail(*_: object) -> None:
        raise ValueError("ours")

    people = [number(n) for n in (1, 2, 3)]
    queue(clinic, people)
    with provider(settings, taken) as asked:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(dispatch, "requests_of", fail)
            for _ in range(12):
                due_now(clinic)
                run_next_batch(MARKETING)
        assert statuses(clinic) == dict.fromkeys(people, "queued")
        assert asked == []
        due_now(clinic)
        while run_next_batch(MARKETING):
            pass
    assert sorted(asked) == people
    with tenant_scope(clinic.tenant.id):
        batches = list(Batch.objects.values_list("state", "tally", "part_count"))
    assert len(batches) > 1
    assert all(state == "done" and tally == {"accepted": parts} for state, tally, parts in batches)
    assert sum(parts for *_, parts in batches) == len(people)


@pytest.mark.fault("F07")
@pytest.mark.counterproof("F07")
@pytest.mark.parametrize("limit", [0.4, 3600.0])
def test_an_answer_that_drips_does_not_hold_the_worker(
    clinic: Company, settings: Any, monkeypatch: pytest.MonkeyPatch, limit: float
) -> None:
    """Unless a call has no limit of its own: the adapter's is for each read, and the worker is held (counter-proof)."""
    monkeypatch.setattr(handover, "CALL_SECONDS", limit)
    released, patience = threading.Event(), 3.0

    async def answer(to: str) -> web.StreamResponse:
        while not released.is_set():
            await asyncio.sleep(0.02)
        return await taken(to)

    queue(clinic, [number(1)])
    with provider(settings, answer):
        worker = threading.Thread(target=lambda: (run_next_batch(MARKETING), connection.close()))
        worker.start()
        worker.join(patience)
        held = worker.is_alive()
        released.set()
        worker.join(10)
    assert held is (limit > patience)
    assert statuses(clinic) == {number(1): "accepted" if held else "unknown"}


def test_unreadable_credentials_are_found_before_anything_is_written(clinic: Company, settings: Any) -> None:
    queue(clinic, [number(1)])
    keys = settings.FIELD_ENCRYPTION_KEYS
    with provider(settings, taken) as asked:
        settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
        assert run_next_batch(MARKETING)
        assert not run_next_batch(MARKETING), "looked at again later"
        assert statuses(clinic) == {number(1): "queued"}
        with tenant_scope(clinic.tenant.id):
            assert not Attempt.objects.exists()
        settings.FIELD_ENCRYPTION_KEYS = keys
        due_now(clinic)
        run_next_batch(MARKETING)
        assert asked == [number(1)]
    assert statuses(clinic) == {number(1): "accepted"}


# --- Nothing is given up early ------------------------------------------------------------------------------------


@pytest.mark.fault("F05")
def test_what_was_not_taken_is_offered_again_until_its_time_runs_out(clinic: Company, settings: Any) -> None:
    queue(clinic, [number(1)])
    with provider(settings, busy) as asked:
        for _ in range(12):
            due_now(clinic)
            run_next_batch(MARKETING)
            assert statuses(clinic) == {number(1): "queued"}
        first_offered(clinic, attempts.GOOD_FOR[MARKETING])
        due_now(clinic)
        run_next_batch(MARKETING)
        assert len(asked) == 13
    assert statuses(clinic) == {number(1): "expired"}


@pytest.mark.fault("F06")
def test_an_unreachable_provider_ends_nothing_early(clinic: Company, settings: Any) -> None:
    settings.SIMULATOR_URL = "http://127.0.0.1:1"
    handover._lines.clear()
    queue(clinic, [number(1)])
    for _ in range(8):
        due_now(clinic)
        assert run_next_batch(MARKETING)
    handover._lines.clear()
    assert statuses(clinic) == {number(1): "queued"}


def test_a_provider_that_takes_some_is_asked_again_soon(clinic: Company, settings: Any) -> None:
    async def answer(to: str) -> web.StreamResponse:
        return await (taken(to) if to == number(1) else busy(to))

    queue(clinic, [number(1), number(2)])
    with tenant_scope(clinic.tenant.id):
        for message in Message.objects.all():
            for n in range(1, 9):
                Attempt.objects.create(
                    message=message, n=n, state="rejected", provider_account=clinic.account, deadline=timezone.now()
                )
    with provider(settings, answer):
        run_next_batch(MARKETING)
    with tenant_scope(clinic.tenant.id):
        assert Batch.objects.get().not_before < timezone.now() + timedelta(seconds=5)


def test_waiting_grows_to_a_limit() -> None:
    longest = timedelta(minutes=5)
    waits = [backoff(tries, 1.0, longest=longest).total_seconds() for tries in range(1, 40)]
    assert waits[0] < 2
    assert 200 < waits[-1] < 400
    assert backoff(1, 60.0, longest=longest).total_seconds() > 40


@pytest.mark.parametrize("paused", [Sender, "account"], ids=["sender", "account"])
def test_a_paused_sender_makes_a_campaign_wait(clinic: Company, settings: Any, paused: Any) -> None:
    queue(clinic, [number(1)])
    what = Sender.objects if paused is Sender else type(clinic.account).objects
    with provider(settings, taken) as asked:
        with tenant_scope(clinic.tenant.id):
            what.update(status="paused")
        run_next_batch(MARKETING)
        assert statuses(clinic) == {number(1): "queued"}
        assert asked == []
        with tenant_scope(clinic.tenant.id):
            what.update(status="active")
        due_now(clinic)
        run_next_batch(MARKETING)
    assert statuses(clinic) == {number(1): "accepted"}


def test_what_is_only_good_for_a_time_does_not_wait_for_ever(clinic: Company) -> None:
    queue(clinic, [number(1)], Cause(kind="reply", lane=CONVERSATION, purpose="marketing"))
    with tenant_scope(clinic.tenant.id):
        Sender.objects.update(status="paused")
        Batch.objects.update(created_at=timezone.now() - attempts.GOOD_FOR[CONVERSATION])
    run_next_batch(CONVERSATION)
    assert statuses(clinic) == {number(1): "expired"}
    with tenant_scope(clinic.tenant.id):
        assert Batch.objects.get().state == "done"


def test_an_account_that_cannot_be_used_is_named_as_the_reason(clinic: Company, settings: Any) -> None:
    queue(clinic, [number(1)], Cause(kind="reply", lane=CONVERSATION, purpose="marketing"))
    settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    handover._lines.clear()
    with tenant_scope(clinic.tenant.id):
        Batch.objects.update(created_at=timezone.now() - attempts.GOOD_FOR[CONVERSATION])
    run_next_batch(CONVERSATION)
    with tenant_scope(clinic.tenant.id):
        assert reason_of(Message.objects.get()) == "The provider account could not be used until it was too late"


# --- The fence, and workers that come back ------------------------------------------------------------------------


def test_the_fence_counts_from_the_last_look_at_opt_outs(clinic: Company, settings: Any) -> None:
    """A process that was stopped between its commit and the call does not call: an opt-out may have come meanwhile."""
    batch_id, lease = prepared(clinic)
    with provider(settings, taken) as asked, tenant_scope(clinic.tenant.id):
        before = time.monotonic()
        intents = dispatch._prepare(batch_id, lease)
        assert intents is not None
        assert before <= intents.intended_at <= time.monotonic()
    with provider(settings, taken) as asked:
        stopped_for = handover.FENCE_SECONDS + 1
        results = hand_over(intents.account, intents.requests, intended_at=intents.intended_at - stopped_for)
        assert [result.error_code for result in results] == ["fenced"]
        assert asked == []


@pytest.mark.parametrize("stop", ["cancel", "hold"])
def test_a_worker_that_comes_back_late_does_not_revive_what_was_stopped(
    clinic: Company, settings: Any, stop: str
) -> None:
    """Its lease ran out, so its batch counted as done when the campaign was stopped; then the provider says "busy"."""
    cause_id = UUID(int=7)
    batch_id, lease = prepared(clinic, Cause(kind="campaign", lane=MARKETING, purpose="marketing", id=cause_id))
    with tenant_scope(clinic.tenant.id, durable=True):
        intents = dispatch._prepare(batch_id, lease)
    assert intents is not None
    with all_tenants("test"):
        Batch.objects.filter(state="leased").update(leased_until=timezone.now() - LEASE)
    sweeps.release_expired_leases()
    with tenant_scope(clinic.tenant.id, durable=True):
        assert Batch.objects.get().state == "done"
        if stop == "cancel":
            cancel_batches(cause_id=cause_id)
        else:
            hold_batches(cause_id=cause_id, held=True)
    with tenant_scope(clinic.tenant.id, durable=True):
        busy_answer = SendResult(Outcome.TRY_AGAIN, error_code="20429", retry_after=0.0)
        record(batch_id, lease, intents.handed, [busy_answer], good_for=intents.good_for)
    due_now(clinic)
    with provider(settings, taken) as asked:
        assert not run_next_batch(MARKETING)
        assert asked == []
    assert statuses(clinic) == {number(1): "cancelled" if stop == "cancel" else "queued"}


def test_writing_the_answers_twice_changes_nothing(clinic: Company) -> None:
    batch_id, lease = prepared(clinic)
    with tenant_scope(clinic.tenant.id, durable=True):
        intents = dispatch._prepare(batch_id, lease)
    assert intents is not None
    accepted = SendResult(Outcome.ACCEPTED, provider_message_id="SIM1")
    for _ in range(2):
        with tenant_scope(clinic.tenant.id, durable=True):
            record(batch_id, lease, intents.handed, [accepted], good_for=intents.good_for)
    with tenant_scope(clinic.tenant.id):
        batch = Batch.objects.get()
        assert (batch.state, batch.tally) == ("done", {"accepted": 1})
        assert Attempt.objects.get().state == "accepted"


# --- Writers meet -------------------------------------------------------------------------------------------------


@pytest.mark.fault("F12")
@pytest.mark.parametrize("writer", ["answers", "receipts", "sweep"])
def test_everybody_waits_for_the_batch_before_touching_its_attempts(clinic: Company, writer: str) -> None:
    """One order for all, so that two of them never wait for each other."""
    batch_id, lease = prepared(clinic)
    with tenant_scope(clinic.tenant.id, durable=True):
        intents = dispatch._prepare(batch_id, lease)
        assert intents is not None
        attempt = Attempt.objects.get()
        store(clinic.account, attempt.id, StatusUpdate("SIM1", "sent", "sent"))
    with all_tenants("test"):
        Attempt.objects.update(deadline=timezone.now() - timedelta(minutes=1))

    def write_answers() -> None:
        with tenant_scope(clinic.tenant.id, durable=True):
            record(batch_id, lease, intents.handed, [SendResult(Outcome.ACCEPTED, "SIM1")], good_for=intents.good_for)

    work = {"answers": write_answers, "receipts": apply_pending, "sweep": sweeps.mark_unknown}[writer]
    thread = threading.Thread(target=lambda: (work(), connection.close()))
    with tenant_scope(clinic.tenant.id, durable=True):
        lock_batches([batch_id])
        thread.start()
        _until_somebody_waits()
        assert list(Attempt.objects.select_for_update(nowait=True).values_list("id", flat=True)) == [attempt.id]
    thread.join(10)
    assert not thread.is_alive()


def prepared(company: Company, cause: Cause = MARKET) -> tuple[UUID, UUID]:
    """A claimed batch of one message: (batch, lease)."""
    batch_id, lease = queue(company, [number(1)], cause), UUID(int=1)
    assert claim(cause.lane, lease) is not None
    return batch_id, lease


def _until_somebody_waits() -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0]:
                return
    raise AssertionError("nobody waited for the batch")
