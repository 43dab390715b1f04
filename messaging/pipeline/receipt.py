"""Stage 5, receipt: what the provider tells later is stored raw at once, and applied in batches.

Receipts come late, twice, in any order, or before the provider's own answer. Applying picks the highest rank per
message; ``transitions`` then refuses whatever would move a message backwards.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final
from uuid import UUID

from django.db import connection
from django.utils import timezone

from common.bulk import json_rows
from common.failpoints import failpoint
from common.retries import each
from consent.models import ConsentRecord, Suppression
from consent.services import opt_out
from messaging.models import Attempt, DeliveryReceipt, Message, ProviderAccount
from messaging.pipeline.hygiene import learn_arrivals, learn_numbers
from messaging.pipeline.throttle import heed
from messaging.pipeline.transitions import Change, apply_changes, lock_batches
from messaging.pipeline.trouble import Stop, pause
from messaging.providers.base import StatusUpdate, Stops
from tenants.scope import all_tenants, tenant_scope

__all__ = ["apply_pending", "says_more", "store", "store_all"]

PAGE: Final = 1_000

RANK: Final[Mapping[str, int]] = {
    "": 0,
    Message.Status.ACCEPTED: 1,
    Message.Status.SENT: 2,
    Message.Status.UNDELIVERED: 3,
    Message.Status.FAILED: 3,
    Message.Status.DELIVERED: 3,
}


def store(account: ProviderAccount, attempt_id: UUID | None, update: StatusUpdate) -> None:
    """Keep a receipt as it came; the same one again changes nothing."""
    store_all(account, [(attempt_id, update)])


def store_all(account: ProviderAccount, updates: Iterable[tuple[UUID | None, StatusUpdate]]) -> None:
    """Keep receipts, each with its attempt if that is known."""
    DeliveryReceipt.objects.bulk_create(
        [
            DeliveryReceipt(
                provider_account=account,
                attempt_id=attempt_id,
                provider_message_id=update.provider_message_id[:64],
                provider_status=update.provider_status[:24],
                status=update.status,
                number_opted_out=update.number_opted_out,
                stops=update.stops,
                error_code=update.error_code[:24],
                payload=dict(update.payload),
            )
            for attempt_id, update in updates
        ],
        ignore_conflicts=True,
    )


def says_more(update: StatusUpdate, status: str) -> bool:
    """Whether it is news for a message of this status."""
    return RANK.get(update.status, 0) > RANK.get(status, 0)


def apply_pending() -> int:
    """Apply all receipts that wait, tenant by tenant; returns how many there were."""
    with all_tenants("find receipts to apply"):
        tenants = list(
            DeliveryReceipt.objects.filter(applied_at=None).order_by().values_list("tenant_id", flat=True).distinct()
        )
    applied = []

    def apply_all(tenant_id: UUID) -> None:
        page = PAGE
        while page == PAGE:
            page = _apply_page(tenant_id)
            applied.append(page)

    each(tenants, apply_all, doing="apply receipts")
    return sum(applied)


def _apply_page(tenant_id: UUID) -> int:
    with tenant_scope(tenant_id, durable=True):
        receipts = list(
            DeliveryReceipt.objects.filter(applied_at=None).order_by("id").select_for_update(skip_locked=True)[:PAGE]
        )
        if receipts:
            _apply(receipts)
        return len(receipts)


def _apply(receipts: Sequence[DeliveryReceipt]) -> None:
    attempts = {
        attempt.id: attempt
        for attempt in Attempt.objects.filter(
            id__among={r.attempt_id for r in receipts if r.attempt_id}
        ).select_related("message")
    }
    by_attempt: dict[UUID, list[DeliveryReceipt]] = defaultdict(list)
    for receipt in receipts:
        attempt = attempts.get(receipt.attempt_id) if receipt.attempt_id else None
        if attempt is not None and _belongs(receipt, attempt):
            by_attempt[attempt.id].append(receipt)
    batch_ids = lock_batches(attempts[attempt_id].message.batch_id for attempt_id in by_attempt)
    _note_acceptance([(attempts[attempt_id], told) for attempt_id, told in by_attempt.items()])
    failpoint("receipts_half_applied")
    changes = []
    for attempt_id, told in by_attempt.items():
        best = max(told, key=lambda receipt: RANK.get(receipt.status, 0))
        # A word that is not known still shows that the provider has the text.
        status = best.status or Message.Status.ACCEPTED
        changes.append(Change(attempts[attempt_id].message_id, status, error_code=best.error_code))
    apply_changes(changes, batch_ids=batch_ids)
    _learn_opt_outs(attempts, by_attempt)
    pause(
        Stop(attempt_id, Stops(receipt.stops), receipt.error_code)
        for attempt_id, told in by_attempt.items()
        for receipt in told
        if receipt.stops
    )
    news = [(attempt_id, one.error_code) for attempt_id, told in by_attempt.items() for one in told if one.error_code]
    heed(news)
    learn_numbers(news)
    learn_arrivals(
        attempts[attempt_id]
        for attempt_id, told in by_attempt.items()
        if any(receipt.status == Message.Status.DELIVERED for receipt in told)
    )
    DeliveryReceipt.objects.filter(id__among=[receipt.id for receipt in receipts]).update(applied_at=timezone.now())


def _belongs(receipt: DeliveryReceipt, attempt: Attempt) -> bool:
    """The address named the attempt and was signed; the message id must fit what is known of it."""
    return attempt.provider_account_id == receipt.provider_account_id and attempt.provider_message_id in (
        "",
        receipt.provider_message_id,
    )


_ACCEPT: Final = """
UPDATE messaging_attempt a
SET state = 'accepted', provider_message_id = t.provider_message_id, resolved_at = coalesce(a.resolved_at, now())
FROM json_to_recordset(%(told)s) AS t(tenant_id uuid, id uuid, provider_message_id text)
WHERE a.tenant_id = t.tenant_id AND a.id = t.id
  AND (a.state IN ('submitting', 'unknown') OR (a.state = 'accepted' AND a.provider_message_id = '')
       OR (a.state = 'absent' AND NOT EXISTS (
           SELECT FROM messaging_attempt live WHERE live.tenant_id = a.tenant_id AND live.message_id = a.message_id
           AND live.state IN ('submitting', 'unknown', 'accepted'))))
"""
"""Even one that the provider's record lacked: unless its text was offered again by then, this ends its waiting."""


def _note_acceptance(news: Sequence[tuple[Attempt, Sequence[DeliveryReceipt]]]) -> None:
    """A receipt proves that the provider took the text, whatever became of its answer to us."""
    rows = [(attempt.tenant_id, attempt.id, told[0].provider_message_id) for attempt, told in news]
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(_ACCEPT, {"told": json_rows(["tenant_id", "id", "provider_message_id"], rows)})


def _learn_opt_outs(attempts: Mapping[UUID, Attempt], by_attempt: Mapping[UUID, Sequence[DeliveryReceipt]]) -> None:
    for attempt_id, told in by_attempt.items():
        if any(receipt.number_opted_out for receipt in told):
            opt_out(
                number=attempts[attempt_id].message.number,
                source=ConsentRecord.Source.PROVIDER,
                reason=Suppression.Reason.PROVIDER_BLOCK,
                evidence={"attempt": str(attempt_id), "error_code": told[0].error_code},
            )
