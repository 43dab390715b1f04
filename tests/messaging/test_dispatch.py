"""Dispatch: claimed as one row, attempts committed before the call, each outcome recorded."""

from collections import Counter
from uuid import UUID

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from common.lanes import MARKETING
from consent.ledger import OptIn, record_opt_ins
from consent.models import Suppression
from consent.services import is_suppressed, opt_out
from messaging.models import Attempt, Batch, Message
from messaging.pipeline import dispatch, sweeps
from messaging.pipeline.claim import LEASE, claim
from messaging.pipeline.dispatch import run_next_batch
from messaging.pipeline.enqueue import Cause, Draft, enqueue
from messaging.pipeline.handover import hand_over
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.cast import Cast, Company

pytestmark = pytest.mark.django_db(transaction=True)

MARKET = Cause(kind="campaign", lane=MARKETING, purpose="marketing")


def number(last_digits: int) -> str:
    return f"+120255501{last_digits:02d}"


def queue(company: Company, numbers: list[str], cause: Cause = MARKET) -> UUID:
    with tenant_scope(company.tenant.id):
        record_opt_ins([OptIn(one, "marketing", "web_form") for one in numbers], actor_id=None)
        batch, _ = enqueue([Draft(one, "Hello") for one in numbers], cause)
        return batch.id


def statuses(company: Company) -> dict[str, str]:
    with tenant_scope(company.tenant.id):
        return dict(Message.objects.values_list("number", "status"))


def drain() -> None:
    while run_next_batch(MARKETING):
        pass


def test_a_batch_is_handed_over(committed_cast: Cast, network: str) -> None:
    numbers = [number(n) for n in range(50)]
    batch_id = queue(committed_cast.clinic, numbers)
    assert run_next_batch(MARKETING)
    assert set(statuses(committed_cast.clinic).values()) == {"accepted"}
    with tenant_scope(committed_cast.clinic.tenant.id):
        batch = Batch.objects.get(id=batch_id)
        assert (batch.state, batch.tally, batch.lease) == ("done", {"accepted": 50}, None)
        attempts = Attempt.objects.all()
        assert {attempt.state for attempt in attempts} == {"accepted"}
        assert len({attempt.provider_message_id for attempt in attempts}) == 50
        message = Message.objects.select_related("sender").first()
        assert message is not None
        assert message.sender == committed_cast.clinic.sender
        assert message.decision["outcome"] == "allow"
        assert message.decision["data"]["record"]
    assert not run_next_batch(MARKETING)


@pytest.mark.parametrize(
    ("digits", "status", "attempt", "code"),
    [
        (10, "accepted", "accepted", ""),
        (93, "failed", "rejected", "21211"),
        (94, "failed", "rejected", "21610"),
        (98, "unknown", "unknown", "no_answer"),
        (99, "queued", "rejected", "20429"),
    ],
)
def test_each_answer_has_its_state(
    committed_cast: Cast, network: str, digits: int, status: str, attempt: str, code: str
) -> None:
    queue(committed_cast.clinic, [number(digits)])
    run_next_batch(MARKETING)
    assert statuses(committed_cast.clinic) == {number(digits): status}
    with tenant_scope(committed_cast.clinic.tenant.id):
        made = Attempt.objects.get()
        assert (made.state, made.error_code) == (attempt, code)
        batch = Batch.objects.get()
        assert batch.state == ("queued" if status == "queued" else "done")


@pytest.mark.fault("F05")
def test_a_busy_provider_is_tried_again_later(committed_cast: Cast, network: str) -> None:
    queue(committed_cast.clinic, [number(99)])
    run_next_batch(MARKETING)
    assert not run_next_batch(MARKETING), "it waits before the next try"
    with tenant_scope(committed_cast.clinic.tenant.id):
        Batch.objects.update(not_before=timezone.now())
    run_next_batch(MARKETING)
    assert statuses(committed_cast.clinic) == {number(99): "accepted"}
    with tenant_scope(committed_cast.clinic.tenant.id):
        assert [a.n for a in Attempt.objects.order_by("n")] == [1, 2]


