"""Pace: no sender goes faster than it may, what waits comes to no harm, and urgent texts go first."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from django.core.cache import cache, caches
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from common.cache import TolerantCache
from common.lanes import CONVERSATION, MARKETING, VERIFICATION
from consent.ledger import OptIn, record_opt_ins
from consent.services import opt_out
from messaging.models import Attempt, Batch, ProviderAccount, Sender, SenderDay
from messaging.pace import buckets
from messaging.pace.buckets import give_back, slow_down, take
from messaging.pace.days import day_of, next_day
from messaging.pace.limits import bucket_of, pace_of
from messaging.pace.rules import Level, fitting, limit_for, seconds_until
from messaging.pipeline.attempts import GOOD_FOR
from messaging.pipeline.dispatch import run_next_batch
from messaging.pipeline.enqueue import Cause, Draft, enqueue
from messaging.pipeline.receipt import apply_pending, store
from messaging.providers.base import StatusUpdate
from tenants.models import AuditEntry
from tenants.scope import tenant_scope
from tests.cast import Cast, Company
from tests.messaging.test_dispatch import number, queue, statuses
from tests.web import sign_in, text_of

pytestmark = pytest.mark.django_db(transaction=True)

SLOW = 0.05
"""A text in twenty seconds: nothing flows in while a test runs."""
NOBODY = "redis://127.0.0.1:1/0"


@pytest.fixture
def clinic(committed_cast: Cast, network: str) -> Company:
    return committed_cast.clinic


@pytest.fixture
def away(settings: Any) -> None:
    """Nobody listens where Redis should be."""
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": NOBODY}}
    buckets._here.clear()


def pace(company: Company, **limits: object) -> None:
    with tenant_scope(company.tenant.id):
        Sender.objects.filter(id=company.sender.id).update(**limits)


def numbers(count: int) -> list[str]:
    return [number(n) for n in range(count)]


def due_now(company: Company) -> None:
    with tenant_scope(company.tenant.id):
        Batch.objects.update(not_before=timezone.now())


def batch_of(company: Company) -> Batch:
    with tenant_scope(company.tenant.id):
        return Batch.objects.get()


def counts(company: Company) -> tuple[int, int]:
    """How many went, and how many wait."""
    known = list(statuses(company).values())
    return known.count("accepted"), known.count("queued")


def later(company: Company, seconds: float, column: str = "at") -> None:
    """As if what happened to the sender's bucket had happened so many seconds before."""
    tolerant = cast(TolerantCache, caches["default"])
    client = tolerant._cache.get_client(write=True)
    key = tolerant.make_key(bucket_of(company.sender))
    if client.hexists(key, column):
        client.hincrbyfloat(key, column, -seconds)


def test_a_campaign_goes_at_the_senders_pace(clinic: Company) -> None:
    pace(clinic, parts_per_second=SLOW)
    queue(clinic, numbers(4))
    assert run_next_batch(MARKETING)
    assert counts(clinic) == (1, 3)
    batch = batch_of(clinic)
    assert (batch.state, batch.lease, batch.tally) == ("queued", None, {"accepted": 1, "queued": 3})
    assert batch.not_before > timezone.now() + timedelta(seconds=10)
    assert not run_next_batch(MARKETING), "it waits in the queue, and no worker for it"
    due_now(clinic)
    assert run_next_batch(MARKETING)
    assert counts(clinic) == (1, 3), "nothing flowed in"
    for gone in (2, 3, 4):
        later(clinic, 20)
        due_now(clinic)
        run_next_batch(MARKETING)
        assert counts(clinic) == (gone, 4 - gone)
    assert batch_of(clinic).state == "done"
    with tenant_scope(clinic.tenant.id):
        assert Attempt.objects.count() == 4
        assert SenderDay.objects.get().part_count == 4


def test_parts_count_and_not_texts(clinic: Company) -> None:
    pace(clinic, parts_per_second=SLOW)
    with tenant_scope(clinic.tenant.id):
        record_opt_ins([OptIn(one, "marketing", "web_form") for one in numbers(9)], actor_id=None)
        cause = Cause(kind="reply", lane=CONVERSATION, purpose="marketing")
        enqueue([Draft(one, "Long. " * 40) for one in numbers(9)], cause)
    run_next_batch(CONVERSATION)
    assert counts(clinic) == (1, 8), "a bucket of two and a half has one text of two parts"


