"""The database refuses, waits, deadlocks, or is changed under the feet of everybody."""

import random
import threading
from collections.abc import Callable
from http.client import HTTPConnection
from typing import Any

import psycopg2
import pytest
from django.db import OperationalError, connection
from django.test import Client

from campaigns import services as campaigns
from campaigns.models import Campaign
from common.retries import insist
from messaging.models import Attempt, Batch, Message
from messaging.pipeline import sweeps
from messaging.pipeline.receipt import apply_pending, store
from messaging.pipeline.transitions import lock_batches, recount
from messaging.providers.base import StatusUpdate
from tenants.scope import tenant_scope
from tests.campaigns.conftest import make_draft, make_list
from tests.cast import Cast
from tests.faults.children import Setup, child, free_port, serve, until, work
from tests.faults.database import owner
from tests.faults.world import World, numbers, tick
from tests.web import sign_in

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.faults]

PEOPLE = numbers(40)
ACCEPTED = ("accepted", "")


def asked(port: int, path: str) -> tuple[int, str] | None:
    try:
        http = HTTPConnection("127.0.0.1", port, timeout=30)
        http.request("GET", path)
        answer = http.getresponse()
        return answer.status, answer.read().decode()
    except ConnectionRefusedError:
        return None


@pytest.mark.fault("F11")
def test_no_connection_is_left(clinic: World) -> None:
    """The health page says why, and everything goes on by itself when there are connections again."""
    port, name = free_port(), connection.settings_dict["NAME"]
    with owner() as cursor, child(serve, Setup(port=port)):
        until(lambda: asked(port, "/livez"))
        cursor.execute(f'ALTER DATABASE "{name}" CONNECTION LIMIT 0')
        try:
            found = asked(port, "/readyz")
            assert found is not None
            assert found[0] == 503
            assert '"database": "unreachable"' in found[1]
        finally:
            cursor.execute(f'ALTER DATABASE "{name}" CONNECTION LIMIT -1')
        until(lambda: '"database": "ok"' in str(asked(port, "/readyz")))


@pytest.mark.fault("F11")
def test_somebody_holds_a_lock_for_long(clinic: World) -> None:
    """Nothing is called while it is held; afterwards everything goes out once."""
    with owner() as cursor, child(work, Setup(threads=4)):
        cursor.execute("BEGIN; LOCK TABLE messaging_attempt IN ACCESS EXCLUSIVE MODE")
        clinic.queue(PEOPLE)
        until(lambda: _waiting() > 0, meanwhile=clinic.hint)
        assert not clinic.provider.created
        cursor.execute("COMMIT")
        clinic.let_run(lambda: clinic.settled([ACCEPTED]))
    assert clinic.taken() == dict.fromkeys(PEOPLE, 1)


def _waiting() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return int(cursor.fetchone()[0])


@pytest.mark.fault("F12")
def test_everybody_changes_the_same_messages_at_once(clinic: World) -> None:
    """Receipts, sweeps and recounts of the same batches, from many sides in any order: no error, and figures are right."""
    with child(work, Setup()):
        for n in range(4):
            clinic.queue(PEOPLE[n * 10 : n * 10 + 10])
        clinic.let_run(lambda: clinic.settled([ACCEPTED]))
    tenant_id, account = clinic.company.tenant.id, clinic.sender.provider_account
    with tenant_scope(tenant_id):
        batches = list(Batch.objects.values_list("id", flat=True))
        attempts = list(Attempt.objects.values_list("id", "provider_message_id"))

    def receipts() -> None:
        for attempt_id, name in random.sample(attempts, 10):
            status = random.choice(["sent", "delivered"])
            with tenant_scope(tenant_id, durable=True):
                store(account, attempt_id, StatusUpdate(name, status, status))
        apply_pending()

    def count() -> None:
        with tenant_scope(tenant_id, durable=True):
            recount(lock_batches(random.sample(batches, 3)))

    errors = _at_once([receipts, count, sweeps.mark_unknown, sweeps.release_expired_leases] * 12)
    assert errors == []
    with tenant_scope(tenant_id):
        for batch in Batch.objects.all():
            found = list(Message.objects.filter(batch=batch).values_list("status", flat=True))
            assert batch.tally == {status: found.count(status) for status in set(found)}


def _at_once(jobs: list[Callable[[], object]]) -> list[Exception]:
    errors: list[Exception] = []

    def run(job: Callable[[], object]) -> None:
        try:
            job()
        except Exception as error:  # noqa: BLE001 - the test says which are right
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return errors


@pytest.mark.fault("F12")
@pytest.mark.counterproof("F12")
@pytest.mark.parametrize("insisting", [True, False])
def test_a_deadlock_is_tried_again(clinic: World, insisting: bool) -> None:
    """Two transactions take the same rows in opposite orders. Without ``insist`` one of them fails (counter-proof)."""
    tenant_id = clinic.company.tenant.id
    for n in range(2):
        clinic.queue([PEOPLE[n]], hint=False)
    with tenant_scope(tenant_id):
        first, second = Batch.objects.order_by("id").values_list("id", flat=True)
    both = threading.Barrier(2)

    def take(one: Any, other: Any) -> Callable[[], object]:
        met: list[bool] = []

        def work() -> None:
            with tenant_scope(tenant_id, durable=True):
                Batch.objects.filter(id=one).update(held=False)
                if not met:
                    met.append(True)
                    both.wait(10)
                Batch.objects.filter(id=other).update(held=False)

        return (lambda: insist(work, seconds=20)) if insisting else work

    errors = _at_once([take(first, second), take(second, first)])
    assert len(errors) == (0 if insisting else 1)


