"""The lock between opting out and handing over: no call to a provider begins after an opt-out has been committed.

Dispatch shares the lock for the transaction that checks suppressions and commits its attempts (milliseconds per
batch); whoever changes consent takes it alone. PostgreSQL queues fairly, so an opt-out waits for the running
hand-overs only, and later ones wait for it. An attempt that was committed just before is called in the moments after:
an opt-out also waits for the calls to its own number.
"""

import time
from collections.abc import Callable, Collection
from typing import Final, cast

from django.conf import settings
from django.db import connection, transaction
from django.utils.module_loading import import_string

from tenants.scope import current_tenant_id

__all__ = ["CallsUnderWay", "hold_after_calls", "hold_exclusively", "share"]

CallsUnderWay = Callable[[Collection[str]], bool]
"""Whether a call to one of the active tenant's numbers may still begin; what is named by ``CALLS_UNDER_WAY``."""

PATIENCE_SECONDS: Final = 10.0
"""So long other hand-overs go on while an opt-out waits for calls to its number."""
LOOK_AGAIN_SECONDS: Final = 0.02


def share() -> None:
    """Hold the active tenant's lock together with other hand-overs until this transaction ends."""
    _take("pg_advisory_xact_lock_shared")


def hold_exclusively() -> None:
    """Hold the active tenant's lock alone until this transaction ends."""
    _take("pg_advisory_xact_lock")


def hold_after_calls(numbers: Collection[str]) -> None:
    """Hold the lock alone from a moment at which no text to these numbers is on its way to a provider.

    Nearly always that is at once. While one is, the lock is given back between looks, so that the others' texts go on.
    """
    under_way = _calls_under_way()
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        if _held_unless(under_way, numbers):
            return
        time.sleep(LOOK_AGAIN_SECONDS)
    # New ones keep beginning. From here on none can be added.
    hold_exclusively()
    while under_way(numbers):
        time.sleep(LOOK_AGAIN_SECONDS)


class _Busy(Exception):
    pass


def _held_unless(under_way: CallsUnderWay, numbers: Collection[str]) -> bool:
    try:
        with transaction.atomic():
            hold_exclusively()
            if under_way(numbers):
                raise _Busy  # going back to the savepoint releases the lock
    except _Busy:
        return False
    return True


def _calls_under_way() -> CallsUnderWay:
    return cast(CallsUnderWay, import_string(settings.CALLS_UNDER_WAY))


def _take(function: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(hashtextextended(%s, 1))", [f"revocation:{current_tenant_id()}"])
