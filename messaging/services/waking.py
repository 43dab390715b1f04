"""Waking the workers: a hint that a lane has work, sent when the transaction that made the work commits."""

from common.tasks import enqueue_on_commit
from messaging.tasks import dispatch

__all__ = ["wake"]


def wake(lane: str) -> None:
    """Hint to the lane's workers after commit. If the hint is lost, the ticker finds the batch within a second."""
    enqueue_on_commit(dispatch, lane, queue=lane)
