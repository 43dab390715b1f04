"""Texts that wait for somebody's morning: they stand in batches of one wake time each, and are decided again then.

A batch that waits costs nothing: nobody looks at it before its time, and its texts are woken by one statement. So the
night of a million people is some thousands of rows.
"""

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db.models import Sum

from common import lanes
from messaging.models import Batch, Message
from messaging.pipeline.transitions import Change, apply_changes, recount

__all__ = ["TOO_LATE", "is_stale", "put_off", "wake_at", "wake_up", "worth_waiting"]

TOO_LATE: Final = "quiet_hours"
"""The error code of a text that would have had to wait for longer than it is worth."""
SPREAD: Final = timedelta(minutes=2)
"""All of a time zone wakes at the same second; its batches come one by one."""

_WORTH_WAITING: Final[Mapping[str, timedelta]] = {
    # A long weekend with a holiday, where a state allows neither.
    lanes.MARKETING: timedelta(days=7),
}
_WORTH_A_NIGHT: Final = timedelta(hours=24)


def is_stale(batch: Batch, until: datetime) -> bool:
    """Whether a text of the batch would be of no use any more at that time."""
    return until - batch.created_at > worth_waiting(batch.lane)


def worth_waiting(lane: str) -> timedelta:
    """How long after it was planned a text of the lane is of use."""
    return _WORTH_WAITING.get(lane, _WORTH_A_NIGHT)


def wake_at(until: datetime) -> datetime:
    """When a batch that waits until then comes: a moment later, each another one."""
    return until + SPREAD * random.random()  # noqa: S311 - spreads load, hides nothing


def wake_up(batch: Batch) -> None:
    """The texts of a batch whose time has come stand in the queue again."""
    if batch.tally.get(Message.Status.DEFERRED.value):
        asleep = Message.objects.filter(batch_id=batch.id, status=Message.Status.DEFERRED).values_list("id", flat=True)
        apply_changes([Change(message_id, Message.Status.QUEUED) for message_id in asleep], batch_ids=[batch.id])


def put_off(batch: Batch, waits: Sequence[tuple[UUID, datetime]]) -> None:
    """Move deferred texts (message, until) of a locked batch into batches that come when their people wake up."""
    by_time: dict[datetime, list[UUID]] = defaultdict(list)
    for message_id, until in waits:
        by_time[until].append(message_id)
    moved = 0
    made = []
    for until in sorted(by_time):
        later = _later(batch, until)
        rows = Message.objects.filter(id__in=by_time[until], batch_id=batch.id)
        later.part_count = rows.aggregate(parts=Sum("part_count"))["parts"] or 0
        later.save(force_insert=True)
        rows.update(batch=later)
        moved += later.part_count
        made.append(later.id)
    if made:
        batch.part_count = max(0, batch.part_count - moved)
        Batch.objects.filter(id=batch.id).update(part_count=batch.part_count)
        recount([batch.id, *made])


def _later(batch: Batch, until: datetime) -> Batch:
    """A batch of the same cause. It keeps the time at which it was planned: that is how old its texts are."""
    return Batch(
        lane=batch.lane,
        purpose=batch.purpose,
        cause_kind=batch.cause_kind,
        cause_id=batch.cause_id,
        sender_id=batch.sender_id,
        pool_id=batch.pool_id,
        exemption=batch.exemption,
        created_at=batch.created_at,
        not_before=wake_at(until),
        due_from=until,
    )
