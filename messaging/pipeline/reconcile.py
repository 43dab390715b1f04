"""Stage 6, reconcile: an attempt in doubt is settled by asking the provider, never by calling again.

Its receipts settle most of them within seconds. For the rest the provider's record of the number is read: a text that
fits is ours, and what the record says of it is applied like a receipt; when nothing fits long enough after the deadline,
the text did not arrive (``absent``). When the provider cannot be asked, nothing is concluded, and in the end the text is
"unconfirmed" (``sweeps``).
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import connection
from django.db.models.functions import Now

from common.bulk import json_rows
from common.clock import database_now
from common.failpoints import failpoint
from common.retries import each
from messaging.models import Attempt, ProviderAccount
from messaging.pipeline import event_loop, receipt
from messaging.pipeline.absent import settle_absent
from messaging.pipeline.handover import provider_for
from messaging.pipeline.matching import CLOCKS_APART, Doubt, match
from messaging.pipeline.sweeps import UNCONFIRMED_AFTER
from messaging.pipeline.transitions import lock_batches
from messaging.providers.base import CouldNotAsk, KnownText, Provider
from tenants.scope import all_tenants, tenant_scope

__all__ = ["SETTLE", "resolve_in_doubt"]

SETTLE: Final = timedelta(minutes=10)
"""So long after an attempt's deadline the provider's record may lack a text that it took; no provider documents it."""
PAGE: Final = 500
QUESTIONS_AT_ONCE: Final = 16
"""To one account: questions must leave room for texts."""
ANSWER_SECONDS: Final = 30.0

_DUE: Final = """
SELECT tenant_id, provider_account_id, array_agg(id) FROM (
    SELECT tenant_id, provider_account_id, id FROM messaging_attempt
    WHERE state = 'unknown' AND deadline < now() AND deadline > now() - make_interval(secs => %(ask_for)s) AND (
        asked_at IS NULL
        OR asked_at < now() - least(greatest((now() - deadline) / 4, interval '20 seconds'), interval '10 minutes'))
    ORDER BY deadline LIMIT %(page)s
) due GROUP BY 1, 2
"""
"""Attempts in doubt by account; each is asked about less and less often."""


def resolve_in_doubt() -> int:
    """Ask about the attempts in doubt; returns about how many."""
    with all_tenants("find attempts in doubt"), connection.cursor() as cursor:
        cursor.execute(_DUE, {"ask_for": UNCONFIRMED_AFTER.total_seconds(), "page": PAGE})
        due = cursor.fetchall()
    each(due, lambda found: _resolve(*found), doing="ask a provider about attempts in doubt")
    return sum(len(attempt_ids) for _, _, attempt_ids in due)


def _resolve(tenant_id: UUID, account_id: UUID, attempt_ids: Sequence[UUID]) -> None:
    with tenant_scope(tenant_id):
        # Noted first: a question that fails is not asked again at once.
        Attempt.objects.filter(id__in=attempt_ids).update(asked_at=Now())
        account = ProviderAccount.objects.get(id=account_id)
        doubts = _doubts(attempt_ids)
    answers = event_loop.run(_ask_all(provider_for(account), _since(doubts)))
    failpoint("after_asking")
    with tenant_scope(tenant_id, durable=True):
        _settle(account, doubts, answers)


def _doubts(attempt_ids: Collection[UUID]) -> list[Doubt]:
    """Without those whose person was erased: nothing is left to recognise them by."""
    in_doubt = Attempt.objects.filter(id__in=attempt_ids, state=Attempt.State.UNKNOWN).exclude(message__body="")
    rows = in_doubt.values_list(
        "id", "message__number", "message__sender__value", "message__body", "created_at", "deadline"
    )
    return [Doubt(*row) for row in rows]


def _since(doubts: Sequence[Doubt]) -> dict[str, datetime]:
    since: dict[str, datetime] = {}
    for doubt in doubts:
        start = doubt.intended_at - CLOCKS_APART
        since[doubt.number] = min(start, since.get(doubt.number, start))
    return since


async def _ask_all(provider: Provider, since: Mapping[str, datetime]) -> dict[str, Sequence[KnownText]]:
    """The record of each number; numbers about which the provider gave no answer are left out."""
    slots = asyncio.Semaphore(QUESTIONS_AT_ONCE)
    answers: dict[str, Sequence[KnownText]] = {}

    async def ask(number: str, start: datetime) -> None:
        try:
            async with slots, asyncio.timeout(ANSWER_SECONDS):
                answers[number] = await provider.texts_to(number, since=start)
        except (CouldNotAsk, TimeoutError):
            return

    await asyncio.gather(*(ask(number, start) for number, start in since.items()))
    return answers


def _settle(account: ProviderAccount, doubts: Sequence[Doubt], answers: Mapping[str, Sequence[KnownText]]) -> None:
    asked = [doubt for doubt in doubts if doubt.number in answers]
    ids = [doubt.attempt_id for doubt in asked]
    lock_batches(Attempt.objects.filter(id__in=ids).values_list("message__batch_id", flat=True))
    # Behind the lock nobody else settles them: receipts may have, while the provider was asked.
    still = set(Attempt.objects.filter(id__in=ids, state=Attempt.State.UNKNOWN).values_list("id", flat=True))
    open_doubts = [doubt for doubt in asked if doubt.attempt_id in still]
    known = [text for texts in answers.values() for text in texts]
    matches = match(open_doubts, known, claimed=_claimed(account, answers))
    _adopt(account, matches.found)
    failpoint("half_settled")
    now = database_now()
    settle_absent(
        {
            doubt.attempt_id
            for doubt in open_doubts
            if doubt.attempt_id not in matches.found
            and doubt.attempt_id not in matches.unclear
            and now >= doubt.deadline + SETTLE
        }
    )


def _claimed(account: ProviderAccount, numbers: Collection[str]) -> set[str]:
    """The provider's ids of texts that attempts to these numbers have."""
    attempts = Attempt.objects.filter(provider_account=account, message__number__in=list(numbers))
    return set(attempts.exclude(provider_message_id="").values_list("provider_message_id", flat=True))


