"""When a campaign will be through, from the pace of its number; and how a campaign is spread over hours."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Final

from django.db import connection
from django.utils import timezone

from campaigns.models import Campaign
from campaigns.progress import Progress
from campaigns.shares import route_of
from messaging.models import Sender
from messaging.pace.days import day_of, next_day, used_on
from messaging.pace.forecast import Speed, finish, in_words
from messaging.pace.limits import rates_of
from messaging.pipeline.enqueue import MAX_BATCH
from messaging.pipeline.route import Route
from messaging.routing.pools import shares_of
from tenants.scope import current_tenant_id

__all__ = ["Finish", "batches_at_once", "due_at", "expected_finish", "finish_of", "page_size"]

STEP: Final = timedelta(minutes=5)
"""A campaign that is spread goes on at least so often."""
MOST_BATCHES: Final = 4
"""As many full batches are planned in one transaction at most: pausing a campaign waits for it."""

_PLANNED: Final = """
SELECT coalesce(sum(counted.n::int), 0)
FROM messaging_batch CROSS JOIN LATERAL jsonb_each_text(tally) AS counted(status, n)
WHERE tenant_id = %s AND cause_id = %s
"""


@dataclass(frozen=True, slots=True)
class Finish:
    """When the last text goes if nothing else goes from the number, and why not earlier."""

    at: datetime
    takes: str
    per_second: float | None
    per_day: int | None


def expected_finish(route: Route, parts: int, *, spread_until: datetime | None = None) -> Finish | None:
    """The end for so many parts from now on; None when nothing limits the numbers, or nobody can say."""
    shares = shares_of(route.usable) if route.sender else []
    if not (shares and parts):
        return None
    now = timezone.now()
    speeds = [_speed(sender, now) for sender, _ in shares]
    if not (any(speed.is_limited for speed in speeds) or spread_until):
        return None
    ends = [
        finish(ceil(parts * share), speed, at=max(now, sender.held_until or now), next_day=next_day)
        for (sender, share), speed in zip(shares, speeds, strict=True)
    ]
    known = [end for end in ends if end is not None]
    if len(known) < len(ends):
        return None
    end = max(*known, spread_until or known[0])
    paces = [speed.per_second for speed in speeds if speed.per_second is not None]
    days = [speed.per_day for speed in speeds if speed.per_day is not None]
    return Finish(
        end,
        in_words(end - now),
        sum(paces) if len(paces) == len(speeds) else None,
        sum(days) if len(days) == len(speeds) else None,
    )


def _speed(sender: Sender, now: datetime) -> Speed:
    start = max(now, sender.held_until or now)
    return Speed(
        per_second=min(rates_of(sender), default=None),
        per_day=sender.parts_per_day,
        used_today=used_on(sender, day_of(start), lock=False) if sender.parts_per_day is not None else 0,
    )


def finish_of(campaign: Campaign, progress: Progress) -> Finish | None:
    """The end of a campaign that is under way, from what still waits."""
    if campaign.status not in (Campaign.Status.LAUNCHING, Campaign.Status.SENDING):
        return None
    texts = progress.planned - progress.blocked
    parts = ceil(progress.waiting * progress.part_count / texts) if texts else 0
    return expected_finish(route_of(campaign), parts, spread_until=_spread_until(campaign))


def _spread_until(campaign: Campaign) -> datetime | None:
    until = (campaign.launched_at or timezone.now()) + timedelta(hours=campaign.spread_hours)
    return until if campaign.spread_hours and until > timezone.now() else None


def batches_at_once(campaign: Campaign, senders: Sequence[Sender]) -> int:
    """How many full batches are planned together: each sender of a pool gets its own, and small ones cost as much."""
    return 1 if campaign.spread_hours else max(1, min(len(senders), MOST_BATCHES))


def page_size(campaign: Campaign) -> int:
    """How many recipients a full batch has: few enough that a campaign that is spread goes in small steps."""
    if not campaign.spread_hours:
        return MAX_BATCH
    steps = timedelta(hours=campaign.spread_hours) / STEP
    return max(1, min(MAX_BATCH, ceil(campaign.audience_count / steps)))


def due_at(campaign: Campaign) -> datetime | None:
    """When the next page to be planned may go: the spread is even over the audience. None: at once."""
    if not (campaign.spread_hours and campaign.launched_at and campaign.audience_count):
        return None
    share = min(1.0, _planned(campaign) / campaign.audience_count)
    return campaign.launched_at + timedelta(hours=campaign.spread_hours) * share


def _planned(campaign: Campaign) -> int:
    """The recipients that have a message, from the tallies of the batches."""
    with connection.cursor() as cursor:
        cursor.execute(_PLANNED, [current_tenant_id(), campaign.id])
        return int(cursor.fetchone()[0])
