"""A storm's clock: what the product waits for takes a fifth of its time, so that a minute shows what five would.

The order of the times is what safety rests on, and that stays: fence + call < deadline < lease, and the settle time
after it. Set in the storm's own process before it forks any other; the product has no switch for it.
"""

from datetime import timedelta
from importlib import import_module
from typing import Any, Final

__all__ = ["hasten"]

_CONSTANTS: Final[dict[str, Any]] = {
    "messaging.pipeline.attempts.DEADLINE": timedelta(seconds=6),
    "messaging.pipeline.claim.LEASE": timedelta(seconds=8),
    "messaging.pipeline.handover.FENCE_SECONDS": 2.0,
    "messaging.pipeline.handover.CALL_SECONDS": 3.0,
    "messaging.pipeline.reconcile.SETTLE": timedelta(seconds=8),
    "messaging.pipeline.results.LONGEST_WAIT": timedelta(seconds=10),
    "messaging.pipeline.set_aside.LOOK_AGAIN": timedelta(seconds=3),
    "messaging.routing.breaker.PROBE_SECONDS": timedelta(seconds=9),
    "messaging.routing.breaker.FIRST_REST": timedelta(seconds=2),
    "messaging.routing.breaker.LONGEST_REST": timedelta(seconds=10),
}
_EVERY: Final = {"sweep-batches": 1.0, "settle-doubts": 2.0, "handle-inbound": 2.0}
_ASKED_AGAIN: Final = ("interval '20 seconds'", "interval '2 seconds'")


def hasten() -> None:
    """Change the constants of the loaded product."""
    for path, value in _CONSTANTS.items():
        module, _, name = path.rpartition(".")
        owner = import_module(module)
        assert hasattr(owner, name), path
        setattr(owner, name, value)
    reconcile = import_module("messaging.pipeline.reconcile")
    assert _ASKED_AGAIN[0] in reconcile._DUE
    reconcile._DUE = reconcile._DUE.replace(*_ASKED_AGAIN)
    schedule = import_module("smsplatform.schedule").SCHEDULE
    for name, seconds in _EVERY.items():
        schedule[name]["schedule"] = seconds
