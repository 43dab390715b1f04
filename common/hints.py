"""Hints that lapse: a tick that waited longer than the next one takes to come need not be carried out.

Sender and worker both ask the broker for the time. Celery's own ``expires`` is the sender's clock read by the worker's: one
whose clock is ahead would drop every tick, and one whose clock is behind none.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from celery.app.task import Task
from celery.result import AsyncResult
from django.core.cache import caches
from django.db import close_old_connections

from common.cache import TolerantCache

__all__ = ["Hint", "lapsing"]

LAPSES_AT: Final = "lapses_at"


def lapsing(seconds: float) -> dict[str, str]:
    """The headers of a hint that is not to be carried out after so many seconds; none while nobody knows the time."""
    now = _broker_time()
    return {} if now is None else {LAPSES_AT: str(now + seconds)}


class Hint(Task[Any, Any]):
    """The base of all tasks. The option ``lapses_in`` is for schedules, whose options are the same each time."""

    abstract = True

    def apply_async(
        self,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        *pos: Any,
        lapses_in: float | None = None,
        **options: Any,
    ) -> "AsyncResult[Any]":
        if lapses_in is not None:
            options["headers"] = {**(options.get("headers") or {}), **lapsing(lapses_in)}
        return super().apply_async(cast(Any, args), cast(Any, kwargs), *pos, **options)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self._has_lapsed():
            return None
        if not (self.request.called_directly or self.request.is_eager):
            # In a worker a connection serves one task after the other (CELERY_DB_REUSE_MAX); one that broke meanwhile is
            # made anew. Whoever calls a task itself is in the middle of something with its own.
            close_old_connections()
        return self.run(*args, **kwargs)

    def _has_lapsed(self) -> bool:
        lapses_at = (self.request.headers or {}).get(LAPSES_AT)
        if lapses_at is None:
            return False
        now = _broker_time()
        return now is not None and now > float(lapses_at)


def _broker_time() -> float | None:
    """None while the broker cannot be asked: then nothing lapses."""
    return cast(TolerantCache, caches["default"]).server_time()
