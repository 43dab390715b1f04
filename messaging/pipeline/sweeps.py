"""Nothing stays stuck: each state in which a dead process or a lost answer can leave something has a sweep here.

An attempt in doubt is never sent again: its receipts or the provider's record settle it (``reconcile``), or it ends as
"unconfirmed" when the provider can no longer have it queued.
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import Final
from uuid import UUID

from django.db.models import Exists, OuterRef
from django.db.models.functions import Now

from common.failpoints import failpoint
from common.retries import each
from messaging.models import Attempt, Batch, Message
from messaging.pipeline.transitions import Change, apply_changes, lock_batches
from tenants.scope import all_tenants, tenant_scope

__all__ = ["UNCONFIRMED_AFTER", "give_up_unconfirmed", "mark_unknown", "release_expired_leases"]

PAGE: Final = 1_000
UNCONFIRMED_AFTER: Final = timedelta(hours=10)
"""The longest that a provider keeps a text queued (Twilio's maximum validity period)."""


def release_expired_leases() -> int:
    """Give back batches whose worker died: what was not called yet is due again, the rest is in doubt already."""
    with all_tenants("find expired leases"):
        expired = list(
            Batch.objects.filter(state=Batch.State.LEASED, leased_until__lt=Now()).values_list("tenant_id", "id")[:PAGE]
        )
    each(expired, lambda found: _release(*found), doing="release an expired lease")
    return len(expired)


def _release(tenant_id: UUID, batch_id: UUID) -> None:
    with tenant_scope(tenant_id):
        leased = Batch.objects.select_for_update().filter(id=batch_id, state=Batch.State.LEASED)
        batch = leased.filter(leased_until__lt=Now()).first()
        if batch is not None:
            waiting = Message.objects.filter(batch_id=batch_id, status__in=Message.WAITING)
            batch.state = Batch.State.QUEUED if waiting.exists() else Batch.State.DONE
            batch.lease = batch.leased_until = None
            batch.save(update_fields=["state", "lease", "leased_until"])


def mark_unknown() -> int:
    """Calls past their deadline without a recorded answer: the provider may or may not have the text."""
    return _move_attempts(
        Attempt.State.SUBMITTING, timedelta(), attempt_state=Attempt.State.UNKNOWN, status=Message.Status.UNKNOWN
    )


def give_up_unconfirmed() -> int:
    """Attempts still in doubt when the provider can no longer have the text queued."""
    return _move_attempts(
        Attempt.State.UNKNOWN, UNCONFIRMED_AFTER, attempt_state=Attempt.State.UNKNOWN, status=Message.Status.UNCONFIRMED
    )


def _move_attempts(found: str, overdue: timedelta, *, attempt_state: str, status: str) -> int:
    with all_tenants("find attempts past their deadline"):
        unresolved = Message.objects.filter(
            id=OuterRef("message_id"), status__in=[Message.Status.SUBMITTING, Message.Status.UNKNOWN]
        )
        late = Attempt.objects.filter(Exists(unresolved), state=found, deadline__lt=Now() - overdue)
        rows = list(late.values_list("tenant_id", "id")[:PAGE])
    by_tenant: dict[UUID, list[UUID]] = {}
    for tenant_id, attempt_id in rows:
        by_tenant.setdefault(tenant_id, []).append(attempt_id)

    def move(item: tuple[UUID, list[UUID]]) -> None:
        tenant_id, attempt_ids = item
        with tenant_scope(tenant_id):
            _move(attempt_ids, found, attempt_state, status)

    each(by_tenant.items(), move, doing="settle attempts in doubt")
    return len(rows)


def _move(attempt_ids: Iterable[UUID], found: str, attempt_state: str, status: str) -> None:
    in_doubt = Attempt.objects.filter(id__in=list(attempt_ids), state=found)
    batch_ids = lock_batches(in_doubt.values_list("message__batch_id", flat=True))
    # Behind the lock nobody else resolves them: those that still are in doubt stay so.
    rows = list(in_doubt.values_list("id", "message_id"))
    Attempt.objects.filter(id__in=[attempt_id for attempt_id, _ in rows]).update(state=attempt_state)
    failpoint("half_given_up")
    apply_changes(
        [Change(message_id, status, error_code="no_answer") for _, message_id in rows],
        batch_ids=batch_ids,
    )
