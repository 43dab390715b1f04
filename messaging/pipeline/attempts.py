"""Attempts: each try to hand a text over is on record before the provider is called."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db.models import Count, Min

from common import lanes
from common.bulk import insert_rows
from common.clock import database_now
from common.ids import uuid7
from messaging.models import Attempt, Batch, ProviderAccount, Sender
from messaging.pipeline.results import Handed
from messaging.providers.base import SendRequest

__all__ = ["DEADLINE", "GOOD_FOR", "requests_of", "write_attempts"]

DEADLINE: Final = timedelta(seconds=30)
"""How long a call may take, fence included; then its attempt counts as unknown."""

LONG: Final = timedelta(days=1)

GOOD_FOR: Final[Mapping[str, timedelta]] = {
    lanes.VERIFICATION: timedelta(minutes=5),
    lanes.CONVERSATION: timedelta(hours=4),
    lanes.TRANSACTIONAL: timedelta(hours=4),
    lanes.REMINDER: timedelta(hours=1),
    lanes.MARKETING: timedelta(hours=4),
}
"""How long after it was first offered a text is still worth sending: so long it is offered again to a provider that
cannot take it, and so long the provider may keep it in its own queue."""


def write_attempts(
    batch: Batch, account: ProviderAccount, going: Sequence[tuple[UUID, str, str]], *, again: Collection[UUID]
) -> Sequence[Handed]:
    """One attempt for each message (id, number, body), written by the transaction that decided about it.

    ``again`` are those that may have been offered before: only for them earlier attempts are looked up.
    """
    earlier = _earlier_attempts(again) if again else {}
    now = database_now()
    # As text: they are in every row.
    tenant_id, account_id, written = str(batch.tenant_id), str(account.id), now.isoformat()
    deadline = (now + DEADLINE).isoformat()
    handed = []
    for message_id, number, _ in going:
        tries, first_at = earlier.get(message_id, (0, now))
        handed.append(Handed(uuid7(), message_id, number, n=tries + 1, first_at=first_at))
    columns = {
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
    }
    insert_rows(
        Attempt._meta.db_table,
        columns,
        [
            (
                one.attempt_id,
                tenant_id,
                one.message_id,
                one.n,
                "submitting",
                account_id,
                "",
                "",
                written,
                deadline,
            )
            for one in handed
        ],
    )
    return handed


def _earlier_attempts(message_ids: Collection[UUID]) -> dict[UUID, tuple[int, datetime]]:
    """How often each message was offered before, and when first."""
    attempts = Attempt.objects.filter(message__among=message_ids).order_by().values_list("message_id")
    rows = attempts.annotate(tries=Count("id"), first_at=Min("created_at"))
    return {message_id: (tries, first_at) for message_id, tries, first_at in rows}


def requests_of(
    batch: Batch,
    sender: Sender,
    handed: Sequence[Handed],
    bodies: Sequence[str],
    *,
    left: Mapping[UUID, timedelta] | None = None,
) -> Sequence[SendRequest]:
    """What the provider is asked for, in the order of the attempts; its receipts name the attempt.

    ``left``: how long a message may still arrive, where that has an end. Half a minute of it may pass before the
    provider has it.
    """
    good_for, ends = GOOD_FOR[batch.lane], left or {}
    account = sender.provider_account
    callback = f"{settings.PUBLIC_BASE_URL}/callbacks/{account.kind}/{account.id}/status?a="
    return [
        SendRequest(
            attempt_id=str(one.attempt_id),
            sender=sender.value,
            to=one.number,
            body=body,
            status_callback=f"{callback}{one.attempt_id}",
            validity_seconds=int(min(good_for, ends.get(one.message_id, LONG) - DEADLINE).total_seconds()),
        )
        for one, body in zip(handed, bodies, strict=True)
    ]
