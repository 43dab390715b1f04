"""The network between the product and its provider, its database and its broker fails in every way."""

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from django.conf import settings as django_settings
from django.db import OperationalError, connection
from django.utils import timezone

from campaigns import services as campaigns
from campaigns.models import Campaign
from common.lanes import CONVERSATION, MARKETING, TRANSACTIONAL
from contacts.models import ContactImport
from contacts.services import start_import, upload_import
from messaging.models import Message
from messaging.pipeline import handover
from messaging.pipeline.enqueue import Cause, Draft, enqueue
from tenants.scope import tenant_scope
from tests.campaigns.conftest import make_draft, make_list
from tests.cast import Cast
from tests.faults.children import Setup, child, free_port, serve, until, work
from tests.faults.proxy import FaultProxy, fault_proxy
from tests.faults.world import World, numbers, tick
from tests.messaging.test_dispatch import queue, statuses
from tests.network import running_network

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.faults]

PEOPLE = numbers(6)
ACCEPTED = ("accepted", "")


@pytest.fixture
def line(clinic: World, settings: Any) -> Iterator[FaultProxy]:
    """The way to the clinic's provider."""
    where = urlsplit(settings.TWILIO_API_BASE_URL)
    with fault_proxy((str(where.hostname), int(where.port or 0))) as proxy:
        settings.TWILIO_API_BASE_URL = f"http://127.0.0.1:{proxy.port}"
        yield proxy
    handover._lines.clear()


@contextmanager
def shop_with_another_provider(cast: Cast, settings: Any) -> Iterator[None]:
    with running_network() as address:
        settings.SIMULATOR_URL = address
        yield


@pytest.mark.fault("F06")
def test_a_provider_that_is_down_for_half_an_hour(
    clinic: World, committed_cast: Cast, line: FaultProxy, settings: Any
) -> None:
    """Nothing ends, others are not touched, and afterwards everything goes out once."""
    line.refuse()
    clinic.queue(PEOPLE)
    with shop_with_another_provider(committed_cast, settings), child(work, Setup()):
        for minute in range(0, 30, 5):
            if minute == 15:
                queue(committed_cast.shop, PEOPLE)
            tries = clinic.tries()
            until(lambda tries=tries: clinic.tries() > tries and clinic.waiting(), meanwhile=clinic.hint)
            assert clinic.outcomes() == {("queued", "not_connected"): len(PEOPLE)}
            clinic.time_passes(timedelta(minutes=5))
        until(lambda: set(statuses(committed_cast.shop).values()) == {"accepted"}, meanwhile=tick)
        assert not clinic.taken()
        line.listen()
        clinic.time_passes(timedelta(minutes=1))
        clinic.let_run(lambda: clinic.settled([ACCEPTED]))
    assert clinic.taken() == dict.fromkeys(PEOPLE, 1)


@pytest.mark.fault("F07")
@pytest.mark.parametrize(("mode", "ends"), [("blackhole", ("failed", "never_arrived")), ("slow", ACCEPTED)])
def test_a_provider_that_answers_nothing_or_a_byte_a_second_frees_the_worker(
    clinic: World, committed_cast: Cast, line: FaultProxy, settings: Any, mode: str, ends: tuple[str, str]
) -> None:
    line.mode = mode
    clinic.queue(PEOPLE)
    hasty = Setup(constants={"messaging.pipeline.handover.CALL_SECONDS": 0.5}, threads=1)
    with shop_with_another_provider(committed_cast, settings), child(work, hasty):
        until(lambda: set(clinic.outcomes()) == {("unknown", "no_answer")}, meanwhile=clinic.hint, seconds=10)
        queue(committed_cast.shop, PEOPLE)
        until(lambda: set(statuses(committed_cast.shop).values()) == {"accepted"}, meanwhile=tick, seconds=10)
        line.mode = "pass"
        clinic.time_passes()
        clinic.let_run(lambda: clinic.settled([ends]))
    assert clinic.taken() == (dict.fromkeys(PEOPLE, 1) if ends == ACCEPTED else {})


