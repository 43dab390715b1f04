"""What runs periodically. Beat is only a ticker: each job finds its work in PostgreSQL and may run twice or late."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from celery.beat import Scheduler
from celery.schedules import schedule

from common.lanes import BACKGROUND

__all__ = ["SCHEDULE", "Ticker", "intervals"]


_STARTED: Final = datetime.now(UTC) - timedelta(seconds=time.monotonic())


def _steady_now() -> datetime:
    """A clock that nobody sets: by the machine's, a ticker whose clock is set back an hour would not tick for an hour."""
    return _STARTED + timedelta(seconds=time.monotonic())


def _every(seconds: float, task: str) -> dict[str, Any]:
    return {
        "task": task,
        "schedule": schedule(timedelta(seconds=seconds), nowfun=_steady_now),
        # A tick that waited longer than this has been overtaken by the next one.
        "options": {"queue": BACKGROUND, "lapses_in": max(5.0, 2 * seconds)},
    }


SCHEDULE: Final[dict[str, dict[str, Any]]] = {
    "wake-lanes": _every(1.0, "messaging.wake_lanes"),
    "apply-receipts": _every(1.0, "messaging.apply_receipts"),
    "seal-consent": _every(1.0, "consent.seal"),
    "forget-old-evidence": _every(1800.0, "consent.forget_old_evidence"),
    "mail-checkpoints": _every(600.0, "consent.mail_checkpoints"),
    "withdraw-texts": _every(2.0, "messaging.withdraw"),
    "ask-to-confirm": _every(10.0, "messaging.ask_to_confirm"),
    "handle-inbound": _every(5.0, "messaging.sweep_inbound"),
    "sweep-batches": _every(5.0, "messaging.sweep"),
    "settle-doubts": _every(10.0, "messaging.reconcile"),
    "compare-records": _every(1800.0, "messaging.compare_records"),
    "match-subaccounts": _every(300.0, "messaging.match_subaccounts"),
    "recover-from-restore": _every(10.0, "messaging.recover"),
    "run-campaigns": _every(2.0, "campaigns.run_due"),
    "resume-imports": _every(30.0, "contacts.resume_imports"),
    "wipe-deleted-fields": _every(60.0, "contacts.wipe_deleted_fields"),
    "resume-contact-jobs": _every(30.0, "contacts.resume_jobs"),
    "delete-exports": _every(600.0, "contacts.delete_exports"),
    "resume-searches": _every(60.0, "contacts.resume_searches"),
    "delete-old-imports": _every(3600.0, "contacts.delete_old_imports"),
    "refresh-figures": _every(30.0, "analytics.refresh_figures"),
    "delete-tenants": _every(60.0, "tenants.delete_tenants"),
    "export-tenants": _every(20.0, "tenants.export_tenants"),
    "remove-expired-sessions": _every(3600.0, "tenants.remove_expired_sessions"),
    "send-mails": _every(20.0, "tenants.send_mails"),
    "beat-heartbeat": _every(5.0, "messaging.beat_heartbeat"),
}


def intervals() -> dict[str, float]:
    """After how many seconds each task is asked for again."""
    return {str(entry["task"]): _seconds(entry["schedule"]) for entry in SCHEDULE.values()}


def _seconds(every: Any) -> float:
    # Tests name plain seconds.
    return float(every if isinstance(every, float) else every.run_every.total_seconds())


class Ticker(Scheduler):
    """Beat without a schedule file: the entries above are all there is, and nothing about them is stored."""

    data: dict[str, Any]

    def setup_schedule(self) -> None:
        self.install_default_entries(self.data)
        self.update_from_dict(SCHEDULE)
        for entry in self.data.values():
            # Due at once: after a start nothing waits for a first full interval.
            entry.last_run_at -= timedelta(minutes=1)