@pytest.mark.parametrize(
    ("kind", "provider", "own", "expected"),
    [
        ("long_code", "twilio", None, 1.0),
        ("toll_free", "twilio", None, 3.0),
        ("short_code", "twilio", None, 100.0),
        ("long_code", "twilio", 75, 75.0),
        ("long_code", "simulator", None, None),
        ("long_code", "simulator", 2, 2.0),
    ],
)
def test_each_kind_has_its_pace(
    clinic: Company, kind: str, provider: str, own: int | None, expected: float | None
) -> None:
    with tenant_scope(clinic.tenant.id):
        sender = Sender(kind=kind, parts_per_second=own, provider_account=ProviderAccount(kind=provider))
    assert pace_of(sender) == expected


def test_a_sender_without_pace_asks_nobody(clinic: Company) -> None:
    queue(clinic, numbers(50))
    run_next_batch(MARKETING)
    assert counts(clinic) == (50, 0)
    client = cast(TolerantCache, caches["default"])._cache.get_client()
    assert client.keys("*pace:*") == []
    with tenant_scope(clinic.tenant.id):
        assert not SenderDay.objects.exists()


def test_an_accounts_limit_holds_for_its_senders(clinic: Company) -> None:
    with tenant_scope(clinic.tenant.id):
        ProviderAccount.objects.update(parts_per_second=SLOW)
    queue(clinic, numbers(3))
    run_next_batch(MARKETING)
    assert counts(clinic) == (1, 2)


def test_what_is_blocked_costs_nothing(clinic: Company) -> None:
    pace(clinic, parts_per_second=SLOW)
    queue(clinic, numbers(3))
    with tenant_scope(clinic.tenant.id):
        opt_out(number=number(0), source="reply", wording="STOP")
    run_next_batch(MARKETING)
    assert statuses(clinic)[number(0)] == "blocked"
    assert counts(clinic) == (0, 2)
    assert run_next_batch(MARKETING), "it is due at once"
    assert counts(clinic) == (1, 1)
    with tenant_scope(clinic.tenant.id):
        assert SenderDay.objects.get().part_count == 1


def test_what_waits_is_decided_when_it_goes(clinic: Company) -> None:
    pace(clinic, parts_per_second=SLOW)
    queue(clinic, numbers(2))
    run_next_batch(MARKETING)
    with tenant_scope(clinic.tenant.id):
        opt_out(number=number(1), source="reply", wording="STOP")
    later(clinic, 20)
    due_now(clinic)
    run_next_batch(MARKETING)
    assert statuses(clinic) == {number(0): "accepted", number(1): "blocked"}
    assert batch_of(clinic).state == "done"


@pytest.mark.usefixtures("away")
def test_without_redis_it_goes_slower_and_never_without_limit(clinic: Company) -> None:
    pace(clinic, parts_per_second=SLOW)
    queue(clinic, numbers(3))
    for _ in range(3):
        run_next_batch(MARKETING)
        due_now(clinic)
    assert counts(clinic) == (0, 3)


@pytest.mark.usefixtures("away")
def test_without_redis_it_does_not_stop_for_good(clinic: Company) -> None:
    pace(clinic, parts_per_second=900_000)
    queue(clinic, numbers(3))
    run_next_batch(MARKETING)
    for bucket in buckets._here.values():
        bucket.at -= 10
    due_now(clinic)
    run_next_batch(MARKETING)
    assert counts(clinic) == (3, 0)


def test_the_cap_of_the_day_survives_an_empty_redis(clinic: Company) -> None:
    pace(clinic, parts_per_day=3)
    queue(clinic, numbers(5))
    run_next_batch(MARKETING)
    assert counts(clinic) == (3, 2)
    assert batch_of(clinic).not_before > timezone.now()
    cache.clear()
    due_now(clinic)
    run_next_batch(MARKETING)
    assert counts(clinic) == (3, 2)
    with tenant_scope(clinic.tenant.id):
        SenderDay.objects.update(day=day_of(timezone.now()) - timedelta(days=1))
    due_now(clinic)
    run_next_batch(MARKETING)
    assert counts(clinic) == (5, 0), "the next day has parts of its own"


@pytest.mark.parametrize("age", [timedelta(), GOOD_FOR[VERIFICATION] + timedelta(seconds=1)])
def test_what_is_good_for_a_time_ends_when_that_has_passed(clinic: Company, age: timedelta) -> None:
    pace(clinic, parts_per_day=0)
    with tenant_scope(clinic.tenant.id):
        enqueue([Draft(number(1), "Your code is 1234")], Cause(kind="otp", lane=VERIFICATION, purpose="otp"))
        Batch.objects.update(created_at=timezone.now() - age)
    run_next_batch(VERIFICATION)
    assert statuses(clinic) == {number(1): "expired" if age else "queued"}
    assert batch_of(clinic).not_before < timezone.now() + timedelta(minutes=1)


