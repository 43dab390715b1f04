"""While the broker is away nobody is told that there is work: each worker then looks for its own.

A thread in each worker process, idle as long as the broker answers, there before the worker's own connection is. What it
does is what hints and ticks ask for; that they come as well, once the broker is back, does no harm.
"""

import logging
import threading
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Final, cast

from django.core.cache import caches
from django.db import connection

from common.cache import TolerantCache
from common.lanes import BACKGROUND, SENDING_LANES
from common.retries import each
from messaging import tasks

__all__ = ["Tick", "start_polling"]

LOOK_SECONDS: Final = 2.0

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Tick:
    """What the ticker asks for every so many seconds."""

    work: Callable[[], object]
    seconds: float
    due_at: float = field(default=0.0)
    """Monotonic."""

    def is_due(self) -> bool:
        """Whether its time has come; then it comes again after its seconds."""
        now = time.monotonic()
        if now < self.due_at:
            return False
        self.due_at = now + self.seconds
        return True


def start_polling(queues: Collection[str], ticks: Mapping[str, Tick]) -> None:
    """Begin, in the process of a worker of these queues; ``ticks`` is the schedule, by the name of the task."""
    # What only passes hints on has nobody to pass them to.
    own = [tick for name, tick in ticks.items() if name != tasks.wake_lanes.name and BACKGROUND in queues]
    lanes = [lane for lane in SENDING_LANES if lane in queues]
    threading.Thread(target=_for_ever, args=(lanes, own), name="polling", daemon=True).start()


def _for_ever(lanes: Collection[str], ticks: Collection[Tick]) -> None:
    away = False
    while True:
        time.sleep(LOOK_SECONDS)
        was_away, away = away, not _broker_answers()
        if away and not was_away:
            _log.warning("The broker does not answer; work is looked for in the database")
        if away:
            _poll(lanes, ticks)


def _poll(lanes: Collection[str], ticks: Collection[Tick]) -> None:
    """Do what is due."""
    each(lanes, tasks.dispatch, doing="hand texts over without the broker")
    each([tick for tick in ticks if tick.is_due()], lambda tick: tick.work(), doing="work without the broker")
    connection.close()


def _broker_answers() -> bool:
    return cast(TolerantCache, caches["default"]).reachable()