# --- The way to the database --------------------------------------------------------------------------------------


@pytest.fixture
def database() -> Iterator[FaultProxy]:
    """Another way to the test's database."""
    host = connection.get_connection_params()["host"]
    with fault_proxy(f"{host}/.s.PGSQL.5432") as proxy:
        yield proxy


def through(proxy: FaultProxy) -> dict[str, Any]:
    options = {name: value for name, value in connection.settings_dict["OPTIONS"].items() if name != "host"}
    return {"HOST": "127.0.0.1", "PORT": proxy.port, "OPTIONS": {**options, "sslmode": "disable"}}


def test_a_database_that_vanished_without_a_word_is_noticed_in_seconds(database: FaultProxy) -> None:
    """The kernel gives up a connection without acknowledgement; its usual patience is hours."""
    other = connection.copy()
    other.settings_dict = {**connection.settings_dict, **through(database)}
    try:
        with other.cursor() as cursor:
            wire = socket.socket(fileno=os.dup(cursor.connection.fileno()))
        with wire:
            unacknowledged_ms = wire.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
            silent = wire.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE)
    finally:
        other.close()
    assert 0 < unacknowledged_ms <= 30_000
    assert 0 < silent <= 30


INTENT, RESULT = b'INSERT INTO "messaging_attempt"', b"UPDATE messaging_attempt a"


@pytest.mark.fault("F09")
@pytest.mark.parametrize(
    ("step", "when", "lane", "ends"),
    [
        (INTENT, "before", MARKETING, ACCEPTED),
        (INTENT, "after", MARKETING, ("failed", "never_arrived")),
        (INTENT, "after", TRANSACTIONAL, ACCEPTED),
        (RESULT, "before", MARKETING, ACCEPTED),
        (RESULT, "after", MARKETING, ACCEPTED),
    ],
    ids=["intent-undone", "intent-committed", "intent-committed-and-awaited", "result-undone", "result-committed"],
)
def test_a_connection_is_lost_during_a_commit(
    clinic: World, database: FaultProxy, step: bytes, when: str, lane: str, ends: tuple[str, str]
) -> None:
    """Of an intent whose commit is in doubt nothing is called; an answer is written down until that is certain."""
    database.cut(when, after=step)
    clinic.queue(PEOPLE, lane=lane)
    with child(work, Setup(database=through(database))):
        until(lambda: database.resets == 1, meanwhile=lambda: clinic.hint(lane))
        if step == INTENT:
            assert not clinic.provider.created
            clinic.time_passes()
        clinic.let_run(lambda: clinic.settled([ends]))
    assert clinic.taken() == (dict.fromkeys(PEOPLE, 1) if ends == ACCEPTED else {})
    assert all(count == 1 for count in clinic.live_attempts().values())


@pytest.mark.fault("F09")
@pytest.mark.counterproof("F09")
@pytest.mark.parametrize(("when", "named"), [("before", True), ("after", True), ("after", False)])
def test_a_text_whose_commit_was_lost_is_written_again_under_its_id(
    clinic: World, database: FaultProxy, when: str, named: bool
) -> None:
    """Without an id of its own (counter-proof) nobody can tell that it is there, and it is written twice."""
    usual, own_id = dict(connection.settings_dict), uuid4() if named else None

    def write() -> None:
        with tenant_scope(clinic.company.tenant.id, durable=True):
            if not Message.objects.filter(id=own_id).exists():
                enqueue([Draft(PEOPLE[0], "Hello", id=own_id or uuid4())], Cause("reply", CONVERSATION, "support"))

    connection.close()
    connection.settings_dict.update(through(database))
    try:
        database.cut(when, after=b'INSERT INTO "messaging_message"')
        with pytest.raises(OperationalError):
            write()
        connection.close()
        write()
    finally:
        connection.close()
        connection.settings_dict.update(usual)
    with tenant_scope(clinic.company.tenant.id):
        assert Message.objects.count() == (1 if named else 2)


# --- The way to the broker ----------------------------------------------------------------------------------------


