"""The database is restored from a backup (fault F29): what went out since is not sent again, a STOP since is not forgotten."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from django.db import connection
from django.utils import timezone

from common.lanes import MARKETING
from consent.purpose_rules import Rules, set_rules
from consent.services import is_suppressed
from messaging.models import (
    Attempt,
    Batch,
    DispatchState,
    Message,
    ProviderAccount,
    RecordComparison,
    RecoveredText,
    Sender,
)
from messaging.pipeline import comparison, nightly, restoration
from messaging.pipeline.dispatch import run_next_batch
from messaging.pipeline.receipt import apply_pending
from messaging.services import add_provider_account, add_sender
from tenants.scope import tenant_scope
from tests.cast import FAST, Cast, Company
from tests.messaging.test_dispatch import number, queue, statuses
from tests.twilio_server import TwilioServer, twilio_server

pytestmark = pytest.mark.django_db(transaction=True)

SID = "AC" + "a" * 32
ANN, BOB, CAROL = number(1), number(2), number(3)


@pytest.fixture
def clinic(committed_cast: Cast) -> Company:
    """Two companies that send through Twilio only."""
    for company in (committed_cast.clinic, committed_cast.shop):
        with tenant_scope(company.tenant.id):
            company.sender.delete()
            company.account.delete()
    with tenant_scope(committed_cast.clinic.tenant.id):
        secrets = {"account_sid": SID, "auth_token": "t" * 32}
        account = add_provider_account(kind="twilio", name="Twilio", credentials=secrets)
        add_sender(tenant=committed_cast.clinic.tenant, account=account, value="+12025550180", kind="long_code")
        Sender.objects.update(parts_per_second=FAST)
    return committed_cast.clinic


@pytest.fixture
def twilio(settings: Any, clinic: Company) -> Iterator[TwilioServer]:
    cache.clear()
    connection.close()
    with twilio_server(settings, SID) as server:
        yield server


def drain() -> None:
    while run_next_batch(MARKETING):
        pass


def restore(company: Company, *, to_before_sending_to: list[str]) -> None:
    """The database as it was when these had not been sent to. Nobody restores under an open connection."""
    with tenant_scope(company.tenant.id):
        forgotten = Message.objects.filter(number__in=to_before_sending_to)
        Attempt.objects.filter(message__in=forgotten).delete()
        Batch.objects.filter(id__in=forgotten.values("batch_id")).update(
            state="queued", lease=None, not_before=timezone.now()
        )
        forgotten.update(status="queued")
    connection.close()


def state() -> DispatchState:
    return DispatchState.objects.get()


@pytest.mark.fault("F29")
def test_what_went_out_since_the_backup_is_not_sent_again(clinic: Company, twilio: TwilioServer) -> None:
    queue(clinic, [ANN])
    drain()
    queue(clinic, [BOB, CAROL])
    drain()
    twilio.messages[1]["status"] = "delivered"
    restore(clinic, to_before_sending_to=[BOB, CAROL])
    assert not run_next_batch(MARKETING), "on hold"
    assert state().held_since
    assert twilio.created == [ANN, BOB, CAROL]
    restoration.recover()
    assert state().held_since is None
    drain()
    apply_pending()
    assert sorted(twilio.created) == [ANN, BOB, CAROL], "nobody got a second one"
    assert statuses(clinic) == {ANN: "accepted", BOB: "delivered", CAROL: "accepted"}
    with tenant_scope(clinic.tenant.id):
        assert not RecoveredText.objects.filter(message=None).exists()
        assert Attempt.objects.filter(state="accepted").count() == 3


@pytest.mark.fault("F29")
@pytest.mark.counterproof("F29")
def test_without_the_hold_they_would_get_a_second_one(
    clinic: Company, twilio: TwilioServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(restoration, "_went_back", lambda state: False)
    queue(clinic, [ANN])
    drain()
    restore(clinic, to_before_sending_to=[ANN])
    drain()
    assert twilio.created == [ANN, ANN]


def test_a_stop_since_the_backup_holds(clinic: Company, twilio: TwilioServer) -> None:
    """Its callback came and was answered, in a past that the database has forgotten; the queue still has a text."""
    queue(clinic, [ANN])
    drain()
    queue(clinic, [BOB, CAROL])
    restore(clinic, to_before_sending_to=[ANN])
    twilio.take({"To": "+12025550180", "From": BOB, "Body": "STOP"}, direction="inbound")
    drain()
    restoration.recover()
    drain()
    with tenant_scope(clinic.tenant.id):
        assert is_suppressed(number=BOB)
    assert BOB not in twilio.created
    assert CAROL in twilio.created


def test_the_same_words_to_the_same_person_are_adopted_once(clinic: Company, twilio: TwilioServer) -> None:
    """What is written after the restore goes out, even in the same words, if these may be repeated."""
    with tenant_scope(clinic.tenant.id):
        set_rules(purpose="marketing", rules=Rules(repeat_hours=0))
    queue(clinic, [ANN])
    drain()
    restore(clinic, to_before_sending_to=[ANN])
    drain()
    restoration.recover()
    drain()
    queue(clinic, [ANN])
    drain()
    assert twilio.created == [ANN, ANN]


@pytest.mark.parametrize("what", ["8000000000000000001/00000001/5", "another cluster"])
def test_another_cluster_or_database_is_seen(clinic: Company, twilio: TwilioServer, what: str) -> None:
    """A point-in-time recovery begins a new timeline, a dump is restored into another database."""
    queue(clinic, [ANN])
    drain()
    DispatchState.objects.update(identity=what)
    connection.close()
    cache.clear()
    queue(clinic, [BOB])
    assert not run_next_batch(MARKETING)
    assert "restored" in state().reason
    restoration.recover()
    drain()
    assert twilio.created == [ANN, BOB]
    connection.close()
    queue(clinic, [CAROL])
    drain()
    assert twilio.created == [ANN, BOB, CAROL], "known from now on"


def test_the_same_database_goes_on_after_a_restart(clinic: Company, twilio: TwilioServer) -> None:
    queue(clinic, [ANN])
    drain()
    connection.close()
    queue(clinic, [BOB])
    drain()
    assert twilio.created == [ANN, BOB]
    assert state().held_since is None


def test_a_provider_that_cannot_be_asked_keeps_nobody_else_waiting_for_ever(
    clinic: Company, twilio: TwilioServer
) -> None:
    queue(clinic, [ANN])
    drain()
    restore(clinic, to_before_sending_to=[ANN])
    twilio.silent = True
    drain()
    restoration.recover()
    assert state().held_since, "it is asked again"
    with tenant_scope(clinic.tenant.id):
        assert RecordComparison.objects.get().problem
    DispatchState.objects.update(held_since=timezone.now() - restoration.PATIENCE)
    restoration.recover()
    assert state().held_since is None
    with tenant_scope(clinic.tenant.id):
        account = ProviderAccount.objects.get()
        assert (account.status, account.trouble) == ("paused", "not_compared")
    drain()
    assert twilio.created == [ANN], "its own texts wait for a person"


# --- The comparison of every night ------------------------------------------------------------------------------------


def compare_now(company: Company) -> RecordComparison:
    """The hour before and the hour after, as if they were a day that is over."""
    with tenant_scope(company.tenant.id):
        row = RecordComparison.objects.create(
            provider_account=ProviderAccount.objects.get(),
            cause="nightly",
            since=timezone.now() - timedelta(hours=1),
            until=timezone.now() + timedelta(hours=1),
        )
    assert comparison.compare(company.tenant.id, row)
    apply_pending()
    with tenant_scope(company.tenant.id):
        return RecordComparison.objects.get()


@pytest.mark.parametrize(
    ("at", "day"),
    [
        ("2026-11-23T03:00:00Z", "2026-11-22"),
        ("2026-11-23T01:00:00Z", "2026-11-21"),
        ("2026-11-23T23:59:00Z", "2026-11-22"),
    ],
)
def test_the_day_before_is_compared_once(clinic: Company, twilio: TwilioServer, at: str, day: str) -> None:
    with tenant_scope(clinic.tenant.id):
        ProviderAccount.objects.update(created_at="2026-11-01T00:00:00Z")
    with time_machine.travel(at, tick=True):
        nightly.compare_yesterday()
        nightly.compare_yesterday()
    with tenant_scope(clinic.tenant.id):
        row = RecordComparison.objects.get()
        assert row.since.isoformat() == f"{day}T00:00:00+00:00"
        assert row.finished_at
    assert len(twilio.asked) == 1


def test_both_sides_agree(clinic: Company, twilio: TwilioServer) -> None:
    queue(clinic, [ANN, BOB])
    drain()
    row = compare_now(clinic)
    assert (row.at_provider, row.only_at_provider, row.only_here, row.inbound_missed) == (2, 0, 0, 0)
    assert row.finished_at


def test_differences_are_counted_and_named(clinic: Company, twilio: TwilioServer) -> None:
    """One text was sent outside of the platform, one vanished at the provider, one receipt and one STOP never came."""
    queue(clinic, [ANN, BOB])
    drain()
    vanished = next(one for one in twilio.messages if one["to"] == BOB)
    twilio.messages.remove(vanished)
    next(one for one in twilio.messages if one["to"] == ANN)["status"] = "delivered"
    foreign = twilio.take({"To": CAROL, "From": "+12025550180", "Body": "From the console"})
    stop = twilio.take({"To": "+12025550180", "From": CAROL, "Body": "STOP"}, direction="inbound")
    row = compare_now(clinic)
    counts = (row.at_provider, row.only_at_provider, row.only_here, row.receipts_missed, row.inbound_missed)
    assert counts == (2, 1, 1, 1, 1)
    assert row.examples["only_at_provider"] == [foreign["sid"]]
    assert row.examples["only_here"] == [vanished["sid"]]
    assert row.examples["inbound_missed"] == [stop["sid"]]
    with tenant_scope(clinic.tenant.id):
        assert is_suppressed(number=CAROL)
        assert not RecoveredText.objects.exists(), "only a restore keeps them"
    assert statuses(clinic)[ANN] == "delivered"
