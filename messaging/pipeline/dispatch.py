"""Stage 4, dispatch: a batch is claimed as one row, its attempts are committed, the provider is called outside any
transaction, and the results are recorded in one statement.

If the process dies: before the attempts are committed, nothing was called and the lease runs out; after that, each
attempt is in doubt and is resolved by ``reconcile`` and by the callbacks, never by calling again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import Count
from django.utils import timezone

from common import lanes
from common.bulk import insert_rows
from common.ids import uuid7
from consent import revocation_lock
from consent.gate import ALLOW
from messaging.models import Attempt, Batch, Message, ProviderAccount
from messaging.pipeline.gate import Candidate, Circumstances, decide_all
from messaging.pipeline.handover import hand_over
from messaging.pipeline.results import Handed, record
from messaging.pipeline.route import choose
from messaging.pipeline.transitions import Change, apply_changes
from messaging.providers.base import SendRequest
from tenants.models import Tenant
from tenants.scope import all_tenants, current_tenant_id, tenant_scope

__all__ = ["LEASE", "run_next_batch"]

LEASE: Final = timedelta(seconds=40)
DEADLINE: Final = timedelta(seconds=30)
"""How long a call may take, fence included; then its attempt counts as unknown."""

VALIDITY_SECONDS: Final[Mapping[str, int]] = {
    lanes.VERIFICATION: 300,
    lanes.CONVERSATION: 4 * 3600,
    lanes.TRANSACTIONAL: 4 * 3600,
    lanes.REMINDER: 3600,
    lanes.MARKETING: 4 * 3600,
}
"""How long the provider may keep a text in its queue before it is too late to send it."""

_CLAIM: Final = """
WITH busy AS (
    SELECT tenant_id, count(*) AS in_flight FROM messaging_batch WHERE state = 'leased' AND lane = %(lane)s GROUP BY 1
)
UPDATE messaging_batch SET state = 'leased', lease = %(lease)s, leased_until = now() + make_interval(secs => %(seconds)s)
WHERE id = (
    SELECT due.id FROM messaging_batch due LEFT JOIN busy USING (tenant_id)
    WHERE due.lane = %(lane)s AND due.state = 'queued' AND NOT due.held AND due.not_before <= now()
    ORDER BY coalesce(busy.in_flight, 0), due.not_before, due.id
    LIMIT 1 FOR UPDATE OF due SKIP LOCKED
)
RETURNING id, tenant_id
"""
"""The next due batch of the tenant that has the fewest in flight; the clock is the database's."""


@dataclass(frozen=True, slots=True)
class _Intents:
    """Committed attempts, ready to be called."""

    account: ProviderAccount
    requests: Sequence[SendRequest]
    handed: Sequence[Handed]


def run_next_batch(lane: str) -> bool:
    """Claim the lane's next due batch and hand it over; False when nothing is due."""
    lease = uuid7()
    claimed = _claim(lane, lease)
    if claimed is None:
        return False
    batch_id, tenant_id = claimed
    with tenant_scope(tenant_id, durable=True):
        intents = _prepare(batch_id, lease)
    if intents is None:
        return True
    results = hand_over(intents.account, intents.requests)
    with tenant_scope(tenant_id, durable=True):
        record(batch_id, lease, intents.handed, results)
    return True


def _claim(lane: str, lease: UUID) -> tuple[UUID, UUID] | None:
    with all_tenants("the dispatcher claims the next batch"), connection.cursor() as cursor:
        cursor.execute(_CLAIM, {"lane": lane, "lease": lease, "seconds": LEASE.total_seconds()})
        row: tuple[UUID, UUID] | None = cursor.fetchone()
        return row


def _prepare(batch_id: UUID, lease: UUID) -> _Intents | None:
    """Decide each message once more and commit an attempt for those that may go. None when none may."""
    batch = Batch.objects.select_for_update().filter(id=batch_id, lease=lease, state=Batch.State.LEASED).first()
    if batch is None:
        return None
    if batch.held:
        Batch.objects.filter(id=batch_id).update(state=Batch.State.QUEUED, lease=None, leased_until=None)
        return None
    revocation_lock.share()
    route = choose(batch.sender_id)
    messages = list(
        Message.objects.filter(batch_id=batch_id, status=Message.Status.QUEUED)
        .order_by("id")
        .values_list("id", "number", "body")
    )
    circumstances = Circumstances(
        tenant=Tenant.objects.get(id=current_tenant_id()),
        purpose=batch.purpose,
        sender_problem=route.problem,
        exemption=batch.exemption,
    )
    decisions = decide_all([Candidate(number) for _, number, _ in messages], circumstances)
    sender_id = route.sender.id if route.sender else None
    changes = [
        Change(
            message_id,
            Message.Status.SUBMITTING if decision.outcome == ALLOW else Message.Status.BLOCKED,
            decision=decision.as_json(),
            sender_id=sender_id,
        )
        for (message_id, _, _), decision in zip(messages, decisions, strict=True)
    ]
    apply_changes(changes, batch_ids=[batch_id])
    going = [message for message, decision in zip(messages, decisions, strict=True) if decision.outcome == ALLOW]
    if not going or route.sender is None:
        Batch.objects.filter(id=batch_id).update(state=Batch.State.DONE, lease=None, leased_until=None)
        return None
    return _write_attempts(batch, route.sender.value, route.sender.provider_account, going)


def _write_attempts(
    batch: Batch, sender: str, account: ProviderAccount, going: Sequence[tuple[UUID, str, str]]
) -> _Intents:
    tried = dict(
        Attempt.objects.filter(message_id__in=[message_id for message_id, _, _ in going])
        .order_by()
        .values_list("message_id")
        .annotate(tries=Count("id"))
    )
    now = timezone.now()
    handed = [
        Handed(attempt_id=uuid7(), message_id=message_id, number=number, n=tried.get(message_id, 0) + 1)
        for message_id, number, _ in going
    ]
    insert_rows(
        Attempt._meta.db_table,
        {
            "id": "uuid",
            "tenant_id": "uuid",
            "message_id": "uuid",
            "n": "smallint",
            "state": "text",
            "provider_account_id": "uuid",
            "provider_message_id": "text",
            "error_code": "text",
            "created_at": "timestamptz",
            "deadline": "timestamptz",
        },
        [
            (
                one.attempt_id,
                batch.tenant_id,
                one.message_id,
                one.n,
                "submitting",
                account.id,
                "",
                "",
                now,
                now + DEADLINE,
            )
            for one in handed
        ],
    )
    callback = f"{settings.PUBLIC_BASE_URL}/callbacks/{account.kind}/{account.id}/status?a="
    requests = [
        SendRequest(
            attempt_id=str(one.attempt_id),
            sender=sender,
            to=number,
            body=body,
            status_callback=f"{callback}{one.attempt_id}",
            validity_seconds=VALIDITY_SECONDS[batch.lane],
        )
        for one, (_, number, body) in zip(handed, going, strict=True)
    ]
    return _Intents(account, requests, handed)
