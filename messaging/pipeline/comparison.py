"""A provider's record of some time and ours, compared both ways.

Receipts and inbound texts whose callback never came are taken in from the record. What only one side knows is counted,
with examples; after a restore, texts that only the provider knows are kept (``RecoveredText``) so that they do not go
twice.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import blake2b
from typing import Final, cast
from uuid import UUID

from django.conf import settings
from django.utils import timezone
from django.utils.module_loading import import_string

from common.ids import first_id
from messaging.models import Attempt, ProviderAccount, RecordComparison, RecoveredText
from messaging.pipeline import event_loop, receipt
from messaging.pipeline.handover import provider_for
from messaging.pipeline.matching import CLOCKS_APART
from messaging.providers.base import CallbackRefused, CouldNotAsk, InboundText, KnownText
from tenants.scope import tenant_scope

__all__ = ["compare"]

PAGE: Final = 1_000
PAGE_SECONDS: Final = 60.0
MOST_EXAMPLES: Final = 20
BETWEEN_INTENT_AND_RECORD: Final = timedelta(minutes=5)
"""A text is on the provider's record at most so long after its intent here; calls end after half a minute."""

_TakeInbound = Callable[[ProviderAccount, InboundText], object]


@dataclass(slots=True)
class _Found:
    """What was found so far. ``seen``: short hashes of the provider's ids, 8 bytes each, for millions of texts a day."""

    counts: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    seen: set[int] = field(default_factory=set)

    def note(self, kind: str, ids: Collection[str]) -> None:
        self.counts[kind] += len(ids)
        self.examples[kind] += list(ids)[: MOST_EXAMPLES - len(self.examples[kind])]


def compare(tenant_id: UUID, comparison: RecordComparison) -> bool:
    """Do a comparison of the tenant and store what it found; False when the provider could not be asked.

    Doing it again changes nothing but its figures.
    """
    with tenant_scope(tenant_id):
        account = ProviderAccount.objects.get(id=comparison.provider_account_id)
    found = _Found()
    try:
        _read_record(tenant_id, account, comparison, found)
    except (CouldNotAsk, TimeoutError) as error:
        _store(tenant_id, comparison, problem=(str(error) or type(error).__name__)[:80])
        return False
    with tenant_scope(tenant_id):
        found.note("only_here", _only_here(account, comparison, found.seen))
    _store(tenant_id, comparison, found=found)
    return True


def _read_record(tenant_id: UUID, account: ProviderAccount, comparison: RecordComparison, found: _Found) -> None:
    texts = provider_for(account).texts_between(comparison.since, comparison.until)
    written: list[KnownText] = []
    while page := event_loop.run(_next_page(texts)):
        sent = [text for text in page if not text.inbound]
        written += [text for text in page if text.inbound]
        found.seen.update(_short(text.provider_message_id) for text in sent)
        found.counts["at_provider"] += len(sent)
        with tenant_scope(tenant_id, durable=True):
            _compare_sent(account, sent, found, keep=comparison.cause == RecordComparison.Cause.RESTORE)
    _take_in(tenant_id, account, written, found)


async def _next_page(texts: AsyncIterator[KnownText]) -> list[KnownText]:
    page: list[KnownText] = []
    async with asyncio.timeout(PAGE_SECONDS):
        async for text in texts:
            page.append(text)
            if len(page) == PAGE:
                break
    return page


def _compare_sent(account: ProviderAccount, sent: Sequence[KnownText], found: _Found, *, keep: bool) -> None:
    if not sent:
        return
    attempts = _attempts_of(account, sent)
    unknown = [text for text in sent if text.provider_message_id not in attempts]
    found.note("only_at_provider", [text.provider_message_id for text in unknown])
    if keep:
        _keep(account, unknown)
    missed = [
        (attempt.id, text.news)
        for text in sent
        if (attempt := attempts.get(text.provider_message_id)) is not None
        and receipt.says_more(text.news, attempt.message.status)
    ]
    receipt.store_all(account, missed)
    found.note("receipts_missed", [news.provider_message_id for _, news in missed])


def _attempts_of(account: ProviderAccount, sent: Sequence[KnownText]) -> Mapping[str, Attempt]:
    """The attempts that have these texts' ids, looked for among those of the same time: ids are in the order of time."""
    times = [text.created_at for text in sent]
    first = first_id(min(times) - BETWEEN_INTENT_AND_RECORD - CLOCKS_APART)
    last = first_id(max(times) + CLOCKS_APART)
    rows = Attempt.objects.filter(
        id__gte=first,
        id__lte=last,
        provider_account=account,
        provider_message_id__in=[text.provider_message_id for text in sent],
    )
    return {attempt.provider_message_id: attempt for attempt in rows.select_related("message")}


def _keep(account: ProviderAccount, unknown: Sequence[KnownText]) -> None:
    RecoveredText.objects.bulk_create(
        [
            RecoveredText(
                provider_account=account,
                provider_message_id=text.provider_message_id[:64],
                number=text.number[:16],
                body=text.body,
                provider_status=text.news.provider_status[:24],
                status=text.news.status,
                error_code=text.news.error_code[:24],
                sent_at=text.created_at,
            )
            for text in unknown
        ],
        ignore_conflicts=True,
    )


def _take_in(tenant_id: UUID, account: ProviderAccount, written: Sequence[KnownText], found: _Found) -> None:
    """Texts from people, in the order in which they were written: a START after a STOP must come after it."""
    take = cast(_TakeInbound, import_string(settings.INBOUND_TAKER))
    for text in sorted(written, key=lambda text: text.created_at):
        inbound = InboundText(text.provider_message_id, text.sender, text.number, text.body, service=text.service)
        try:
            with tenant_scope(tenant_id, durable=True):
                taken = take(account, inbound)
        except CallbackRefused:
            # Sent to something that cannot be one of the tenant's senders.
            continue
        if taken is not None:
            found.note("inbound_missed", [text.provider_message_id])


def _only_here(account: ProviderAccount, comparison: RecordComparison, seen: Collection[int]) -> list[str]:
    """Accepted attempts of this time, without its edges, that the record does not have."""
    first = first_id(comparison.since + CLOCKS_APART)
    last = first_id(comparison.until - BETWEEN_INTENT_AND_RECORD - CLOCKS_APART)
    attempts = Attempt.objects.filter(
        id__gte=first, id__lte=last, provider_account=account, state=Attempt.State.ACCEPTED
    ).exclude(provider_message_id="")
    ids = attempts.order_by("id").values_list("provider_message_id", flat=True)
    return [one for one in ids.iterator(chunk_size=10_000) if _short(one) not in seen]


def _short(provider_message_id: str) -> int:
    return int.from_bytes(blake2b(provider_message_id.encode(), digest_size=8).digest())


def _store(tenant_id: UUID, comparison: RecordComparison, *, found: _Found | None = None, problem: str = "") -> None:
    values: dict[str, object] = {"problem": problem}
    if found is not None:
        kinds = ("at_provider", "only_at_provider", "only_here", "receipts_missed", "inbound_missed")
        values |= {kind: found.counts[kind] for kind in kinds}
        values |= {"examples": dict(found.examples), "finished_at": timezone.now()}
    with tenant_scope(tenant_id):
        RecordComparison.objects.filter(id=comparison.id).update(**values)
