"""Background work of messaging."""

import time
from typing import Final
from uuid import UUID

from celery import shared_task
from django.core.cache import cache

from common.hints import lapsing
from common.retries import each
from messaging.handling import handle_inbound, unhandled
from messaging.pipeline import confirmations, nightly, receipt, reconcile, restoration, subaccounts, sweeps, withdrawal
from messaging.pipeline.claim import lanes_with_work
from messaging.pipeline.dispatch import run_next_batch

__all__ = [
    "apply_receipts",
    "ask_to_confirm",
    "beat_heartbeat",
    "compare_records",
    "dispatch",
    "handle_inbound_text",
    "match_subaccounts",
    "reconcile_attempts",
    "recover_from_restore",
    "sweep",
    "sweep_inbound",
    "wake_lanes",
    "withdraw_texts",
]

WORK_SECONDS: Final = 10.0
"""How long one hint keeps a worker busy on its lane; then the next hint has its turn."""
HINTS_AT_ONCE: Final = 8
HEARTBEAT_KEY: Final = "beat-heartbeat"


@shared_task(name="messaging.dispatch")
def dispatch(lane: str) -> None:
    """Hand over the lane's due batches, one after the other. Sent to the lane's own queue."""
    until = time.monotonic() + WORK_SECONDS
    while time.monotonic() < until and run_next_batch(lane):
        pass


@shared_task(name="messaging.wake_lanes")
def wake_lanes() -> None:
    """Hint to each lane that has due batches; hints that find no free worker lapse before the next tick's."""
    for lane, batches in lanes_with_work(most=HINTS_AT_ONCE).items():
        for _ in range(batches):
            dispatch.apply_async(args=(lane,), queue=lane, headers=lapsing(2.0), ignore_result=True)


@shared_task(name="messaging.apply_receipts")
def apply_receipts() -> None:
    """Apply the receipts that wait."""
    receipt.apply_pending()


@shared_task(name="messaging.ask_to_confirm")
def ask_to_confirm() -> None:
    """Ask for the YES of a double opt-in."""
    confirmations.ask_to_confirm()


@shared_task(name="messaging.withdraw")
def withdraw_texts() -> None:
    """End what still waits for people who have opted out."""
    withdrawal.withdraw_waiting()


@shared_task(name="messaging.handle_inbound")
def handle_inbound_text(tenant_id: str, inbound_id: str) -> None:
    """Pass an incoming text to the handlers."""
    handle_inbound(UUID(tenant_id), UUID(inbound_id))


@shared_task(name="messaging.sweep_inbound")
def sweep_inbound() -> None:
    """Handle incoming texts whose hint was lost."""
    each(unhandled(), lambda text: handle_inbound(*text), doing="handle an incoming text")


@shared_task(name="messaging.reconcile")
def reconcile_attempts() -> None:
    """Ask the providers about the texts in doubt."""
    reconcile.resolve_in_doubt()


@shared_task(name="messaging.match_subaccounts")
def match_subaccounts() -> None:
    """Suspend, take up or close the sub-accounts whose tenants were."""
    subaccounts.match_subaccounts()


@shared_task(name="messaging.compare_records")
def compare_records() -> None:
    """Compare yesterday's texts with the providers' records, once a day for each account."""
    nightly.compare_yesterday()


@shared_task(name="messaging.recover")
def recover_from_restore() -> None:
    """After a restore: read the providers' records, then let texts go again."""
    restoration.recover()


@shared_task(name="messaging.sweep")
def sweep() -> None:
    """Free what a dead worker or a lost answer left behind."""
    steps = (sweeps.release_expired_leases, sweeps.mark_unknown, sweeps.give_up_unconfirmed)
    each(steps, lambda step: step(), doing="sweep")


@shared_task(name="messaging.beat_heartbeat")
def beat_heartbeat() -> None:
    """Shows that beat and a worker are alive; read by ``/readyz``."""
    cache.set(HEARTBEAT_KEY, time.time(), timeout=3600)
