"""The circuit breaker of senders and accounts: when the provider says that nothing can go out, nothing more is offered.

Without it a revoked key or a lost number would use up a whole queue, text after text. What was refused for that keeps its
place; a person mends the cause and takes the sender up again.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import models

from messaging.models import Attempt, ProviderAccount, Sender
from messaging.pipeline.newest import newest_of
from messaging.providers.base import Stops
from tenants.audit import record

__all__ = ["Stop", "pause"]


@dataclass(frozen=True, slots=True)
class Stop:
    """What the provider said of one attempt."""

    attempt_id: UUID
    what: Stops
    error_code: str


def pause(stops: Iterable[Stop]) -> None:
    """Pause what they name, once; news of attempts from before it was taken up again is old news."""
    by_attempt = {stop.attempt_id: stop for stop in stops}
    attempts = Attempt.objects.filter(id__in=by_attempt).select_related("provider_account", "message__sender")
    newest = set(newest_of(by_attempt).values_list("id", flat=True)) if by_attempt else set()
    for attempt in attempts.order_by("id"):
        stop = by_attempt[attempt.id]
        if stop.what == Stops.ACCOUNT:
            _pause(attempt.provider_account, ProviderAccount.objects, stop.error_code, attempt.created_at)
        elif attempt.message.sender is not None and attempt.id in newest:
            _pause(attempt.message.sender, Sender.objects, stop.error_code, attempt.created_at)


def _pause(
    target: Sender | ProviderAccount,
    rows: "models.Manager[Sender] | models.Manager[ProviderAccount]",
    code: str,
    at: datetime,
) -> None:
    active = target.Status.ACTIVE
    paused = rows.filter(id=target.id, status=active, taken_up_at__lt=at).update(
        status=target.Status.PAUSED, trouble=code
    )
    if paused:
        record(
            "sender.stopped" if isinstance(target, Sender) else "account.stopped",
            target=target,
            before={"status": active},
            after={"error_code": code},
        )