@pytest.fixture
def broker() -> Iterator[tuple[FaultProxy, str]]:
    """Another way to Valkey, and its address."""
    url = urlsplit(django_settings.REDIS_URL)
    with fault_proxy((str(url.hostname), int(url.port or 0))) as proxy:
        where = url._replace(netloc=f":{url.password}@127.0.0.1:{proxy.port}")
        yield proxy, where.geturl()


@pytest.mark.fault("F14")
@pytest.mark.parametrize("mode", ["blackhole", "reset"])
def test_without_the_broker_work_is_found_in_the_database(
    clinic: World, broker: tuple[FaultProxy, str], mode: str
) -> None:
    proxy, url = broker
    with child(work, Setup(settings={"REDIS_URL": url}, constants={"messaging.polling.LOOK_SECONDS": 0.2})):
        clinic.queue(PEOPLE[:1])
        clinic.let_run(lambda: clinic.settled([ACCEPTED]))
        proxy.mode = mode
        clinic.queue(PEOPLE[1:], hint=False)
        until(lambda: clinic.settled([ACCEPTED]))
    assert clinic.taken() == dict.fromkeys(PEOPLE, 1)


@pytest.mark.fault("F14")
def test_a_worker_that_starts_without_the_broker_plans_sends_and_imports(
    clinic: World, broker: tuple[FaultProxy, str]
) -> None:
    proxy, url = broker
    proxy.mode = "hang_up"
    draft = make_draft(clinic.company, make_list(clinic.company, PEOPLE), sender=clinic.sender)
    with tenant_scope(clinic.company.tenant.id):
        campaigns.schedule(campaign=draft, at=timezone.now() + timedelta(minutes=1))
        Campaign.objects.update(scheduled_at=timezone.now() - timedelta(minutes=1))
        job = upload_import(
            tenant=clinic.company.tenant, file_name="people.csv", content=b"phone\n+12025559999", user_id=None
        )
        start_import(job=job, columns=job.columns, basis="web_form", purposes=["marketing"])

    def imported() -> bool:
        with tenant_scope(clinic.company.tenant.id):
            return ContactImport.objects.filter(status="done").exists()

    with child(work, Setup(settings={"REDIS_URL": url}, constants={"messaging.polling.LOOK_SECONDS": 0.2})):
        until(lambda: clinic.outcomes() == {ACCEPTED: len(PEOPLE)} and imported())
    assert clinic.taken() == dict.fromkeys(PEOPLE, 1)


@pytest.mark.fault("F14")
@pytest.mark.counterproof("F14")
def test_without_polling_nothing_would_move(clinic: World, broker: tuple[FaultProxy, str]) -> None:
    """The counter-proof."""
    proxy, url = broker
    with child(work, Setup(settings={"REDIS_URL": url}, constants={"messaging.polling.LOOK_SECONDS": 3600.0})):
        clinic.queue(PEOPLE[:1])
        clinic.let_run(lambda: clinic.settled([ACCEPTED]))
        proxy.mode = "reset"
        clinic.queue(PEOPLE[1:], hint=False)
        deadline = time.monotonic() + 3
        until(lambda: time.monotonic() > deadline)
    assert clinic.taken() == dict.fromkeys(PEOPLE[:1], 1)


@pytest.mark.fault("F14")
@pytest.mark.parametrize("mode", ["blackhole", "hang_up"])
def test_pages_are_answered_without_the_broker(
    clinic: World, broker: tuple[FaultProxy, str], settings: Any, mode: str
) -> None:
    proxy, url = broker
    proxy.mode = mode
    port = free_port()
    with child(serve, Setup(settings={"REDIS_URL": url}, port=port)):

        def asked(path: str) -> int | None:
            try:
                http = HTTPConnection("127.0.0.1", port, timeout=20)
                http.request("GET", path)
                return http.getresponse().status
            except ConnectionRefusedError:
                return None

        assert until(lambda: asked("/livez")) == 200
        assert asked("/readyz") == 503
        assert asked("/accounts/login/") == 200
