"""Recording what the provider answered, for a whole batch at once."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import connection
from django.db.models.functions import Greatest, Now

from common.bulk import json_rows
from common.clock import database_now
from consent.models import ConsentRecord, Suppression
from consent.services import opt_out
from messaging.models import Attempt, Batch, Message
from messaging.pipeline.hygiene import learn_numbers
from messaging.pipeline.throttle import heed
from messaging.pipeline.transitions import Change, apply_changes, lock_batches
from messaging.pipeline.trouble import Stop, pause
from messaging.providers.base import Outcome, SendResult, Stops
from tenants.scope import current_tenant_id

__all__ = ["Handed", "backoff", "learn_opt_outs", "record"]

LONGEST_WAIT: Final = timedelta(minutes=5)

_ATTEMPT_STATE: Final = {
    Outcome.ACCEPTED: Attempt.State.ACCEPTED.value,
    Outcome.REFUSED: Attempt.State.REJECTED.value,
    Outcome.TRY_AGAIN: Attempt.State.REJECTED.value,
    Outcome.UNKNOWN: Attempt.State.UNKNOWN.value,
}
_MESSAGE_STATUS: Final = {
    Outcome.ACCEPTED: Message.Status.ACCEPTED,
    Outcome.REFUSED: Message.Status.FAILED,
    Outcome.TRY_AGAIN: Message.Status.QUEUED,
    Outcome.UNKNOWN: Message.Status.UNKNOWN,
}

_RESOLVE: Final = """
UPDATE messaging_attempt a
SET state = CASE WHEN a.state IN ('submitting', 'unknown') THEN r.state ELSE a.state END,
    provider_message_id = CASE WHEN r.provider_message_id <> '' THEN r.provider_message_id ELSE a.provider_message_id END,
    error_code = CASE WHEN a.state IN ('submitting', 'unknown') THEN r.error_code ELSE a.error_code END,
    resolved_at = CASE WHEN r.state = 'unknown' THEN a.resolved_at ELSE coalesce(a.resolved_at, now()) END
FROM json_to_recordset(%(results)s) AS r(tenant_id uuid, id uuid, state text, provider_message_id text, error_code text)
WHERE a.tenant_id = r.tenant_id AND a.id = r.id
RETURNING a.id, a.state
"""
"""A receipt may have come first and have shown that the provider took the text: then that stands."""


@dataclass(frozen=True, slots=True)
class Handed:
    """An attempt that was called; ``n`` counts the tries of its message from 1, the first of them at ``first_at``."""

    attempt_id: UUID
    message_id: UUID
    number: str
    n: int
    first_at: datetime


def record(
    batch_id: UUID, lease: UUID, handed: Sequence[Handed], results: Sequence[SendResult], *, good_for: timedelta
) -> None:
    """Write the answers to attempts, messages and the batch; doing so again changes nothing.

    What the provider could not take is offered again until ``good_for`` has passed since the first time.
    """
    # First of all, as everywhere: then whoever else changes these attempts and messages waits here and not half-way.
    lock_batches([batch_id])
    now = database_now()
    progress = any(result.outcome is Outcome.ACCEPTED for result in results)
    results = [_judged(one, result, progress=progress) for one, result in zip(handed, results, strict=True)]
    in_force = _resolve(handed, results)
    changes = []
    wait = timedelta()
    for one, result in zip(handed, results, strict=True):
        if in_force.get(one.attempt_id) != _ATTEMPT_STATE[result.outcome]:
            continue
        status = _MESSAGE_STATUS[result.outcome]
        if result.outcome is Outcome.TRY_AGAIN:
            if now - one.first_at >= good_for:
                status = Message.Status.EXPIRED
            else:
                tries = 1 if progress else one.n
                wait = max(wait, backoff(tries, result.retry_after, longest=min(LONGEST_WAIT, good_for / 30)))
        changes.append(Change(one.message_id, status, error_code=result.error_code))
    apply_changes(changes, batch_ids=[batch_id])
    pause(
        Stop(one.attempt_id, result.stops, result.error_code)
        for one, result in zip(handed, results, strict=True)
        if result.stops
    )
    news = [
        (one.attempt_id, result.error_code) for one, result in zip(handed, results, strict=True) if result.error_code
    ]
    heed(news)
    learn_numbers(news)
    _finish(batch_id, lease, wait)


def _judged(one: Handed, result: SendResult, *, progress: bool) -> SendResult:
    """Whether it is the sender that cannot, or only this destination.

    A sender that reached others just now is not lost, and one that a person took up again was looked at.
    """
    if result.perhaps_destination and (progress or one.n > 1):
        return replace(result, outcome=Outcome.REFUSED, stops=Stops.NOTHING)
    return result


def learn_opt_outs(handed: Sequence[Handed], results: Sequence[SendResult]) -> None:
    """Suppress the people of whom the provider says that they opted out there."""
    for one, result in zip(handed, results, strict=True):
        if result.number_opted_out:
            opt_out(
                number=one.number,
                source=ConsentRecord.Source.PROVIDER,
                reason=Suppression.Reason.PROVIDER_BLOCK,
                evidence={"attempt": str(one.attempt_id), "error_code": result.error_code},
            )


def backoff(tries: int, retry_after: float, *, longest: timedelta) -> timedelta:
    """How long to wait before another try: twice as long each time, at most ``longest``, with jitter.

    A provider that took some of the batch is only busy: the rest counts as tried once.
    """
    seconds = min(longest.total_seconds(), max(retry_after, 2.0 ** min(tries - 1, 16)))
    return timedelta(seconds=seconds * random.uniform(0.75, 1.25))  # noqa: S311 - spreads load, hides nothing


def _resolve(handed: Sequence[Handed], results: Sequence[SendResult]) -> dict[UUID, str]:
    # As text: it is in every row.
    tenant_id = str(current_tenant_id())
    rows = [
        (tenant_id, one.attempt_id, _ATTEMPT_STATE[result.outcome], result.provider_message_id, result.error_code)
        for one, result in zip(handed, results, strict=True)
    ]
    with connection.cursor() as cursor:
        columns = ["tenant_id", "id", "state", "provider_message_id", "error_code"]
        cursor.execute(_RESOLVE, {"results": json_rows(columns, rows)})
        return dict(cursor.fetchall())


def _finish(batch_id: UUID, lease: UUID, wait: timedelta) -> None:
    """Done, or due again when messages are left; a batch that another worker holds by now is that worker's to finish."""
    batch = Batch.objects.select_for_update().get(id=batch_id)
    if batch.state == Batch.State.LEASED and batch.lease != lease:
        return
    left = list(Message.objects.filter(batch_id=batch_id, status=Message.Status.QUEUED).values_list("id", flat=True))
    if batch.state == Batch.State.CANCELLED:
        apply_changes([Change(message_id, Message.Status.CANCELLED) for message_id in left], batch_ids=[batch_id])
        return
    Batch.objects.filter(id=batch_id).update(
        state=Batch.State.QUEUED if left else Batch.State.DONE,
        # What the sender's pace left for later has its time already.
        not_before=Greatest("not_before", Now() + wait),
        lease=None,
        leased_until=None,
    )
