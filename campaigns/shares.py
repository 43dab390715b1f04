"""A planned page is handed over in batches of one sender each; of a pool each person has a sender of their own."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from campaigns.models import Campaign
from messaging.pipeline.enqueue import MAX_BATCH, Draft
from messaging.pipeline.route import Route, choose

__all__ = ["Share", "route_of", "shares"]


@dataclass(frozen=True, slots=True)
class Share:
    """Texts of a page that become one batch."""

    drafts: Sequence[Draft]
    sender_id: UUID | None
    pool_id: UUID | None = None
    until: datetime | None = None
    """When its people wake up; None: they are awake."""


def route_of(campaign: Campaign) -> Route:
    """The number or the pool that a campaign is sent from, or why it cannot be sent now."""
    return choose(campaign.sender_id, campaign.pool_id)


def shares(campaign: Campaign, route: Route, drafts: Sequence[Draft]) -> Iterator[Share]:
    """The page in batches. Each text of a pool says which sender was chosen for it and why."""
    if route.pool is None or route.sender is None:
        for some in _in_batches(drafts):
            yield Share(some, campaign.sender_id, campaign.pool_id, some[0].deferred_until)
        return
    choices = route.choices({draft.number for draft in drafts})
    by_sender: dict[UUID, list[Draft]] = {}
    for draft in drafts:
        choice = choices[draft.number]
        note = {"route": {"sender": str(choice.sender_id), "why": choice.why}}
        by_sender.setdefault(choice.sender_id, []).append(replace(draft, decision={**draft.decision, **note}))
    for sender_id in sorted(by_sender):
        for some in _in_batches(by_sender[sender_id]):
            yield Share(some, sender_id, route.pool.id, some[0].deferred_until)


def _in_batches(drafts: Sequence[Draft]) -> Iterator[Sequence[Draft]]:
    """Those who can be texted now, then those who wake up together."""
    by_time: dict[datetime | None, list[Draft]] = {}
    for draft in drafts:
        by_time.setdefault(draft.deferred_until, []).append(draft)
    for some in by_time.values():
        for start in range(0, len(some), MAX_BATCH):
            yield some[start : start + MAX_BATCH]
