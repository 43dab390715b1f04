"""An attempt whose answer was lost: settled by asking the provider, never by calling it again (faults F02 to F04)."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from common.lanes import CONVERSATION, MARKETING, REMINDER, TRANSACTIONAL, VERIFICATION
from messaging.models import Attempt, Batch, DeliveryReceipt, Message, ProviderAccount, Sender
from messaging.pipeline import absent, reconcile, sweeps
from messaging.pipeline.dispatch import run_next_batch
from messaging.pipeline.enqueue import Cause, Draft, enqueue
from messaging.pipeline.receipt import apply_pending, store
from messaging.pipeline.reconcile import resolve_in_doubt
from messaging.providers.base import StatusUpdate
from messaging.reasons import reason_of
from messaging.services import add_provider_account, add_sender
from messaging.services.sending import cancel_batches
from tenants.scope import tenant_scope
from tests.cast import FAST, Cast, Company
from tests.twilio_server import TwilioServer, hangs_up, taken_but_fails, taken_but_hangs_up, twilio_server

pytestmark = pytest.mark.django_db(transaction=True)

SID = "AC" + "a" * 32
ANN, BOB, CAROL = "+12025550101", "+12025550102", "+12025550103"


@pytest.fixture
def clinic(committed_cast: Cast) -> Company:
    return committed_cast.clinic


@pytest.fixture
def sender(clinic: Company) -> Sender:
    """A number at Twilio."""
    with tenant_scope(clinic.tenant.id):
        account = add_provider_account(
            kind="twilio", name="Twilio", credentials={"account_sid": SID, "auth_token": "t" * 32}
        )
        sender = add_sender(tenant=clinic.tenant, account=account, value="+12025550180", kind="long_code")
        Sender.objects.filter(id=sender.id).update(parts_per_second=FAST)
        return sender


@pytest.fixture
def twilio(settings: Any, sender: Sender) -> Iterator[TwilioServer]:
    with twilio_server(settings, SID) as server:
        yield server


def offer(company: Company, sender: Sender, numbers: list[str], lane: str = MARKETING, body: str = "Hello") -> UUID:
    """Texts that the gate lets through in any lane; the id of their cause."""
    with tenant_scope(company.tenant.id):
        cause_id = company.tenant.id
        cause = Cause("campaign", lane, "support", id=cause_id, sender_id=sender.id, exemption="help_reply")
        enqueue([Draft(number, body) for number in numbers], cause)
    run_next_batch(lane)
    return cause_id


def later(company: Company, by: timedelta) -> None:
    """So much time goes by for the attempts in doubt."""
    with tenant_scope(company.tenant.id):
        for attempt in Attempt.objects.filter(state="unknown"):
            attempt.deadline -= by
            attempt.created_at -= by
            attempt.asked_at = None
            attempt.save()


def settle(company: Company, *, after: timedelta = timedelta(minutes=1)) -> None:
    later(company, after)
    resolve_in_doubt()
    apply_pending()


def outcomes(company: Company) -> dict[str, tuple[str, str]]:
    """Status and error code by number."""
    with tenant_scope(company.tenant.id):
        rows = Message.objects.values_list("number", "status", "error_code")
        return {number: (status, code) for number, status, code in rows}


LONG: timedelta = reconcile.SETTLE + timedelta(minutes=1)


@pytest.mark.fault("F04")
@pytest.mark.parametrize("deed", [taken_but_hangs_up, taken_but_fails])
def test_what_the_provider_took_is_found_on_its_record(
    clinic: Company, sender: Sender, twilio: TwilioServer, deed: Any
) -> None:
    twilio.deeds = {ANN: deed}
    offer(clinic, sender, [ANN, BOB])
    assert outcomes(clinic)[ANN][0] == "unknown"
    twilio.messages[0]["status"] = "delivered"
    settle(clinic)
    assert outcomes(clinic) == {ANN: ("delivered", ""), BOB: ("accepted", "")}
    assert sorted(twilio.created) == [ANN, BOB]
    with tenant_scope(clinic.tenant.id):
        attempt = Attempt.objects.get(message__number=ANN)
        assert (attempt.state, attempt.provider_message_id) == ("accepted", twilio.messages[0]["sid"])


@pytest.mark.parametrize(
    ("lane", "status"),
    [
        (MARKETING, "failed"),
        (VERIFICATION, "failed"),
        (TRANSACTIONAL, "queued"),
        (REMINDER, "queued"),
        (CONVERSATION, "queued"),
    ],
)
def test_what_never_arrived_follows_the_policy_of_its_lane(
    clinic: Company, sender: Sender, twilio: TwilioServer, lane: str, status: str
) -> None:
    twilio.deeds = {ANN: hangs_up}
    offer(clinic, sender, [ANN], lane)
    settle(clinic)
    assert outcomes(clinic)[ANN][0] == "unknown", "too early to conclude anything"
    settle(clinic, after=LONG)
    assert outcomes(clinic)[ANN] == (status, "never_arrived")
    twilio.deeds = {}
    run_next_batch(lane)
    again = [ANN] if status == "queued" else []
    assert twilio.created == [ANN, *again]
    with tenant_scope(clinic.tenant.id):
        if again:
            assert Message.objects.get().status == "accepted"
            assert list(Attempt.objects.order_by("n").values_list("state", flat=True)) == ["absent", "accepted"]
        else:
            assert "not sent twice" in reason_of(Message.objects.get())


def test_it_is_offered_once_more_and_no_third_time(clinic: Company, sender: Sender, twilio: TwilioServer) -> None:
    twilio.deeds = {ANN: hangs_up}
    offer(clinic, sender, [ANN], TRANSACTIONAL)
    settle(clinic, after=LONG)
    run_next_batch(TRANSACTIONAL)
    settle(clinic, after=LONG)
    assert outcomes(clinic)[ANN] == ("failed", "never_arrived")
    assert twilio.created == [ANN, ANN]


def test_what_is_too_old_by_then_expires(clinic: Company, sender: Sender, twilio: TwilioServer) -> None:
    twilio.deeds = {ANN: hangs_up}
    offer(clinic, sender, [ANN], REMINDER)
    settle(clinic, after=timedelta(hours=2))
    assert outcomes(clinic)[ANN] == ("expired", "never_arrived")


def test_what_was_cancelled_meanwhile_is_not_offered_again(
    clinic: Company, sender: Sender, twilio: TwilioServer
) -> None:
    twilio.deeds = {ANN: hangs_up}
    cause_id = offer(clinic, sender, [ANN], TRANSACTIONAL)
    with tenant_scope(clinic.tenant.id):
        cancel_batches(cause_id=cause_id)
    settle(clinic, after=LONG)
    assert outcomes(clinic)[ANN][0] == "cancelled"
    assert not run_next_batch(TRANSACTIONAL)


def test_nothing_is_concluded_while_the_provider_does_not_answer(
    clinic: Company, sender: Sender, twilio: TwilioServer
) -> None:
    twilio.deeds, twilio.silent = {ANN: hangs_up}, True
    offer(clinic, sender, [ANN], TRANSACTIONAL)
    settle(clinic, after=LONG)
    assert twilio.asked == [ANN]
    assert outcomes(clinic)[ANN][0] == "unknown"
    resolve_in_doubt()
    assert twilio.asked == [ANN], "not asked again at once"
    later(clinic, sweeps.UNCONFIRMED_AFTER)
    sweeps.give_up_unconfirmed()
    resolve_in_doubt()
    assert outcomes(clinic)[ANN][0] == "unconfirmed"
    assert twilio.asked == [ANN], "given up"


def test_texts_of_others_are_not_taken_for_ours(clinic: Company, sender: Sender, twilio: TwilioServer) -> None:
    """The record has another text to the person, one of the same words from another number, one that is long ago, and
    the answer of the person."""
    twilio.deeds = {ANN: hangs_up}
    twilio.take({"To": ANN, "From": sender.value, "Body": "Another"})
    twilio.take({"To": ANN, "From": "+12025550177", "Body": "Hello"})
    twilio.take({"To": ANN, "From": sender.value, "Body": "Hello"})["date_created"] = "Sun, 22 Nov 2020 12:00:00 +0000"
    twilio.take({"To": ANN, "From": sender.value, "Body": "Hello"}, direction="inbound")
    offer(clinic, sender, [ANN])
    settle(clinic)
    assert outcomes(clinic)[ANN][0] == "unknown"


def test_a_text_that_another_attempt_has_is_not_found_twice(
    clinic: Company, sender: Sender, twilio: TwilioServer
) -> None:
    offer(clinic, sender, [ANN])
    twilio.deeds = {ANN: hangs_up}
    offer(clinic, sender, [ANN])
    settle(clinic)
    with tenant_scope(clinic.tenant.id):
        assert sorted(Message.objects.values_list("status", flat=True)) == ["accepted", "unknown"]


def test_more_texts_than_attempts_leave_it_open(clinic: Company, sender: Sender, twilio: TwilioServer) -> None:
    twilio.deeds = {ANN: hangs_up}
    for _ in range(2):
        twilio.take({"To": ANN, "From": sender.value, "Body": "Hello"})
    offer(clinic, sender, [ANN])
    for passed in (timedelta(minutes=1), LONG, LONG):
        # The record grows older with the attempt: what fitted it yesterday fits it today.
        twilio.grow_older(passed)
        settle(clinic, after=passed)
        assert outcomes(clinic)[ANN][0] == "unknown"
        with tenant_scope(clinic.tenant.id):
            assert Attempt.objects.get().state == "unknown", "one of the two may be its text: it is not absent"


def test_a_receipt_that_named_no_attempt_is_joined(clinic: Company, sender: Sender, twilio: TwilioServer) -> None:
    """The record still says "queued", but the receipt that came before said more."""
    twilio.deeds = {ANN: taken_but_hangs_up}
    offer(clinic, sender, [ANN])
    with tenant_scope(clinic.tenant.id):
        account = ProviderAccount.objects.get(id=sender.provider_account_id)
        store(account, None, StatusUpdate(twilio.messages[0]["sid"], "delivered", "delivered"))
    apply_pending()
    assert outcomes(clinic)[ANN][0] == "unknown"
    settle(clinic)
    assert outcomes(clinic)[ANN][0] == "delivered"


@pytest.mark.fault("F20")
def test_a_receipt_settles_it_while_the_provider_is_asked(
    clinic: Company, sender: Sender, twilio: TwilioServer
) -> None:
    """Who waits behind the batch's lock looks again: what a receipt settled is not settled a second time."""
    twilio.deeds = {ANN: hangs_up}
    offer(clinic, sender, [ANN], TRANSACTIONAL)
    later(clinic, LONG)
    with tenant_scope(clinic.tenant.id):
        attempt = Attempt.objects.get()
        doubts = reconcile._doubts([attempt.id])
        store(attempt.provider_account, attempt.id, StatusUpdate("SM" + "9" * 32, "sent", "sent"))
    apply_pending()
    with tenant_scope(clinic.tenant.id):
        reconcile._settle(attempt.provider_account, doubts, {ANN: []})
    assert outcomes(clinic)[ANN][0] == "sent"


