"""Stage 4, dispatch: a batch is claimed as one row, its attempts are committed, the provider is called outside any
transaction, and the results are recorded in one statement.

If the process dies: before the attempts are committed, nothing was called and the lease runs out; after that, each
attempt is in doubt and is resolved by ``reconcile`` and by the callbacks, never by calling again.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db.models.functions import Now

from common import lanes
from common.clock import database_now
from common.failpoints import failpoint
from common.ids import uuid7
from common.retries import insist, log_failure, passes
from consent import revocation_lock
from consent.decision import ALLOW, DEFER, Decision
from messaging.models import Batch, Message, ProviderAccount
from messaging.pipeline.adoption import adopt_recovered, recently_restored
from messaging.pipeline.attempts import GOOD_FOR, requests_of, write_attempts
from messaging.pipeline.carrier import carrier_of, may_have_arrived, route_notes
from messaging.pipeline.claim import claim
from messaging.pipeline.deferral import TOO_LATE, is_stale, put_off, wake_up
from messaging.pipeline.gate import Candidate, Circumstances, decide_all
from messaging.pipeline.handover import hand_over
from messaging.pipeline.hygiene import count_kept_back
from messaging.pipeline.pacing import allow
from messaging.pipeline.quiet import time_left
from messaging.pipeline.restoration import look, remember_hand_over
from messaging.pipeline.results import Handed, learn_opt_outs, record
from messaging.pipeline.route import Route
from messaging.pipeline.set_aside import set_aside
from messaging.pipeline.spending import count_parts
from messaging.pipeline.transitions import Change, apply_changes
from messaging.providers.base import SendRequest
from messaging.routing.breaker import PROBE_TEXTS, give_probe_back, note
from tenants.models import Tenant
from tenants.scope import current_tenant_id, tenant_scope

__all__ = ["run_next_batch"]

RECORD_SECONDS: Final = 300.0
"""How long a worker tries to write answers down when the database is away: they are known to nobody else."""


@dataclass(frozen=True, slots=True)
class _Intents:
    """Committed attempts, ready to be called."""

    account: ProviderAccount
    requests: Sequence[SendRequest]
    handed: Sequence[Handed]
    good_for: timedelta
    intended_at: float
    """Monotonic seconds at which opt-outs were last known; the fence counts from here."""


def run_next_batch(lane: str) -> bool:
    """Claim the lane's next due batch and hand it over; False when nothing is due."""
    look()
    lease = uuid7()
    claimed = claim(lane, lease)
    if claimed is None:
        return False
    failpoint("after_claim")
    batch_id, tenant_id = claimed
    try:
        with tenant_scope(tenant_id, durable=True):
            intents = _prepare(batch_id, lease)
    except Exception as error:
        if passes(error):
            raise  # the lease runs out, and the batch is tried again
        log_failure(f"Batch {batch_id} of tenant {tenant_id} could not be prepared", error)
        with tenant_scope(tenant_id, durable=True):
            set_aside(batch_id, lease)
        return True
    if intents is None:
        return True
    remember_hand_over(max(one.attempt_id for one in intents.handed))
    failpoint("after_intent")
    results = hand_over(intents.account, intents.requests, intended_at=intents.intended_at)
    failpoint("after_response")

    def write_down() -> None:
        with tenant_scope(tenant_id, durable=True):
            record(batch_id, lease, intents.handed, results, good_for=intents.good_for)
            # Together: an answer that is written down is never looked at again.
            learn_opt_outs(intents.handed, results)

    insist(write_down, seconds=RECORD_SECONDS)
    with tenant_scope(tenant_id):
        note(intents.account, results)
    failpoint("after_record")
    return True


def _prepare(batch_id: UUID, lease: UUID) -> _Intents | None:
    """Decide each message once more and commit an attempt for those that may go. None when none may."""
    batch = Batch.objects.select_for_update().filter(id=batch_id, lease=lease, state=Batch.State.LEASED).first()
    if batch is None:
        return None
    if batch.held:
        Batch.objects.filter(id=batch_id).update(state=Batch.State.QUEUED, lease=None, leased_until=None)
        return None
    wake_up(batch)
    revocation_lock.share()
    intended_at = time.monotonic()
    route = carrier_of(batch)
    if route.waits:
        _postpone(batch, route.waits, route.look_again)
        return None
    intents = _intend(batch, route, intended_at)
    if intents is None and route.probes and route.sender:
        give_probe_back(route.sender.provider_account)
    return intents


