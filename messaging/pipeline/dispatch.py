"""Stage 4, dispatch: a batch is claimed as one row, its attempts are committed, the provider is called outside any
transaction, and the results are recorded in one statement.

If the process dies: before the attempts are committed, nothing was called and the lease runs out; after that, each
attempt is in doubt and is resolved by ``reconcile`` and by the callbacks, never by calling again.
"""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from django.core.exceptions import ImproperlyConfigured
from django.db.models.functions import Now

from common import lanes
from common.clock import database_now
from common.failpoints import failpoint
from common.ids import uuid7
from common.retries import insist
from consent import revocation_lock
from consent.gate import ALLOW
from messaging.models import Batch, Message, ProviderAccount
from messaging.pipeline.attempts import GOOD_FOR, requests_of, write_attempts
from messaging.pipeline.claim import claim
from messaging.pipeline.gate import Candidate, Circumstances, decide_all
from messaging.pipeline.handover import hand_over, provider_for
from messaging.pipeline.pacing import allow
from messaging.pipeline.restoration import adopt_recovered, look, recently_restored, remember_hand_over
from messaging.pipeline.results import Handed, learn_opt_outs, record
from messaging.pipeline.route import Route, choose
from messaging.pipeline.transitions import Change, apply_changes
from messaging.providers.base import SendRequest
from tenants.models import Tenant
from tenants.scope import current_tenant_id, tenant_scope

__all__ = ["run_next_batch"]

RECORD_SECONDS: Final = 300.0
"""How long a worker tries to write answers down when the database is away: they are known to nobody else."""
LOOK_AGAIN: Final = timedelta(seconds=30)
"""A batch whose sender or account cannot work at the moment is looked at again after this time."""

_log = logging.getLogger(__name__)


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
    with tenant_scope(tenant_id, durable=True):
        intents = _prepare(batch_id, lease)
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
    revocation_lock.share()
    intended_at = time.monotonic()
    route = choose(batch.sender_id)
    if route.waits or not _can_be_called(route):
        _postpone(batch, "sender_paused" if route.waits else "account_unusable")
        return None
    waiting = Message.objects.filter(batch_id=batch_id, status=Message.Status.QUEUED).order_by("id")
    rows = list(waiting.values_list("id", "number", "body", "part_count", "created_at", "status_at"))
    # A text whose status never changed was never offered.
    again = {message_id for message_id, _, _, _, created_at, status_at in rows if status_at != created_at}
    allowance = allow(batch, route.sender, [parts for _, _, _, parts, _, _ in rows])
    if rows and not allowance.count:
        _postpone(batch, allowance.why, allowance.wait)
        return None
    asked = [(message_id, number, body) for message_id, number, body, *_ in rows[: allowance.count]]
    going = _decide(batch, route, asked)
    if going and recently_restored():
        going = adopt_recovered(batch, going)
    allowance.settle(batch, asked, going)
    if not going or route.sender is None:
        Batch.objects.filter(id=batch_id).update(state=allowance.state, lease=None, leased_until=None)
        return None
    handed = write_attempts(batch, route.sender.provider_account, going, again=again)
    failpoint("before_intent")
    requests = requests_of(batch, route.sender, handed, [body for _, _, body in going])
    return _Intents(route.sender.provider_account, requests, handed, GOOD_FOR[batch.lane], intended_at)


def _can_be_called(route: Route) -> bool:
    """Whether the account's stored secrets can be read: found out before anything is written."""
    if route.sender is not None:
        account = route.sender.provider_account
        try:
            provider_for(account)
        except (ImproperlyConfigured, KeyError, ValueError) as error:
            _log.error("Provider account %s cannot be used: %s", account.id, type(error).__name__)
            return False
    return True


def _postpone(batch: Batch, why: str, wait: timedelta = LOOK_AGAIN) -> None:
    """Look again later. What is only good for a time ends when that has passed; a campaign waits for its people."""
    too_old = database_now() - batch.created_at > GOOD_FOR[batch.lane]
    if too_old and batch.lane != lanes.MARKETING:
        waiting = Message.objects.filter(batch_id=batch.id, status=Message.Status.QUEUED).values_list("id", flat=True)
        changes = [Change(message_id, Message.Status.EXPIRED, error_code=why) for message_id in waiting]
        apply_changes(changes, batch_ids=[batch.id])
        Batch.objects.filter(id=batch.id).update(state=Batch.State.DONE, lease=None, leased_until=None)
        return
    Batch.objects.filter(id=batch.id).update(
        state=Batch.State.QUEUED, lease=None, leased_until=None, not_before=Now() + wait
    )


def _decide(batch: Batch, route: Route, messages: Sequence[tuple[UUID, str, str]]) -> Sequence[tuple[UUID, str, str]]:
    """Ask the gate about each message, store its decisions, and return the messages that may go."""
    circumstances = Circumstances(
        tenant=Tenant.objects.get(id=current_tenant_id()),
        purpose=batch.purpose,
        sender_problem=route.problem,
        exemption=batch.exemption,
        handing_over=True,
    )
    decisions = decide_all([Candidate(number, person_erased=not body) for _, number, body in messages], circumstances)
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
    apply_changes(changes, batch_ids=[batch.id])
    return [message for message, decision in zip(messages, decisions, strict=True) if decision.outcome == ALLOW]
