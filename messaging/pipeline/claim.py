"""Claiming a batch: the next due one of the tenant that has the fewest in flight, as one row, by the database's clock.

However many batches a tenant has queued, a claim reads one of each tenant that has work: a queue of millions delays
neither the claims nor another tenant's texts.
"""

from datetime import timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import connection

from common import lanes
from tenants.scope import all_tenants

__all__ = ["LEASE", "claim", "lanes_with_work"]

LEASE: Final = timedelta(seconds=40)

NO_CAP: Final = 1_000_000

_WITH_WORK: Final = """
with_work AS (
    (SELECT tenant_id FROM messaging_batch
     WHERE lane = %(lane)s AND state = 'queued' AND NOT held ORDER BY tenant_id LIMIT 1)
    UNION ALL
    SELECT (SELECT tenant_id FROM messaging_batch
            WHERE lane = %(lane)s AND state = 'queued' AND NOT held AND tenant_id > w.tenant_id ORDER BY tenant_id LIMIT 1)
    FROM with_work w WHERE w.tenant_id IS NOT NULL
)
"""
"""The tenants with queued batches, from one to the next by the index ``batch_due``."""

_CLAIM: Final = f"""
WITH RECURSIVE {_WITH_WORK}, busy AS (
    SELECT tenant_id, count(*) AS in_flight FROM messaging_batch
    WHERE state = 'leased' AND lane = %(lane)s AND leased_until > now() GROUP BY 1
), turns AS (
    SELECT w.tenant_id FROM with_work w LEFT JOIN busy USING (tenant_id) CROSS JOIN LATERAL (
        SELECT not_before FROM messaging_batch
        WHERE lane = %(lane)s AND tenant_id = w.tenant_id AND state = 'queued' AND NOT held AND not_before <= now()
        ORDER BY not_before, id LIMIT 1) oldest
    WHERE coalesce(busy.in_flight, 0) < %(most)s
    ORDER BY coalesce(busy.in_flight, 0), oldest.not_before
)
UPDATE messaging_batch SET state = 'leased', lease = %(lease)s, leased_until = now() + make_interval(secs => %(seconds)s)
WHERE id = (
    SELECT due.id FROM turns CROSS JOIN LATERAL (
        SELECT id FROM messaging_batch
        WHERE lane = %(lane)s AND tenant_id = turns.tenant_id AND state = 'queued' AND NOT held AND not_before <= now()
        ORDER BY not_before, id LIMIT 1 FOR UPDATE SKIP LOCKED) due
    WHERE NOT EXISTS (SELECT FROM messaging_dispatchstate WHERE held_since IS NOT NULL)
    LIMIT 1
)
RETURNING id, tenant_id
"""  # noqa: S608 - our own constants
"""A lease that has run out does not count as in flight: a dead worker must not cost its tenant its turn."""

_DUE: Final = f"""
WITH RECURSIVE {_WITH_WORK}
SELECT count(*) FROM (
    SELECT FROM with_work w CROSS JOIN LATERAL (
        SELECT FROM messaging_batch
        WHERE lane = %(lane)s AND tenant_id = w.tenant_id AND state = 'queued' AND NOT held AND not_before <= now()
        LIMIT %(most)s) due
    LIMIT %(most)s
) up_to
"""  # noqa: S608 - our own constants


def claim(lane: str, lease: UUID) -> tuple[UUID, UUID] | None:
    """Lease the lane's next batch: (batch, tenant), or None when nothing is due.

    Of a tenant with ``TENANT_BATCHES_AT_ONCE`` batches under way in the lane none: its slow provider would hold all
    workers, and the texts of others that come meanwhile would wait.
    """
    with all_tenants("the dispatcher claims the next batch"), connection.cursor() as cursor:
        most = settings.TENANT_BATCHES_AT_ONCE or NO_CAP
        cursor.execute(_CLAIM, {"lane": lane, "lease": lease, "seconds": LEASE.total_seconds(), "most": most})
        row: tuple[UUID, UUID] | None = cursor.fetchone()
        return row


def lanes_with_work(*, most: int) -> dict[str, int]:
    """The lanes that have due batches, with how many; counted up to ``most``."""
    due = {}
    with all_tenants("find lanes with due batches"), connection.cursor() as cursor:
        for lane in lanes.SENDING_LANES:
            cursor.execute(_DUE, {"lane": lane, "most": most})
            due[lane] = int(cursor.fetchone()[0])
    return {lane: batches for lane, batches in due.items() if batches}
