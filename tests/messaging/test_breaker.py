"""The breaker of an account: it opens when calls fail, lets a few texts try, and closes when they are answered."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from common.lanes import CONVERSATION, MARKETING, TRANSACTIONAL
from consent.ledger import OptIn, record_opt_ins
from consent.services import opt_out
from messaging.models import Attempt, Batch, ProviderAccount
from messaging.pipeline import handover
from messaging.pipeline.carrier import PATIENCE
from messaging.pipeline.dispatch import run_next_batch
from messaging.pipeline.enqueue import Cause, Draft, enqueue
from messaging.providers.base import Outcome, SendResult
from messaging.routing import health
from messaging.routing.breaker import PROBE_TEXTS, claim_probe, note, rest_after, should_open
from messaging.routing.health import Recent
from messaging.routing.weights import BACK_EVERY, NOT_AGAIN_WITHIN, current_weight, fall
from messaging.services import make_default_pool, set_account_status
from messaging.stuck import findings
from tenants.models import AuditEntry
from tenants.scope import tenant_scope
from tests.cast import Cast
from tests.messaging.test_pools import PEOPLE, Pooled, clinic, messages, queue, run
from tests.web import sign_in, text_of

__all__ = ["clinic"]

pytestmark = pytest.mark.django_db(transaction=True)

TAKEN, LOST = SendResult(Outcome.ACCEPTED, "SIM1"), SendResult(Outcome.UNKNOWN, error_code="no_answer")
UNREACHED = SendResult(Outcome.TRY_AGAIN, error_code="not_connected")
BUSY, REFUSED = SendResult(Outcome.TRY_AGAIN, error_code="20429"), SendResult(Outcome.REFUSED, error_code="21211")
FENCED = SendResult(Outcome.TRY_AGAIN, error_code="fenced")


def first(world: Pooled) -> ProviderAccount:
    with tenant_scope(world.company.tenant.id):
        return ProviderAccount.objects.get(id=world.one.provider_account_id)


def learn(world: Pooled, *results: SendResult) -> ProviderAccount:
    with tenant_scope(world.company.tenant.id):
        note(first(world), results)
    return first(world)


def probe_is_due(world: Pooled) -> None:
    with tenant_scope(world.company.tenant.id):
        ProviderAccount.objects.exclude(broken_since=None).update(probe_at=timezone.now() - timedelta(seconds=1))


def break_it(world: Pooled) -> None:
    learn(world, *[LOST] * 6)


@pytest.mark.parametrize(
    ("results", "opens"),
    [
        ([LOST] * 4, False),
        ([LOST] * 5, True),
        ([UNREACHED] * 5, True),
        ([LOST] * 5 + [TAKEN] * 5, True),
        ([LOST] * 5 + [TAKEN] * 6, False),
        ([BUSY] * 50, False),
        ([REFUSED] * 50, False),
        ([FENCED] * 50, False),
        ([FENCED] * 50 + [LOST] * 5, True),
        ([TAKEN] * 500, False),
    ],
)
def test_it_opens_when_half_of_the_calls_fail(clinic: Pooled, results: list[SendResult], opens: bool) -> None:
    assert (learn(clinic, *results).broken_since is not None) == opens


def test_the_calls_of_all_batches_count_together(clinic: Pooled) -> None:
    for _ in range(4):
        assert learn(clinic, LOST).broken_since is None
    assert learn(clinic, LOST).broken_since is not None


def test_it_opens_without_redis_too(clinic: Pooled, settings: Any) -> None:
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/0"}}
    health._here.clear()
    for _ in range(5):
        found = learn(clinic, LOST)
    assert found.broken_since is not None


@given(st.integers(0, 1_000), st.integers(0, 1_000))
def test_a_minority_never_opens_it(failed: int, more: int) -> None:
    assert should_open(Recent(2 * failed + more + 1, failed)) is False


def test_it_rests_longer_each_time_and_never_for_long() -> None:
    rests = [rest_after(probes).total_seconds() for probes in range(100)]
    assert rests == sorted(rests)
    assert (rests[0], rests[1], rests[-1]) == (10, 20, 60)


@pytest.mark.fault("F06")
def test_a_provider_that_cannot_be_reached_is_left_alone_until_it_can(clinic: Pooled, settings: Any) -> None:
    reachable = settings.SIMULATOR_URL
    settings.SIMULATOR_URL = "http://127.0.0.1:1"
    handover._lines.clear()
    queue(clinic, PEOPLE[:20], pooled=False)
    run(clinic)
    assert first(clinic).broken_since is not None
    with tenant_scope(clinic.company.tenant.id):
        tried = Attempt.objects.count()
    run(clinic)
    with tenant_scope(clinic.company.tenant.id):
        assert Attempt.objects.count() == tried, "nothing is offered to it"
        assert Batch.objects.get().not_before < timezone.now() + timedelta(seconds=31)
    probe_is_due(clinic)
    run(clinic)
    with tenant_scope(clinic.company.tenant.id):
        assert Attempt.objects.count() == tried + PROBE_TEXTS
    broken = first(clinic)
    assert broken.probes == 1
    assert broken.probe_at is not None
    assert broken.probe_at > timezone.now() + timedelta(seconds=15)
    settings.SIMULATOR_URL = reachable
    handover._lines.clear()
    probe_is_due(clinic)
    run(clinic)
    assert len(clinic.network.texts) == PROBE_TEXTS
    assert first(clinic).broken_since is None
    run(clinic)
    assert sorted(to for _, to in clinic.network.texts) == PEOPLE[:20]
    assert {one.status for one in messages(clinic).values()} == {"accepted"}
    with tenant_scope(clinic.company.tenant.id):
        acts = AuditEntry.objects.filter(action__startswith="account.").order_by("id").values_list("action", flat=True)
        assert list(acts)[-2:] == ["account.broken", "account.healed"]


def test_one_worker_tries_it_at_a_time(clinic: Pooled) -> None:
    break_it(clinic)
    probe_is_due(clinic)
    with tenant_scope(clinic.company.tenant.id):
        assert [claim_probe(first(clinic)) for _ in range(3)] == [True, False, False]


def test_a_probe_that_tried_nothing_is_given_back(clinic: Pooled) -> None:
    queue(clinic, PEOPLE[:1], pooled=False)
    with tenant_scope(clinic.company.tenant.id):
        opt_out(number=PEOPLE[0], source="reply", wording="STOP")
    break_it(clinic)
    probe_is_due(clinic)
    run(clinic)
    assert messages(clinic)[PEOPLE[0]].status == "blocked"
    with tenant_scope(clinic.company.tenant.id):
        assert claim_probe(first(clinic))


def test_texts_that_were_under_way_do_not_close_it(clinic: Pooled) -> None:
    before = first(clinic)
    break_it(clinic)
    with tenant_scope(clinic.company.tenant.id):
        note(before, [TAKEN] * 100)
    assert first(clinic).broken_since is not None


def test_a_person_closes_it_by_taking_the_account_up(clinic: Pooled) -> None:
    break_it(clinic)
    with tenant_scope(clinic.company.tenant.id):
        set_account_status(account=first(clinic), active=False)
        set_account_status(account=first(clinic), active=True)
    assert first(clinic).broken_since is None


@pytest.mark.fault("F06")
def test_urgent_texts_of_a_pool_go_by_another_account_at_once(clinic: Pooled) -> None:
    break_it(clinic)
    queue(clinic, PEOPLE[:3], lane=TRANSACTIONAL)
    queue(clinic, PEOPLE[3:6])
    run(clinic, TRANSACTIONAL)
    assert {sender for sender, _ in clinic.network.texts} == {clinic.two.value}
    run(clinic)
    assert len(clinic.network.texts) == 3, "offers wait a little"
    run(clinic, after=PATIENCE)
    assert sorted(clinic.network.texts) == [(clinic.two.value, to) for to in PEOPLE[:6]]


def test_lost_answers_open_it_and_nothing_goes_twice(clinic: Pooled) -> None:
    clinic.network.silent.add(clinic.one.value)
    queue(clinic, PEOPLE[:6], lane=TRANSACTIONAL)
    run(clinic, TRANSACTIONAL)
    assert first(clinic).broken_since is not None
    queue(clinic, PEOPLE[6:9], lane=TRANSACTIONAL)
    for _ in range(3):
        run(clinic, TRANSACTIONAL)
    assert sorted(to for _, to in clinic.network.texts) == PEOPLE[:9]


def test_texts_that_name_no_sender_go_by_a_working_account_and_try_the_broken_one(clinic: Pooled) -> None:
    near_one = [f"+1202555{n:04d}" for n in range(100, 104)]
    with tenant_scope(clinic.company.tenant.id):
        make_default_pool(pool=clinic.pool)
        record_opt_ins([OptIn(one, "marketing", "web_form") for one in near_one], actor_id=None)
    break_it(clinic)
    for n, number in enumerate(near_one):
        if n == 2:
            probe_is_due(clinic)
        with tenant_scope(clinic.company.tenant.id):
            enqueue([Draft(number, "Hello")], Cause("reply", CONVERSATION, "marketing"))
        run(clinic, CONVERSATION)
    one, two = clinic.one.value, clinic.two.value
    assert clinic.network.texts == list(zip([two, two, one, one], near_one, strict=True))
    assert first(clinic).broken_since is None


def test_a_probe_that_called_nobody_proves_nothing(clinic: Pooled) -> None:
    break_it(clinic)
    assert learn(clinic, FENCED).probes == 0
    assert learn(clinic, LOST).probes == 1
    assert learn(clinic, TAKEN).broken_since is None


def test_staff_see_it(clinic: Pooled, client: Client, committed_cast: Cast) -> None:
    break_it(clinic)
    with tenant_scope(clinic.company.tenant.id):
        assert any("does not answer" in found.what for found in findings())
    sign_in(client, committed_cast.alice, clinic.company.tenant)
    assert "It does not answer since" in text_of(client.get(reverse("senders")))


def weights(world: Pooled) -> dict[str, int]:
    now = timezone.now()
    with tenant_scope(world.company.tenant.id):
        return {one.name: current_weight(one, now) for one in ProviderAccount.objects.all()}


def test_errors_lower_the_weight_once_a_minute_and_it_drifts_back(clinic: Pooled) -> None:
    learn(clinic, *[LOST] * 10, *[TAKEN] * 90)
    assert weights(clinic) == {"Simulator": 40, "Second": 50}
    learn(clinic, *[LOST] * 10, *[TAKEN] * 90)
    assert weights(clinic) == {"Simulator": 40, "Second": 50}
    with tenant_scope(clinic.company.tenant.id):
        ProviderAccount.objects.exclude(fell_at=None).update(fell_at=timezone.now() - NOT_AGAIN_WITHIN)
        note(ProviderAccount.objects.get(name="Second"), [LOST] * 10 + [TAKEN] * 90)
    assert weights(clinic) == {"Simulator": 40, "Second": 50}, "never all of them"
    learn(clinic, *[LOST] * 10, *[TAKEN] * 90)
    assert weights(clinic) == {"Simulator": 30, "Second": 50}
    with tenant_scope(clinic.company.tenant.id):
        ProviderAccount.objects.exclude(fell_at=None).update(fell_at=timezone.now() - BACK_EVERY)
    assert weights(clinic) == {"Simulator": 40, "Second": 50}
    with tenant_scope(clinic.company.tenant.id):
        ProviderAccount.objects.exclude(fell_at=None).update(fell_at=timezone.now() - 2 * BACK_EVERY)
    assert weights(clinic) == {"Simulator": 50, "Second": 50}


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 900)), max_size=60), st.integers(1, 100))
def test_weights_stay_in_their_bounds_and_one_stays_up(events: list[tuple[int, int]], resting: int) -> None:
    accounts = [ProviderAccount(tenant_id=uuid4(), name=str(n), weight=resting) for n in range(4)]
    now = timezone.now()
    for which, seconds in events:
        now += timedelta(seconds=seconds)
        fall(accounts[which], [one for one in accounts if one is not accounts[which]], now)
        present = [current_weight(one, now) for one in accounts]
        assert all(1 <= weight <= resting for weight in present)
        assert max(present) == resting
    later = now + 6 * BACK_EVERY * max(1, resting)
    assert [current_weight(one, later) for one in accounts] == [resting] * 4


def test_a_sweep_of_lanes_still_ends(clinic: Pooled) -> None:
    """A broken account is no reason to spin: what waits is not due."""
    break_it(clinic)
    queue(clinic, PEOPLE[:3], pooled=False)
    assert run_next_batch(MARKETING)
    assert not run_next_batch(MARKETING)