@pytest.mark.fault("F27")
def test_a_migration_while_texts_go_out(clinic: World) -> None:
    """It waits for a lock for a moment only, so nobody queues behind it, and tries again; old code runs on after it."""
    with owner() as cursor, child(work, Setup(threads=4)):
        for n in range(8):
            clinic.queue(PEOPLE[n * 5 : n * 5 + 5])
        cursor.execute("SET lock_timeout = '200ms'")

        def migrated() -> bool:
            try:
                cursor.execute("ALTER TABLE messaging_message ADD COLUMN of_tomorrow text NULL")
            except psycopg2.errors.LockNotAvailable:
                return False
            return True

        until(migrated, meanwhile=clinic.hint)
        try:
            clinic.let_run(lambda: clinic.settled([ACCEPTED]))
        finally:
            cursor.execute("SET lock_timeout = '20s'")
            cursor.execute("ALTER TABLE messaging_message DROP COLUMN of_tomorrow")
    assert clinic.taken() == dict.fromkeys(PEOPLE, 1)


@pytest.mark.fault("F27")
def test_a_migration_that_cannot_have_its_lock_keeps_nobody_waiting(clinic: World) -> None:
    with owner() as reader, owner() as cursor, child(work, Setup()):
        reader.execute("BEGIN; SELECT count(*) FROM messaging_message")
        cursor.execute("SET lock_timeout = '200ms'")
        with pytest.raises(psycopg2.errors.LockNotAvailable):
            cursor.execute("ALTER TABLE messaging_message ADD COLUMN of_tomorrow text NULL")
        clinic.queue(PEOPLE)
        until(lambda: clinic.settled([ACCEPTED]), meanwhile=tick)
        reader.execute("COMMIT")


@pytest.mark.fault("F27")
@pytest.mark.counterproof("F27")
@pytest.mark.parametrize("bounded", [True, False])
def test_everybody_queues_behind_a_migration_that_waits_without_end(clinic: World, bounded: bool) -> None:
    """The counter-proof: somebody reads, the migration waits for them, and all others wait for the migration."""
    with owner() as reader, owner() as cursor:
        reader.execute("BEGIN; SELECT count(*) FROM messaging_message")
        cursor.execute(f"SET lock_timeout = '{200 if bounded else 0}ms'")
        ended: list[BaseException] = []

        def migrate() -> None:
            try:
                cursor.execute("ALTER TABLE messaging_message ADD COLUMN of_tomorrow text NULL")
            except psycopg2.Error as error:
                ended.append(error)

        migration = threading.Thread(target=migrate)
        migration.start()
        until(lambda: _waiting() or ended)
        if bounded:
            migration.join(10)
        try:
            with tenant_scope(clinic.company.tenant.id):
                _execute("SET LOCAL lock_timeout = '300ms'")
                Message.objects.exists()
            kept_waiting = False
        except OperationalError:
            kept_waiting = True
        cursor.connection.cancel()
        migration.join(10)
        reader.execute("COMMIT")
    assert ended
    assert kept_waiting is not bounded


@pytest.mark.fault("F10")
@pytest.mark.parametrize("state", ["53100", "25006", "22012"])
def test_a_page_says_that_nothing_can_be_saved(clinic: World, committed_cast: Cast, client: Client, state: str) -> None:
    """The disk is full, or the database only reads; any other error is still one of ours."""
    client.raise_request_exception = False
    sign_in(client, committed_cast.alice, clinic.company.tenant)
    with owner() as cursor:
        cursor.execute(_FULL.replace("53100", state).replace("messaging_message", "contacts_contact"), [PEOPLE[0]])
        try:
            answer = client.post("/contacts/add/", {"number": PEOPLE[0], "first_name": "Ann"})
        finally:
            cursor.execute('DROP TRIGGER "full" ON contacts_contact; DROP FUNCTION disk_is_full()')
    assert answer.status_code == (500 if state == "22012" else 503), answer.content
    assert (b"was not saved" in answer.content) is (state != "22012")


def _execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.fault("F10")
def test_a_full_disk_leaves_no_half_campaign(clinic: World) -> None:
    """PostgreSQL refuses in the middle of a page (SQLSTATE 53100, raised by a trigger): the page is planned whole, later."""
    people = PEOPLE[:8]
    draft = make_draft(clinic.company, make_list(clinic.company, people), sender=clinic.sender)
    with tenant_scope(clinic.company.tenant.id):
        campaigns.launch(campaign=draft)

    def failed() -> bool:
        with tenant_scope(clinic.company.tenant.id):
            return Campaign.objects.get().plan_failures > 0

    with owner() as cursor, child(work, Setup()):
        cursor.execute(_FULL, [people[5]])
        try:
            until(failed, meanwhile=tick)
        finally:
            cursor.execute('DROP TRIGGER "full" ON messaging_message; DROP FUNCTION disk_is_full()')
        with tenant_scope(clinic.company.tenant.id):
            assert not Message.objects.exists()
            Campaign.objects.update(plan_again_at=None)
        clinic.let_run(lambda: clinic.outcomes() == {ACCEPTED: len(people)})
    assert clinic.taken() == dict.fromkeys(people, 1)


_FULL = """
CREATE FUNCTION disk_is_full() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF NEW.number = TG_ARGV[0] THEN RAISE EXCEPTION 'no space left' USING ERRCODE = '53100'; END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER "full" BEFORE INSERT ON messaging_message FOR EACH ROW EXECUTE FUNCTION disk_is_full(%s)
"""
