"""The counter-proofs: a storm with one safeguard off, of which its judge must find something.

Set in the storm's own process before it forks any other; the product has no switch for it.
"""

import os
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, Final

import psycopg2

__all__ = ["GUARDS", "take_off"]


def blind_retry() -> None:
    """A text of which nobody knows whether it arrived is simply sent again."""
    results = _module("results")
    unknown, again = _outcomes()
    results._ATTEMPT_STATE[unknown] = results._ATTEMPT_STATE[again]
    results._MESSAGE_STATUS[unknown] = results._MESSAGE_STATUS[again]


def no_index() -> None:
    """A naive sweep gives back all that a dead worker held, and the index that would refuse it is gone."""
    naive_sweep()
    with psycopg2.connect(os.environ["DATABASE_URL"]) as owner, owner.cursor() as cursor:
        cursor.execute("DROP INDEX attempt_one_live")


def naive_sweep() -> None:
    """A naive sweep alone: the index keeps what it would do from happening."""
    sweeps = _module("sweeps")
    release = sweeps._release

    def give_all_back(tenant_id: Any, batch_id: Any) -> None:
        with sweeps.tenant_scope(tenant_id):
            sweeps.Message.objects.filter(batch_id=batch_id, status__in=["submitting", "unknown"]).update(
                status="queued"
            )
        release(tenant_id, batch_id)

    sweeps._release = give_all_back


def no_fence() -> None:
    """A process that was paused calls the provider as if no time had passed."""
    handover = _module("handover")
    handover.FENCE_SECONDS = float("inf")


def no_sweep() -> None:
    """Nobody looks after what dead workers leave."""
    sweeps = _module("sweeps")
    sweeps.release_expired_leases = sweeps.mark_unknown = lambda: 0


GUARDS: Final[Mapping[str, Callable[[], None]]] = {
    guard.__name__: guard for guard in (blind_retry, no_index, naive_sweep, no_fence, no_sweep)
}


def take_off(name: str) -> None:
    """Take one safeguard off, or none."""
    if name:
        GUARDS[name]()


def _module(name: str) -> Any:
    return import_module(f"messaging.pipeline.{name}")


def _outcomes() -> tuple[Any, Any]:
    outcome = import_module("messaging.providers.base").Outcome
    return outcome.UNKNOWN, outcome.TRY_AGAIN