def _intend(batch: Batch, route: Route, intended_at: float) -> _Intents | None:
    rows, again = _waiting(batch)
    offered = rows[:PROBE_TEXTS] if route.probes else rows
    allowance = allow(batch, route.sender, [parts for _, _, _, parts, _, _ in offered])
    if offered and not allowance.count:
        _postpone(batch, allowance.why, allowance.wait)
        return None
    asked = [(message_id, number, body) for message_id, number, body, *_ in offered[: allowance.count]]
    parts = {message_id: count for message_id, _, _, count, _, _ in offered}
    tenant = Tenant.objects.get(id=current_tenant_id())
    going, until = _decide(batch, tenant, route, asked, parts)
    if going and recently_restored():
        going = adopt_recovered(batch, going)
    allowance.settle(batch, asked, going)
    if not going or route.sender is None:
        state = Batch.State.QUEUED if len(offered) < len(rows) else allowance.state
        Batch.objects.filter(id=batch.id).update(state=state, lease=None, leased_until=None)
        return None
    handed = write_attempts(batch, route.sender.provider_account, going, again=again)
    count_parts(tenant, batch.id, sum(parts[message_id] for message_id, *_ in going))
    failpoint("before_intent")
    bodies = [body for _, _, body in going]
    requests = requests_of(batch, route.sender, handed, bodies, left=time_left(until))
    return _Intents(route.sender.provider_account, requests, handed, GOOD_FOR[batch.lane], intended_at)


_Waiting = tuple[UUID, str, str, int, datetime, datetime]
"""A message's id, number, body, parts, when it was made, and when its status changed."""


def _waiting(batch: Batch) -> tuple[list[_Waiting], set[UUID]]:
    """What is left of a batch in order, and which of it may have been offered before."""
    queued = Message.objects.filter(batch_id=batch.id, status=Message.Status.QUEUED).order_by("id")
    rows = list(queued.values_list("id", "number", "body", "part_count", "created_at", "status_at"))
    # A text whose status never changed was never offered.
    again = {message_id for message_id, _, _, _, created_at, status_at in rows if status_at != created_at}
    if batch.pool_id and again:
        elsewhere = may_have_arrived(again)
        rows = [row for row in rows if row[0] not in elsewhere]
    return rows, again


def _postpone(batch: Batch, why: str, wait: timedelta) -> None:
    """Look again later. What is only good for a time ends when that has passed; a campaign waits for its people."""
    too_old = database_now() - (batch.due_from or batch.created_at) > GOOD_FOR[batch.lane]
    if too_old and batch.lane != lanes.MARKETING:
        waiting = Message.objects.filter(batch_id=batch.id, status=Message.Status.QUEUED).values_list("id", flat=True)
        changes = [Change(message_id, Message.Status.EXPIRED, error_code=why) for message_id in waiting]
        apply_changes(changes, batch_ids=[batch.id])
        Batch.objects.filter(id=batch.id).update(state=Batch.State.DONE, lease=None, leased_until=None)
        return
    Batch.objects.filter(id=batch.id).update(
        state=Batch.State.QUEUED, lease=None, leased_until=None, not_before=Now() + wait
    )


def _decide(
    batch: Batch, tenant: Tenant, route: Route, messages: Sequence[tuple[UUID, str, str]], parts: Mapping[UUID, int]
) -> tuple[Sequence[tuple[UUID, str, str]], Mapping[UUID, datetime | None]]:
    """Ask the gate about each message and store its decisions; return the messages that may go, and until when each."""
    circumstances = Circumstances(
        tenant=tenant,
        purpose=batch.purpose,
        sender_problem=route.sender_problem,
        registration_problem=route.registration_problem,
        by_name=route.is_one_way,
        exemption=batch.exemption,
        handing_over=True,
        lane=batch.lane,
        cause_id=batch.cause_id,
        planned_at=batch.created_at,
    )
    candidates = [
        Candidate(number, body, parts[message_id], person_erased=not body) for message_id, number, body in messages
    ]
    decisions = decide_all(candidates, circumstances)
    sender_id = route.sender.id if route.sender else None
    notes = route_notes(batch, route, [message_id for message_id, *_ in messages])
    changes = [
        Change(
            message_id,
            _next_status(batch, decision),
            error_code=TOO_LATE if _next_status(batch, decision) == Message.Status.EXPIRED else "",
            decision={**decision.as_json(), **notes.get(message_id, {})},
            sender_id=sender_id,
        )
        for (message_id, _, _), decision in zip(messages, decisions, strict=True)
    ]
    moved = apply_changes(changes, batch_ids=[batch.id])
    count_kept_back(
        [(message_id, decision) for (message_id, *_), decision in zip(messages, decisions, strict=True)], among=moved
    )
    waiting = {change.message_id for change in changes if change.status == Message.Status.DEFERRED} & moved
    until = {message_id: decision.until for (message_id, *_), decision in zip(messages, decisions, strict=True)}
    put_off(batch, [(message_id, at) for message_id, at in until.items() if at and message_id in waiting])
    going = [message for message, decision in zip(messages, decisions, strict=True) if decision.outcome == ALLOW]
    return going, until


def _next_status(batch: Batch, decision: Decision) -> str:
    """What the gate's decision makes of a message."""
    if decision.outcome == ALLOW:
        return Message.Status.SUBMITTING
    if decision.outcome == DEFER and decision.until:
        return Message.Status.EXPIRED if is_stale(batch, decision.until) else Message.Status.DEFERRED
    return Message.Status.BLOCKED
