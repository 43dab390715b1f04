"""One tenant queues very much: what the others wait, in simulated time."""

from heapq import heappop, heappush
from uuid import UUID

import pytest

from common.ids import uuid7
from common.lanes import MARKETING
from messaging.models import Batch
from messaging.pipeline import claim as claiming
from messaging.pipeline.claim import claim
from tenants.scope import all_tenants
from tests.cast import Cast, Company
from tests.faults.world import numbers
from tests.messaging.test_dispatch import queue

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.faults]

PEOPLE = numbers(2)
WORKERS, BATCH_SECONDS = 4, 4.0
"""Longer than a batch of five hundred takes at a provider that answers within a second."""
QUEUED, ARRIVALS, EVERY = 60, 10, 3.7


def waits(many: Company, few: Company) -> list[float]:
    """Seconds that the batches of one tenant wait behind the queue of another, in simulated time: claims are the
    product's, and a worker that has claimed a batch is busy for so long."""
    for _ in range(QUEUED):
        queue(many, PEOPLE[:1])
    arrived: dict[UUID, float] = {}
    waited, coming = [], [n * EVERY for n in range(1, ARRIVALS + 1)]
    # When each worker is free again, and what it has done by then.
    workers: list[tuple[float, int, UUID | None]] = [(n * BATCH_SECONDS / WORKERS, n, None) for n in range(WORKERS)]
    while workers[0][0] <= EVERY * (ARRIVALS + 1):
        now, worker, done = heappop(workers)
        with all_tenants("test"):
            Batch.objects.filter(id=done).update(state="done", lease=None, leased_until=None)
        while coming and coming[0] <= now:
            arrived[queue(few, PEOPLE[1:2])] = coming.pop(0)
        batch_id = (claim(MARKETING, uuid7()) or (None,))[0]
        if batch_id in arrived:
            waited.append(now - arrived.pop(batch_id))
        heappush(workers, (now + BATCH_SECONDS, worker, batch_id))
    return waited + [float("inf")] * len(arrived)


@pytest.mark.fault("F26")
@pytest.mark.counterproof("F26")
@pytest.mark.parametrize("fair", [True, False])
def test_a_long_queue_of_one_tenant_keeps_no_other_waiting(
    committed_cast: Cast, monkeypatch: pytest.MonkeyPatch, fair: bool
) -> None:
    """At the 95th percentile less than five seconds; first come, first served (the counter-proof) would be without end."""
    if not fair:
        by_turns = "ORDER BY coalesce(busy.in_flight, 0), oldest.not_before"
        assert by_turns in claiming._CLAIM
        monkeypatch.setattr(claiming, "_CLAIM", claiming._CLAIM.replace(by_turns, "ORDER BY oldest.not_before"))
    waited = sorted(waits(committed_cast.clinic, committed_cast.shop))
    assert len(waited) == ARRIVALS
    assert (waited[int(0.95 * (len(waited) - 1))] < 5) is fair, waited
