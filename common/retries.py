"""Database work that must not be given up for what passes: a lost connection, a deadlock, a lock held too long."""

import logging
import random
import time
import traceback
from collections.abc import Callable, Iterable
from typing import TypeVar

from django.db import DatabaseError, InterfaceError, OperationalError, connection

__all__ = ["each", "insist", "log_failure", "passes"]

ResultT = TypeVar("ResultT")
ItemT = TypeVar("ItemT")

_log = logging.getLogger(__name__)


def passes(error: BaseException) -> bool:
    """Whether it is the database that cannot work at the moment, and not what was asked of it."""
    # psycopg2 has no class of its own for a server that ends in the middle of an answer: an error without a code.
    lost = type(error) is DatabaseError and not getattr(error.__cause__, "pgcode", None)
    return lost or isinstance(error, OperationalError | InterfaceError)


def insist(work: Callable[[], ResultT], *, seconds: float) -> ResultT:
    """Run ``work``, one whole transaction that may safely be repeated, again and again for so many seconds.

    Inside a transaction it runs once: that transaction is already lost when its work fails.
    """
    until, pause = time.monotonic() + seconds, 0.05
    while True:
        try:
            return work()
        except (DatabaseError, InterfaceError) as error:
            if not passes(error) or connection.in_atomic_block or time.monotonic() + pause > until:
                raise
            _log.warning("Database work is tried again after %s", type(error.__cause__ or error).__name__)
        connection.close()
        time.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - spreads load, hides nothing
        pause = min(2 * pause, 5.0)


def log_failure(what: str, error: Exception) -> None:
    """Log what failed and where. The error's own words stay out: they may quote rows, that is numbers and texts."""
    place = "".join(traceback.format_tb(error.__traceback__))
    _log.error("%s: %s\n%s", what, type(error.__cause__ or error).__name__, place)


def each(items: Iterable[ItemT], work: Callable[[ItemT], object], *, doing: str) -> None:
    """Work on every item: one that fails is logged and keeps none of the others waiting."""
    for item in items:
        try:
            work(item)
        except Exception as error:  # noqa: BLE001 - whatever it is, the next item has its turn
            log_failure(f"Could not {doing}; the next round tries again", error)
