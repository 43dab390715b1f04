"""Pace, between route and gate: as many of a batch's texts as the sender has room for; the others wait in the batch.

Tokens are taken before the gate is asked, so that a batch of a slow sender does not decide on five hundred texts to send
one; what the gate then blocks is given back.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final
from uuid import UUID

from django.db.models import IntegerField, Sum
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Now

from common import lanes
from common.clock import database_now
from messaging.models import Batch, Sender
from messaging.pace.buckets import give_back, take
from messaging.pace.days import count_parts, day_of, next_day, used_on
from messaging.pace.limits import keys_of, rates_of
from messaging.pace.rules import Limit, fitting, limit_for, seconds_until

__all__ = ["Allowance", "allow"]

LOOK_AGAIN: Final = timedelta(minutes=10)
"""The longest wait of a campaign: a pace that somebody changed is felt after it at the latest."""
LOOK_AGAIN_URGENT: Final = timedelta(seconds=30)
"""That of the other lanes, whose texts are good for a time and must end in time."""
BEHIND_OTHERS: Final = timedelta(minutes=1)
"""The longest wait behind older batches of the sender."""


Text = tuple[UUID, str, str]
"""A message's id, number and body."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """How many of a batch's texts, in order, may go now, and after how long the batch should come back for the rest."""

    count: int
    parts: Sequence[int]
    """Of each text."""
    wait: timedelta = timedelta()
    why: str = ""
    sender: Sender | None = None
    """None when nothing limits it."""
    day: date = date.min
    keys: Sequence[str] = ()
    limits: Sequence[Limit] = ()

    @property
    def state(self) -> str:
        """What becomes of a batch of which nothing is handed over."""
        return Batch.State.DONE if self.count == len(self.parts) else Batch.State.QUEUED

    def settle(self, batch: Batch, asked: Sequence[Text], going: Sequence[Text]) -> None:
        """Give back what was taken for those that do not go, count the day, and let the rest of the batch wait."""
        if self.sender is None:
            return
        parts = {message_id: count for (message_id, _, _), count in zip(asked, self.parts, strict=False)}
        used = sum(parts[message_id] for message_id, _, _ in going)
        unused = sum(parts.values()) - used
        if unused and self.limits:
            give_back(self.keys, self.limits, unused)
        if used:
            count_parts(self.sender, self.day, used)
        if self.count < len(self.parts):
            wait = timedelta() if unused else self.wait
            Batch.objects.filter(id=batch.id).update(not_before=Now() + wait)


def allow(batch: Batch, sender: Sender | None, parts: Sequence[int]) -> Allowance:
    """What may go of the batch's texts with so many ``parts`` each; all of them when nothing limits the sender."""
    rates = rates_of(sender) if sender else []
    if not sender or not parts or not (rates or sender.held_until or sender.parts_per_day is not None):
        return Allowance(len(parts), parts)
    now = database_now()
    day = day_of(now)
    held_until = sender.held_until if sender.is_held_at(now) else None
    left = 0 if held_until else fitting(parts, _left_today(sender, day))
    wait, why = _until_tomorrow(batch, (held_until or next_day(now)) - now), "day_used_up"
    keys, limits = keys_of(sender), _limits(rates, batch, parts)
    count = left
    if left and limits:
        taken = take(keys, limits, parts[:left])
        count = taken.count
        if count < left:
            seconds = seconds_until(parts[count:left], limits, taken.levels)
            wait, why = timedelta(seconds=seconds), "paced"
            if not count:
                wait = max(wait, _behind_others(batch, min(one.rate for one in taken.levels)))
    return Allowance(count, parts, wait, why, sender, day, keys, limits)


def _limits(rates: Sequence[float], batch: Batch, parts: Sequence[int]) -> list[Limit]:
    urgent = batch.lane != lanes.MARKETING
    return [limit_for(rate, largest=max(parts), urgent=urgent) for rate in rates]


def _left_today(sender: Sender, day: date) -> float:
    if sender.parts_per_day is None:
        return float("inf")
    return sender.parts_per_day - used_on(sender, day, lock=True)


def _until_tomorrow(batch: Batch, until: timedelta) -> timedelta:
    return min(until, LOOK_AGAIN if batch.lane == lanes.MARKETING else LOOK_AGAIN_URGENT)


def _behind_others(batch: Batch, rate: float) -> timedelta:
    """Half of what the older batches of the sender and lane need: the batches of a large campaign must not all ask
    for the same few tokens each second."""
    older = Batch.objects.filter(
        lane=batch.lane, sender=batch.sender, held=False, id__lt=batch.id,
        state__in=[Batch.State.QUEUED, Batch.State.LEASED],
    )  # fmt: skip
    queued = Cast(KeyTextTransform("queued", "tally"), IntegerField())
    texts = older.aggregate(texts=Sum(queued))["texts"] or 0
    return min(BEHIND_OTHERS, timedelta(seconds=texts / rate / 2))
