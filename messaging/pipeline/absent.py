"""What becomes of a text of which the provider has no record, long after it was offered: it did not arrive there.

A code is never sent again, for the person has asked for another one by then; an offer is not worth the risk of coming
twice. What a person waits for is offered once more, if it is still worth sending.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db.models import Count, Min, Q
from django.db.models.functions import Now

from common import lanes
from common.clock import database_now
from messaging.models import Attempt, Batch, Message
from messaging.pipeline.attempts import GOOD_FOR
from messaging.pipeline.transitions import Change, apply_changes

__all__ = ["NEVER_ARRIVED", "settle_absent"]

NEVER_ARRIVED: Final = "never_arrived"
OFFERED_ONCE_MORE: Final = frozenset({lanes.CONVERSATION, lanes.TRANSACTIONAL, lanes.REMINDER})


def settle_absent(attempt_ids: Collection[UUID]) -> None:
    """Settle attempts of the active tenant that are in doubt and whose batches the caller has locked."""
    rows = list(
        Attempt.objects.filter(id__in=attempt_ids, state=Attempt.State.UNKNOWN).values_list(
            "id", "message_id", "message__batch_id", "message__batch__lane", "message__batch__state"
        )
    )
    Attempt.objects.filter(id__in=[row[0] for row in rows]).update(state=Attempt.State.ABSENT, resolved_at=Now())
    history = _history([message_id for _, message_id, *_ in rows])
    now = database_now()
    changes, cancelled, reopened = [], [], set()
    for _, message_id, batch_id, lane, state in rows:
        status = _next_status(lane, *history[message_id], now)
        changes.append(Change(message_id, status, error_code=NEVER_ARRIVED))
        if status == Message.Status.QUEUED and state == Batch.State.CANCELLED:
            cancelled.append(Change(message_id, Message.Status.CANCELLED))
        elif status == Message.Status.QUEUED:
            reopened.add(batch_id)
    batch_ids = {batch_id for _, _, batch_id, *_ in rows}
    apply_changes(changes, batch_ids=batch_ids)
    apply_changes(cancelled, batch_ids=batch_ids)
    Batch.objects.filter(id__in=reopened, state=Batch.State.DONE).update(state=Batch.State.QUEUED, not_before=Now())


def _next_status(lane: str, times_absent: int, first_at: datetime, now: datetime) -> str:
    if lane not in OFFERED_ONCE_MORE or times_absent > 1:
        return Message.Status.FAILED
    if now - first_at >= GOOD_FOR[lane]:
        return Message.Status.EXPIRED
    return Message.Status.QUEUED


def _history(message_ids: Collection[UUID]) -> dict[UUID, tuple[int, datetime]]:
    """How often each message did not arrive, and when it was first offered."""
    attempts = Attempt.objects.filter(message_id__in=message_ids).order_by().values_list("message_id")
    rows = attempts.annotate(absent=Count("id", filter=Q(state=Attempt.State.ABSENT)), first_at=Min("created_at"))
    return {message_id: (absent, first_at) for message_id, absent, first_at in rows}
