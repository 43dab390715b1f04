"""When a campaign will be through, from the pace of its number; and how a campaign is spread over hours."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Final

from django.utils import timezone

from campaigns.models import Campaign
from campaigns.progress import Progress
from messaging.models import Batch, Sender
from messaging.pace.days import day_of, next_day, used_on
from messaging.pace.forecast import Speed, finish, in_words
from messaging.pace.limits import rates_of
from messaging.pipeline.enqueue import MAX_BATCH
from messaging.pipeline.route import choose

__all__ = ["Finish", "due_at", "expected_finish", "finish_of", "page_size"]

STEP: Final = timedelta(minutes=5)
"""A campaign that is spread goes on at least so often."""


@dataclass(frozen=True, slots=True)
class Finish:
    """When the last text goes if nothing else goes from the number, and why not earlier."""

    at: datetime
    takes: str
    per_second: float | None
    per_day: int | None


def expected_finish(sender: Sender | None, parts: int, *, spread_until: datetime | None = None) -> Finish | None:
    """The end for so many parts from now on; None when nothing limits the number, or nobody can say."""
    if sender is None or not parts:
        return None
    now = timezone.now()
    start = max(now, sender.held_until or now)
    speed = Speed(
        per_second=min(rates_of(sender), default=None),
        per_day=sender.parts_per_day,
        used_today=used_on(sender, day_of(start), lock=False) if sender.parts_per_day is not None else 0,
    )
    if not (speed.is_limited or spread_until):
        return None
    end = finish(parts, speed, at=start, next_day=next_day)
    if end is None:
        return None
    end = max(end, spread_until or end)
    return Finish(end, in_words(end - now), speed.per_second, speed.per_day)


def finish_of(campaign: Campaign, progress: Progress) -> Finish | None:
    """The end of a campaign that is under way, from what still waits."""
    if campaign.status not in (Campaign.Status.LAUNCHING, Campaign.Status.SENDING):
        return None
    texts = progress.planned - progress.blocked
    parts = ceil(progress.waiting * progress.part_count / texts) if texts else 0
    return expected_finish(choose(campaign.sender_id).sender, parts, spread_until=_spread_until(campaign))


def _spread_until(campaign: Campaign) -> datetime | None:
    until = (campaign.launched_at or timezone.now()) + timedelta(hours=campaign.spread_hours)
    return until if campaign.spread_hours and until > timezone.now() else None


def page_size(campaign: Campaign) -> int:
    """How many recipients are planned as one batch: few enough that a campaign that is spread goes in small steps."""
    if not campaign.spread_hours:
        return MAX_BATCH
    steps = timedelta(hours=campaign.spread_hours) / STEP
    return max(1, min(MAX_BATCH, ceil(campaign.audience_count / steps)))


def due_at(campaign: Campaign) -> datetime | None:
    """When the next page to be planned may go: the spread is even over the audience. None: at once."""
    if not (campaign.spread_hours and campaign.launched_at and campaign.audience_count):
        return None
    planned = Batch.objects.filter(cause_id=campaign.id).count()
    share = min(1.0, planned * page_size(campaign) / campaign.audience_count)
    return campaign.launched_at + timedelta(hours=campaign.spread_hours) * share