def test_a_receipt_after_all_ends_the_waiting(clinic: Company, sender: Sender, twilio: TwilioServer) -> None:
    """The provider's record lacked it for longer than it should; its receipt comes before the second try."""
    twilio.deeds = {ANN: hangs_up}
    offer(clinic, sender, [ANN], TRANSACTIONAL)
    settle(clinic, after=LONG)
    assert outcomes(clinic)[ANN][0] == "queued"
    with tenant_scope(clinic.tenant.id):
        attempt = Attempt.objects.get()
        store(attempt.provider_account, attempt.id, StatusUpdate("SM" + "9" * 32, "delivered", "delivered"))
    apply_pending()
    assert outcomes(clinic)[ANN][0] == "delivered"
    run_next_batch(TRANSACTIONAL)
    assert twilio.created == [ANN]


def test_many_pages_of_the_record_are_read(clinic: Company, sender: Sender, twilio: TwilioServer) -> None:
    twilio.deeds, twilio.page_size = {ANN: taken_but_hangs_up}, 3
    offer(clinic, sender, [ANN])
    for n in range(7):
        twilio.take({"To": ANN, "From": sender.value, "Body": f"Other {n}"})
    settle(clinic)
    assert outcomes(clinic)[ANN][0] == "accepted"


# --- The guards -------------------------------------------------------------------------------------------------------