def test_an_opt_out_that_the_provider_knows_is_learned(committed_cast: Cast, network: str) -> None:
    queue(committed_cast.clinic, [number(94)])
    run_next_batch(MARKETING)
    with tenant_scope(committed_cast.clinic.tenant.id):
        assert Suppression.objects.get(number=number(94)).reason == "provider_block"


def test_an_answer_is_never_written_down_without_the_opt_out_in_it(
    committed_cast: Cast, network: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that dies in between would have forgotten it: nobody looks at the answer again."""

    class Died(Exception):
        pass

    def die(*_: object) -> None:
        raise Died

    queue(committed_cast.clinic, [number(94)])
    monkeypatch.setattr(dispatch, "learn_opt_outs", die)
    with pytest.raises(Died):
        run_next_batch(MARKETING)
    assert statuses(committed_cast.clinic) == {number(94): "submitting"}


@pytest.mark.fault("F22")
def test_nothing_goes_out_after_stop(committed_cast: Cast, network: str) -> None:
    """Planned while the person was willing, decided again at the hand-over."""
    queue(committed_cast.clinic, [number(1), number(2)])
    with tenant_scope(committed_cast.clinic.tenant.id):
        opt_out(number=number(2), source="reply", wording="STOP")
    run_next_batch(MARKETING)
    assert statuses(committed_cast.clinic) == {number(1): "accepted", number(2): "blocked"}
    with tenant_scope(committed_cast.clinic.tenant.id):
        blocked = Message.objects.get(number=number(2))
        assert blocked.decision["rule"] == "number_is_not_suppressed"
        assert not Attempt.objects.filter(message=blocked).exists()


@pytest.mark.fault("F22")
@pytest.mark.counterproof("F22")
def test_the_hand_over_itself_is_what_stops_it(
    committed_cast: Cast, network: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The counter-proof: with the decision at the hand-over switched off, the text does go out."""
    from consent import gate

    queue(committed_cast.clinic, [number(2)])
    with tenant_scope(committed_cast.clinic.tenant.id):
        opt_out(number=number(2), source="reply", wording="STOP")
    monkeypatch.setattr(gate, "RULES", ())
    run_next_batch(MARKETING)
    assert statuses(committed_cast.clinic) == {number(2): "accepted"}


def test_a_suspended_tenant_sends_nothing(committed_cast: Cast, network: str) -> None:
    queue(committed_cast.clinic, [number(1)])
    Tenant.objects.filter(id=committed_cast.clinic.tenant.id).update(status="suspended")
    run_next_batch(MARKETING)
    assert statuses(committed_cast.clinic) == {number(1): "blocked"}


def test_a_held_batch_stays(committed_cast: Cast, network: str) -> None:
    queue(committed_cast.clinic, [number(1)], Cause(kind="campaign", lane=MARKETING, purpose="marketing", held=True))
    assert not run_next_batch(MARKETING)


@pytest.mark.fault("F26")
def test_tenants_take_turns(committed_cast: Cast, network: str) -> None:
    """The one that has fewer batches in flight comes first, however many the other one queued before."""
    for _ in range(3):
        queue(committed_cast.clinic, [number(1)])
    queue(committed_cast.shop, [number(1)])
    first = claim(MARKETING, UUID(int=1))
    second = claim(MARKETING, UUID(int=2))
    assert first is not None
    assert second is not None
    assert (first[1], second[1]) == (committed_cast.clinic.tenant.id, committed_cast.shop.tenant.id)


def test_a_message_has_at_most_one_live_attempt(committed_cast: Cast, network: str) -> None:
    """The invariant behind "nothing twice" is the database's, not the code's."""
    queue(committed_cast.clinic, [number(1)])
    run_next_batch(MARKETING)
    with tenant_scope(committed_cast.clinic.tenant.id):
        first = Attempt.objects.get()
        with pytest.raises(IntegrityError, match="attempt_one_live"), transaction.atomic():
            Attempt.objects.create(
                message_id=first.message_id,
                n=2,
                provider_account_id=first.provider_account_id,
                deadline=timezone.now(),
            )
        first.state = "rejected"
        first.save()
        Attempt.objects.create(
            message_id=first.message_id, n=2, provider_account_id=first.provider_account_id, deadline=timezone.now()
        )


def test_the_provider_is_never_called_inside_a_transaction(committed_cast: Cast) -> None:
    with transaction.atomic(), pytest.raises(RuntimeError, match="inside a transaction"):
        hand_over(committed_cast.clinic.account, [], intended_at=0.0)


@pytest.mark.fault("F01")
def test_a_worker_that_dies_before_the_call_loses_nothing(committed_cast: Cast, network: str) -> None:
    queue(committed_cast.clinic, [number(1)])
    assert claim(MARKETING, UUID(int=1)) is not None
    assert not run_next_batch(MARKETING), "the lease keeps others away"
    _expire_leases()
    assert sweeps.release_expired_leases() == 1
    drain()
    assert statuses(committed_cast.clinic) == {number(1): "accepted"}


@pytest.mark.fault("F02")
def test_a_worker_that_dies_during_the_call_sends_nothing_twice(committed_cast: Cast, network: str) -> None:
    """Attempts are committed; nobody knows whether the provider has the text: it is not called again."""
    batch_id = queue(committed_cast.clinic, [number(1)])
    lease = UUID(int=1)
    claim(MARKETING, lease)
    with tenant_scope(committed_cast.clinic.tenant.id, durable=True):
        assert dispatch._prepare(batch_id, lease) is not None
    _expire_leases()
    sweeps.release_expired_leases()
    assert sweeps.mark_unknown() == 0, "the call may still be under way"
    with tenant_scope(committed_cast.clinic.tenant.id):
        Attempt.objects.update(deadline=timezone.now())
    assert sweeps.mark_unknown() == 1
    drain()
    assert statuses(committed_cast.clinic) == {number(1): "unknown"}
    with tenant_scope(committed_cast.clinic.tenant.id):
        assert Attempt.objects.get().state == "unknown"
        Attempt.objects.update(deadline=timezone.now() - sweeps.UNCONFIRMED_AFTER * 2)
    sweeps.give_up_unconfirmed()
    assert statuses(committed_cast.clinic) == {number(1): "unconfirmed"}


def test_a_worker_that_lost_its_lease_writes_no_attempts(committed_cast: Cast, network: str) -> None:
    batch_id = queue(committed_cast.clinic, [number(1)])
    claim(MARKETING, UUID(int=1))
    with tenant_scope(committed_cast.clinic.tenant.id, durable=True):
        assert dispatch._prepare(batch_id, UUID(int=2)) is None
        assert not Attempt.objects.exists()


@pytest.mark.fault("F18")
def test_a_paused_process_does_not_call(committed_cast: Cast, network: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fence: what was intended too long ago is not sent, and may be tried again."""
    from messaging.pipeline import handover

    monkeypatch.setattr(handover, "FENCE_SECONDS", -1.0)
    queue(committed_cast.clinic, [number(1)])
    run_next_batch(MARKETING)
    assert statuses(committed_cast.clinic) == {number(1): "queued"}
    with tenant_scope(committed_cast.clinic.tenant.id):
        assert Attempt.objects.get().error_code == "fenced"


def test_tallies_are_what_the_messages_say(committed_cast: Cast, network: str) -> None:
    queue(committed_cast.clinic, [number(n) for n in (1, 2, 93, 94, 98, 99)])
    run_next_batch(MARKETING)
    with tenant_scope(committed_cast.clinic.tenant.id):
        assert Batch.objects.get().tally == Counter(Message.objects.values_list("status", flat=True))
        assert not is_suppressed(number=number(1))


def _expire_leases() -> None:
    from tenants.scope import all_tenants

    with all_tenants("test"):
        Batch.objects.filter(state="leased").update(leased_until=timezone.now() - LEASE)
    assert not connection.in_atomic_block