def _adopt(account: ProviderAccount, found: Mapping[UUID, KnownText]) -> None:
    """What the record says is applied like a receipt, and so are receipts that came without naming their attempt."""
    if not found:
        return
    pairs = [(text.provider_message_id, attempt_id) for attempt_id, text in found.items()]
    parameters = {
        "tenant": account.tenant_id,
        "account": account.id,
        "pairs": json_rows(["provider_message_id", "attempt_id"], pairs),
    }
    with connection.cursor() as cursor:
        cursor.execute(_NAME_RECEIPTS, parameters)
        cursor.execute(_NAME_RECOVERED, parameters)
    receipt.store_all(account, [(attempt_id, text.news) for attempt_id, text in found.items()])


_NAME_RECEIPTS: Final = """
UPDATE messaging_deliveryreceipt r SET attempt_id = found.attempt_id, applied_at = NULL
FROM json_to_recordset(%(pairs)s) AS found(provider_message_id text, attempt_id uuid)
WHERE r.tenant_id = %(tenant)s AND r.provider_account_id = %(account)s
  AND r.provider_message_id = found.provider_message_id AND r.attempt_id IS NULL
"""
_NAME_RECOVERED: Final = """
UPDATE messaging_recoveredtext r SET message_id = a.message_id
FROM json_to_recordset(%(pairs)s) AS found(provider_message_id text, attempt_id uuid)
JOIN messaging_attempt a ON a.tenant_id = %(tenant)s AND a.id = found.attempt_id
WHERE r.tenant_id = %(tenant)s AND r.provider_account_id = %(account)s
  AND r.provider_message_id = found.provider_message_id AND r.message_id IS NULL
"""
