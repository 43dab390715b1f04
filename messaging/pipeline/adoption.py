"""After a restore: a text that is about to go, and that the provider's record has as sent, is taken for that one."""

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from django.db.models import Count
from django.db.models.functions import Now
from django.utils import timezone

from messaging.models import Attempt, Batch, DispatchState, Message, RecoveredText
from messaging.pipeline.transitions import Change, apply_changes

__all__ = ["adopt_recovered", "recently_restored"]

ADOPTED_FOR: Final = timedelta(days=7)
"""So long after the release a text may turn out to have been sent before the restore."""


def recently_restored() -> bool:
    """Whether texts may still come up that went out before the restore."""
    return DispatchState.objects.filter(released_at__gt=Now() - ADOPTED_FOR).exists()


def adopt_recovered(batch: Batch, going: Sequence[tuple[UUID, str, str]]) -> list[tuple[UUID, str, str]]:
    """Of texts (message, number, body) that are about to go, take those that the provider has for sent; the others remain."""
    open_texts = list(
        RecoveredText.objects.filter(number__in=[number for _, number, _ in going], message=None)
        .order_by("sent_at")
        .select_for_update()
    )
    remaining, adopted = [], []
    for message_id, number, body in going:
        text = next((one for one in open_texts if one.number == number and _same(one.body, body)), None)
        if text is None:
            remaining.append((message_id, number, body))
        else:
            open_texts.remove(text)
            text.message_id = message_id
            adopted.append((message_id, text))
    if adopted:
        _adopt(batch, adopted)
    return remaining


def _same(recovered: str, body: str) -> bool:
    return not recovered or recovered.strip() == body.strip()


def _adopt(batch: Batch, adopted: Sequence[tuple[UUID, RecoveredText]]) -> None:
    RecoveredText.objects.bulk_update([text for _, text in adopted], ["message"])
    tries = _tries([message_id for message_id, _ in adopted])
    Attempt.objects.bulk_create(
        Attempt(
            message_id=message_id,
            n=tries.get(message_id, 0) + 1,
            state=Attempt.State.ACCEPTED,
            provider_account_id=text.provider_account_id,
            provider_message_id=text.provider_message_id,
            created_at=text.sent_at,
            deadline=text.sent_at,
            resolved_at=timezone.now(),
        )
        for message_id, text in adopted
    )
    changes = [
        Change(message_id, text.status or Message.Status.ACCEPTED, error_code=text.error_code)
        for message_id, text in adopted
    ]
    apply_changes(changes, batch_ids=[batch.id])


def _tries(message_ids: Collection[UUID]) -> dict[UUID, int]:
    rows = Attempt.objects.filter(message_id__in=message_ids).order_by().values_list("message_id")
    return dict(rows.annotate(tries=Count("id")))