def test_a_bucket_is_shared_by_all() -> None:
    limits = [limit_for(SLOW, largest=40, urgent=True)]
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda _: take(["pace:x:sender:y"], limits, [1] * 9).count, range(16)))
    assert sum(taken) == int(limits[0].capacity)


def test_marketing_leaves_a_share_to_urgent_texts() -> None:
    keys, costs = ["pace:x:sender:y"], [1] * 500
    assert take(keys, [limit_for(99, largest=1, urgent=False)], costs).count == 100
    assert take(keys, [limit_for(0.001, largest=100, urgent=True)], costs).count in (25, 26)


def test_what_is_given_back_is_there_and_no_more_than_fits() -> None:
    keys, limits = ["pace:x:sender:y"], [limit_for(SLOW, largest=10, urgent=True)]
    assert take(keys, limits, [1] * 99).count == 12
    give_back(keys, limits, 5)
    assert take(keys, limits, [1] * 99).count == 5
    give_back(keys, limits, 500)
    assert take(keys, limits, [1] * 99).count == 12


parts = st.lists(st.integers(1, 24), max_size=40)
rates = st.floats(0.05, 5_000)


@given(parts, st.floats(-50, 500))
def test_what_fits_is_as_much_as_there_is(costs: list[int], room: float) -> None:
    count = fitting(costs, room)
    assert count == 0 or sum(costs[:count]) <= room
    assert count == len(costs) or sum(costs[: count + 1]) > room


@given(parts.filter(bool), rates, st.booleans(), st.floats(0, 1))
def test_after_the_wait_the_next_text_fits(costs: list[int], rate: float, urgent: bool, filled: float) -> None:
    """Also when a lane must leave a share: no text is too long to ever go."""
    limit = limit_for(rate, largest=max(costs), urgent=urgent)
    tokens = filled * limit.capacity
    wait = seconds_until(costs, [limit], [Level(tokens, rate)])
    there = min(limit.capacity, tokens + wait * rate)
    assert fitting(costs, there - limit.reserve + 1e-6 * limit.capacity) >= 1
    assert wait <= limit.capacity / rate


@pytest.mark.parametrize(
    ("at", "day", "begins"),
    [
        (datetime(2026, 7, 1, 6, 59, tzinfo=UTC), "2026-06-30", datetime(2026, 7, 1, 7, tzinfo=UTC)),
        (datetime(2026, 7, 1, 7, 0, tzinfo=UTC), "2026-07-01", datetime(2026, 7, 2, 7, tzinfo=UTC)),
        (datetime(2026, 3, 8, 9, 0, tzinfo=UTC), "2026-03-08", datetime(2026, 3, 9, 7, tzinfo=UTC)),
        (datetime(2026, 1, 1, 8, 0, tzinfo=UTC), "2026-01-01", datetime(2026, 1, 2, 8, tzinfo=UTC)),
    ],
)
def test_the_day_begins_at_midnight_pacific(at: datetime, day: str, begins: datetime) -> None:
    assert (day_of(at).isoformat(), next_day(at)) == (day, begins)


def told(company: Company, code: str, **attempt: object) -> None:
    """A receipt of the first attempt with this error code."""
    with tenant_scope(company.tenant.id):
        one = Attempt.objects.order_by("id")[0]
        Attempt.objects.filter(id=one.id).update(**attempt)
        store(company.account, one.id, StatusUpdate(one.provider_message_id, "undelivered", "undelivered", code))
    apply_pending()


@pytest.mark.parametrize(
    ("code", "rate"), [("20429", 100), ("30022", 50), ("30001", 50), ("30017", 50), ("21611", 50), ("30003", 100)]
)
def test_too_fast_halves_the_pace_for_some_minutes(clinic: Company, code: str, rate: float) -> None:
    pace(clinic, parts_per_second=100)
    queue(clinic, numbers(2))
    run_next_batch(MARKETING)
    told(clinic, code)
    told(clinic, code + "x")
    key, limits = [bucket_of(clinic.sender)], [limit_for(100, largest=1, urgent=False)]
    assert take(key, limits, []).levels[0].rate == pytest.approx(rate, rel=0.05)
    later(clinic, 150, "slowed_at")
    assert take(key, limits, []).levels[0].rate == pytest.approx((100 + rate) / 2, rel=0.05)
    later(clinic, 150, "slowed_at")
    assert take(key, limits, []).levels[0].rate == 100


def test_many_refusals_at_once_halve_it_once_and_never_to_nothing(clinic: Company) -> None:
    key, limits = bucket_of(clinic.sender), [limit_for(100, largest=1, urgent=False)]
    for n in range(10):
        slow_down(key)
        slow_down(key)
        later(clinic, 11, "slowed_at")
        assert 100 / 16 <= take([key], limits, []).levels[0].rate <= (55 if n == 0 else 60)