@pytest.mark.fault("F04")
@pytest.mark.counterproof("F04")
def test_without_the_time_to_settle_it_would_go_twice(
    clinic: Company, sender: Sender, twilio: TwilioServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The record shows the text a moment late."""
    monkeypatch.setattr(reconcile, "SETTLE", timedelta())
    twilio.deeds = {ANN: taken_but_hangs_up}
    offer(clinic, sender, [ANN], TRANSACTIONAL)
    late = twilio.messages.pop()
    settle(clinic)
    twilio.messages.append(late)
    run_next_batch(TRANSACTIONAL)
    assert twilio.created == [ANN, ANN]


@pytest.mark.fault("F02")
@pytest.mark.counterproof("F02")
def test_without_the_policy_an_offer_would_go_twice(
    clinic: Company, sender: Sender, twilio: TwilioServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(absent, "OFFERED_ONCE_MORE", frozenset({MARKETING}))
    twilio.deeds = {ANN: hangs_up}
    offer(clinic, sender, [ANN])
    settle(clinic, after=LONG)
    run_next_batch(MARKETING)
    assert twilio.created == [ANN, ANN]


def test_questions_are_of_one_tenant(
    committed_cast: Cast, clinic: Company, sender: Sender, twilio: TwilioServer
) -> None:
    twilio.deeds = {ANN: taken_but_hangs_up}
    offer(clinic, sender, [ANN])
    settle(clinic)
    with tenant_scope(committed_cast.shop.tenant.id):
        assert not DeliveryReceipt.objects.exists()
        assert not Batch.objects.exists()
