"""Whether anything may be handed over at all: nothing may while the database has gone back in time."""

from django.db import models
from django.utils import timezone

from common.ids import uuid7

__all__ = ["DispatchState"]


class DispatchState(models.Model):
    """One row for the whole platform. It travels with a backup, and so shows after a restore that there was one."""

    THE_ONE = 1

    id = models.PositiveSmallIntegerField(primary_key=True, default=THE_ONE)
    life = models.UUIDField(default=uuid7)
    """Names this database's life in the cache, where the last hand-over is remembered."""
    identity = models.CharField(max_length=80)
    """The cluster, its timeline and the database that this row was last read in."""
    held_since = models.DateTimeField(null=True)
    """Nothing is handed over since then, until the providers' records have been read."""
    reason = models.CharField(max_length=120, blank=True)
    restored_to = models.DateTimeField(null=True)
    """The last moment of which the database knows."""
    released_at = models.DateTimeField(null=True)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="dispatch_state_is_one")]

    def __str__(self) -> str:
        return "on hold" if self.held_since else "running"

    @property
    def memory_key(self) -> str:
        """The cache's key for the last hand-over of this database's life."""
        return f"last-hand-over:{self.life}"