def test_a_full_day_holds_the_sender_until_the_next(client: Client, committed_cast: Cast, clinic: Company) -> None:
    queue(clinic, numbers(1))
    run_next_batch(MARKETING)
    told(clinic, "30023")
    with tenant_scope(clinic.tenant.id):
        held = Sender.objects.get()
        assert (held.held_until, held.held_because) == (next_day(timezone.now()), "30023")
        assert AuditEntry.objects.filter(action="sender.held").count() == 1
    queue(clinic, [number(50)])
    run_next_batch(MARKETING)
    assert statuses(clinic)[number(50)] == "queued"
    sign_in(client, committed_cast.alice, clinic.tenant)
    page = text_of(client.get(reverse("senders")))
    assert "The carrier takes no more texts of this brand today" in page
    client.post(reverse("sender_act", args=[clinic.sender.id, "pause"]))
    client.post(reverse("sender_act", args=[clinic.sender.id, "activate"]))
    due_now(clinic)
    run_next_batch(MARKETING)
    assert statuses(clinic)[number(50)] == "accepted", "a person took it up again"


def test_the_settings_show_and_change_the_pace(client: Client, committed_cast: Cast, clinic: Company) -> None:
    sign_in(client, committed_cast.alice, clinic.tenant)
    assert "No limit" in text_of(client.get(reverse("senders")))
    address = reverse("sender_pace", args=[clinic.sender.id])
    assert "trust score 75 to 100 75" in text_of(client.get(address))
    assert client.post(address, {"parts_per_second": "1.25", "parts_per_day": "2000"}).status_code == 302
    queue(clinic, numbers(1))
    run_next_batch(MARKETING)
    page = " ".join(text_of(client.get(reverse("senders"))).split())
    assert "1.25 parts a second 1 of 2,000 parts today" in page.replace('<span class="cell-below">', "")
    with tenant_scope(clinic.tenant.id):
        entry = AuditEntry.objects.get(action="sender.pace_changed")
    assert entry.after == {"parts_per_second": "1.25", "parts_per_day": 2000}


@pytest.mark.parametrize(
    "typed", [{"parts_per_second": "0"}, {"parts_per_second": "-1"}, {"parts_per_second": "x"}, {"parts_per_day": "99"}]
)
def test_not_every_pace_is_possible(
    client: Client, committed_cast: Cast, clinic: Company, typed: dict[str, str]
) -> None:
    sign_in(client, committed_cast.alice, clinic.tenant)
    assert client.post(reverse("sender_pace", args=[clinic.sender.id]), typed).status_code == 422
    with tenant_scope(clinic.tenant.id):
        assert not AuditEntry.objects.filter(action="sender.pace_changed").exists()


def test_agents_and_strangers_change_no_pace(client: Client, committed_cast: Cast, clinic: Company) -> None:
    address = reverse("sender_pace", args=[clinic.sender.id])
    sign_in(client, committed_cast.bob, clinic.tenant)
    assert client.post(address, {"parts_per_second": "3"}).status_code == 403
    sign_in(client, committed_cast.charlie, committed_cast.shop.tenant)
    assert client.post(address, {"parts_per_second": "3"}).status_code == 404


def test_a_hold_ends_with_the_day(clinic: Company) -> None:
    pace(clinic, held_until=timezone.now() - timedelta(seconds=1), held_because="30027")
    queue(clinic, numbers(1))
    run_next_batch(MARKETING)
    assert counts(clinic) == (1, 0)


@pytest.mark.parametrize("code", ["30023", "30022"])
def test_old_news_changes_nothing(clinic: Company, code: str) -> None:
    pace(clinic, parts_per_second=100, taken_up_at=timezone.now() - timedelta(days=9))
    queue(clinic, numbers(1))
    run_next_batch(MARKETING)
    told(clinic, code, created_at=timezone.now() - timedelta(days=1))
    with tenant_scope(clinic.tenant.id):
        assert Sender.objects.get().held_until is None
    limits = [limit_for(100, largest=1, urgent=False)]
    assert take([bucket_of(clinic.sender)], limits, []).levels[0].rate == 100


def test_the_oldest_batch_of_a_sender_goes_first(clinic: Company) -> None:
    """The others of a large campaign do not ask each second for the same few parts."""
    pace(clinic, parts_per_second=SLOW)
    first = queue(clinic, numbers(10))
    second = queue(clinic, [number(n) for n in range(40, 60)])
    while run_next_batch(MARKETING):
        pass
    with tenant_scope(clinic.tenant.id):
        due = dict(Batch.objects.values_list("id", "not_before"))
    assert due[first] < due[second]
    assert due[second] <= timezone.now() + timedelta(seconds=60)
