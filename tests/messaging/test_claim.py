"""Who is next: fair over tenants, whatever one of them has queued (fault F26)."""

import json
from collections import Counter
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg2
import pytest
from django.db import connection
from django.utils import timezone

from common.ids import uuid7
from common.lanes import CONVERSATION, MARKETING
from common.planner import refresh_statistics
from messaging.models import Batch, DispatchState
from messaging.pipeline import claim as claiming
from messaging.pipeline.claim import claim, lanes_with_work
from tenants.scope import all_tenants, tenant_scope
from tests.cast import Cast, Company

pytestmark = pytest.mark.django_db(transaction=True)

MANY = 3_000


def queue(company: Company, count: int, *, lane: str = MARKETING, **options: object) -> None:
    with tenant_scope(company.tenant.id):
        Batch.objects.bulk_create(
            Batch(lane=lane, purpose="marketing", cause_kind="campaign", **options)  # type: ignore[misc]
            for _ in range(count)
        )


def claims(count: int, lane: str = MARKETING) -> list[UUID]:
    """The tenants whose batches are claimed one after the other, without any being finished."""
    found = [claim(lane, uuid7()) for _ in range(count)]
    return [one[1] for one in found if one is not None]


def test_a_tenant_with_a_thousand_times_as_much_takes_turns(committed_cast: Cast) -> None:
    """So another one's batch waits for one claim, not for three thousand."""
    queue(committed_cast.clinic, MANY)
    queue(committed_cast.shop, 3)
    order = claims(7)
    clinic, shop = committed_cast.clinic.tenant.id, committed_cast.shop.tenant.id
    assert Counter(order) == {clinic: 4, shop: 3}
    assert all({first, second} == {clinic, shop} for first, second in zip(order[:6:2], order[1:6:2], strict=True))


def test_without_turns_the_other_would_wait(committed_cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    first_come = claiming._CLAIM.replace("coalesce(busy.in_flight, 0), ", "")
    assert first_come != claiming._CLAIM
    monkeypatch.setattr(claiming, "_CLAIM", first_come)
    queue(committed_cast.clinic, 20)
    queue(committed_cast.shop, 1)
    assert committed_cast.shop.tenant.id not in claims(10)


def test_what_a_dead_worker_holds_costs_no_turn(committed_cast: Cast) -> None:
    long_ago = timezone.now() - timedelta(hours=1)
    queue(committed_cast.clinic, 5, state="leased", leased_until=long_ago)
    queue(committed_cast.clinic, 1, not_before=long_ago)
    queue(committed_cast.shop, 1)
    assert claims(1) == [committed_cast.clinic.tenant.id]


@pytest.mark.parametrize(("most", "clinics"), [(0, 6), (3, 3), (1, 1)])
def test_a_tenant_has_so_many_batches_under_way_at_most(
    committed_cast: Cast, settings: Any, most: int, clinics: int
) -> None:
    """Back-pressure: its others wait for one of these to end, not for a worker."""
    settings.TENANT_BATCHES_AT_ONCE = most
    clinic, shop = committed_cast.clinic.tenant.id, committed_cast.shop.tenant.id
    queue(committed_cast.clinic, 6)
    assert claims(8) == [clinic] * clinics
    queue(committed_cast.shop, 1)
    assert claims(2) == [shop], "there is room for the others"
    with tenant_scope(clinic):
        Batch.objects.filter(state="leased").update(state="done")
    queue(committed_cast.clinic, 1)
    assert claims(1) == [clinic]


@pytest.mark.parametrize(
    "options",
    [
        {"held": True},
        {"state": "cancelled"},
        {"state": "done"},
        {"not_before": timezone.now() + timedelta(hours=1)},
        {"lane": CONVERSATION},
    ],
    ids=lambda options: next(iter(options)) + str(options.get("state", "")),
)
def test_only_what_is_due_in_the_lane_is_claimed(committed_cast: Cast, options: dict[str, object]) -> None:
    queue(committed_cast.clinic, 2, **options)  # type: ignore[arg-type]
    assert claims(1) == []


def test_the_oldest_batch_of_a_tenant_comes_first(committed_cast: Cast) -> None:
    now = timezone.now()
    for minutes in (1, 3, 2):
        queue(committed_cast.clinic, 1, not_before=now - timedelta(minutes=minutes))
    found = [claim(MARKETING, uuid7()) for _ in range(3)]
    with tenant_scope(committed_cast.clinic.tenant.id):
        times = [Batch.objects.get(id=one[0]).not_before for one in found if one]
    assert times == sorted(times)


def test_a_batch_that_another_worker_is_claiming_is_passed_over(committed_cast: Cast) -> None:
    queue(committed_cast.clinic, 1)
    queue(committed_cast.shop, 1)
    where = connection.get_connection_params()
    with psycopg2.connect(
        **{key: where[key] for key in ("dbname", "user", "password", "host", "port") if key in where}
    ) as other:
        cursor = other.cursor()
        cursor.execute(
            "SELECT id FROM messaging_batch WHERE tenant_id = %s FOR UPDATE", [str(committed_cast.clinic.tenant.id)]
        )
        assert claims(2) == [committed_cast.shop.tenant.id]
    other.close()
    assert claims(1) == [committed_cast.clinic.tenant.id]


def test_nothing_is_claimed_on_hold(committed_cast: Cast) -> None:
    queue(committed_cast.clinic, 1)
    DispatchState.objects.create(identity="x", held_since=timezone.now())
    assert claims(1) == []


def test_hints_are_counted_up_to_a_few(committed_cast: Cast) -> None:
    queue(committed_cast.clinic, 20)
    queue(committed_cast.shop, 1, lane=CONVERSATION)
    assert lanes_with_work(most=8) == {MARKETING: 8, CONVERSATION: 1}


def test_a_claim_reads_a_handful_of_rows_however_long_the_queue_is(committed_cast: Cast) -> None:
    queue(committed_cast.clinic, MANY)
    queue(committed_cast.shop, 3)
    refresh_statistics(Batch)
    parameters = {"lane": MARKETING, "lease": uuid7(), "seconds": 40.0, "most": claiming.NO_CAP}
    with all_tenants("look at the plan"), connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {claiming._CLAIM}", parameters)
        found = cursor.fetchone()[0]
    plan = (json.loads(found) if isinstance(found, str) else found)[0]["Plan"]
    assert _rows_read(plan) < 50


def _rows_read(node: dict[str, object]) -> float:
    """Rows that the scans of the plan looked at, those that a filter removed among them."""
    below = sum(_rows_read(child) for child in node.get("Plans", []))  # type: ignore[attr-defined]
    if node.get("Relation Name") != "messaging_batch":
        return below
    rows = float(node["Actual Rows"]) + float(node.get("Rows Removed by Filter", 0))  # type: ignore[arg-type]
    return below + rows * float(node["Actual Loops"])  # type: ignore[arg-type]
