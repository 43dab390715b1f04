"""While the broker is away nobody is told that there is work: each worker then looks for its own.

A thread in each worker process, idle as long as the broker answers. What it does is what hints and ticks ask for; that
they come as well, once the broker is back, does no harm.
"""

import logging
import threading
import time
from collections.abc import Callable, Collection
from typing import Final, cast

from django.core.cache import caches
from django.db import connection

from common.cache import TolerantCache
from common.lanes import BACKGROUND, SENDING_LANES
from common.retries import each
from messaging import tasks

__all__ = ["poll", "start_polling"]

LOOK_SECONDS: Final = 2.0
_WHILE_AWAY: Final = (tasks.apply_receipts, tasks.sweep_inbound, tasks.sweep, tasks.reconcile_attempts)

_log = logging.getLogger(__name__)


def start_polling(queues: Collection[str]) -> None:
    """Begin, in the process of a worker of these queues."""
    threading.Thread(target=_for_ever, args=(queues,), name="polling", daemon=True).start()


def _for_ever(queues: Collection[str]) -> None:
    away = False
    while True:
        time.sleep(LOOK_SECONDS)
        was_away, away = away, not _broker_answers()
        if away and not was_away:
            _log.warning("The broker does not answer; work is looked for in the database")
        if away:
            poll(queues)


def poll(queues: Collection[str]) -> None:
    """Do what is due in these queues."""
    work: list[Callable[[], object]] = [
        *(_dispatch(lane) for lane in SENDING_LANES if lane in queues),
        *(_WHILE_AWAY if BACKGROUND in queues else ()),
    ]
    each(work, lambda job: job(), doing="work without the broker")
    connection.close()


def _dispatch(lane: str) -> Callable[[], object]:
    return lambda: tasks.dispatch(lane)


def _broker_answers() -> bool:
    return cast(TolerantCache, caches["default"]).reachable()
