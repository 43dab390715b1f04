"""A batch that cannot be prepared: it is tried again, then halved until the text that is at fault is alone.

The other texts go on. The one that is left ends with a reason, but only when others were prepared meanwhile or it is not
worth sending any more: what fails for everybody is our fault, and waits until that is mended.
"""

from datetime import timedelta
from typing import Final
from uuid import UUID

from django.db.models import Sum
from django.db.models.functions import Now

from common.clock import database_now
from common.ids import uuid7
from messaging.models import Attempt, Batch, Message
from messaging.pipeline.attempts import GOOD_FOR
from messaging.pipeline.deferral import wake_up
from messaging.pipeline.transitions import Change, apply_changes, recount

__all__ = ["NOT_PREPARABLE", "set_aside"]

TRIES: Final = 3
"""So often a batch is tried as it is."""
LOOK_AGAIN: Final = timedelta(seconds=30)
NOT_PREPARABLE: Final = "not_preparable"


def set_aside(batch_id: UUID, lease: UUID) -> None:
    """Note that a batch of the active tenant could not be prepared, and do what is to be done about it."""
    batch = Batch.objects.select_for_update().filter(id=batch_id, lease=lease, state=Batch.State.LEASED).first()
    if batch is None:
        return
    batch.failures += 1
    batch.state, batch.lease, batch.leased_until = Batch.State.QUEUED, None, None
    batch.not_before = database_now() + LOOK_AGAIN
    batch.save(update_fields=["failures", "state", "lease", "leased_until", "not_before"])
    if batch.failures < TRIES:
        return
    # Preparing woke them, and was rolled back.
    wake_up(batch)
    waiting = list(
        Message.objects.filter(batch_id=batch_id, status=Message.Status.QUEUED)
        .order_by("id")
        .values_list("id", flat=True)
    )
    if len(waiting) > 1:
        _halve(batch, waiting[len(waiting) // 2 :])
    elif waiting and _is_at_fault(batch, waiting[0]):
        apply_changes([Change(waiting[0], Message.Status.FAILED, error_code=NOT_PREPARABLE)], batch_ids=[batch_id])
        Batch.objects.filter(id=batch_id).update(state=Batch.State.DONE)


def _halve(batch: Batch, moved: list[UUID]) -> None:
    """These messages become a batch of their own; each half is halved again at once when it fails."""
    first = batch.id
    Batch.objects.filter(id=first).update(failures=TRIES - 1, not_before=Now())
    batch.id, batch.failures, batch.not_before, batch.tally = uuid7(), TRIES - 1, database_now(), {}
    batch.save(force_insert=True)
    Message.objects.filter(id__among=moved).update(batch_id=batch.id)
    for half in (first, batch.id):
        parts = Message.objects.filter(batch_id=half).exclude(status=Message.Status.BLOCKED)
        Batch.objects.filter(id=half).update(part_count=parts.aggregate(parts=Sum("part_count"))["parts"] or 0)
    recount([first, batch.id])


def _is_at_fault(batch: Batch, message_id: UUID) -> bool:
    """Never while an earlier try may have reached the provider: what becomes of that one decides."""
    if Attempt.objects.filter(message_id=message_id, state__in=Attempt.LIVE).exists():
        return False
    others = Attempt.objects.filter(created_at__gt=batch.created_at).exclude(message_id=message_id)
    return others.exists() or database_now() - batch.created_at > GOOD_FOR[batch.lane]
