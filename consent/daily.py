"""The newest checkpoint of each day, and those that were given out: listed, and connected to by evidence."""

from datetime import date
from typing import Final

from django.utils import timezone

from consent.models import Checkpoint, DailyCheckpoint, GivenCheckpoint

__all__ = ["give_out", "held_by_readers", "note_day", "today"]

CONNECTED: Final = 366
"""So many checkpoints of days, and so many that were given out, evidence connects to."""


def today() -> date:
    """The day in UTC: the log belongs to no zone."""
    return timezone.now().date()


def note_day(checkpoint: Checkpoint) -> None:
    """The checkpoint is the newest of its day."""
    DailyCheckpoint.objects.bulk_create(
        [DailyCheckpoint(day=checkpoint.created_at.date(), size=checkpoint.size)],
        update_conflicts=True,
        unique_fields=["tenant", "day"],
        update_fields=["size"],
    )


def give_out(checkpoint: Checkpoint) -> None:
    """Somebody gets the checkpoint: evidence connects to it from now on."""
    GivenCheckpoint.objects.bulk_create([GivenCheckpoint(size=checkpoint.size)], ignore_conflicts=True)


def held_by_readers() -> list[Checkpoint]:
    """The checkpoints that a reader of evidence may have, oldest first: those of the last days, and those given out."""
    days = DailyCheckpoint.objects.order_by("-day").values_list("size", flat=True)[:CONNECTED]
    given = GivenCheckpoint.objects.order_by("-size").values_list("size", flat=True)[:CONNECTED]
    return list(Checkpoint.objects.filter(size__in={*days, *given}).order_by("size"))
