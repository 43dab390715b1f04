"""Which queue each task waits in. A task that is missing here fails the guard tests."""

from typing import Final

from common.lanes import BACKGROUND, CONVERSATION

__all__ = ["ROUTES"]

_QUEUES: Final = {
    "analytics.refresh_figures": BACKGROUND,
    "campaigns.plan": BACKGROUND,
    "campaigns.run_due": BACKGROUND,
    "consent.forget_old_evidence": BACKGROUND,
    "consent.mail_checkpoints": BACKGROUND,
    "consent.seal": BACKGROUND,
    "contacts.delete_old_imports": BACKGROUND,
    "contacts.import_rows": BACKGROUND,
    "contacts.resume_imports": BACKGROUND,
    "contacts.delete_exports": BACKGROUND,
    "contacts.resume_jobs": BACKGROUND,
    "contacts.resume_searches": BACKGROUND,
    "contacts.run_job": BACKGROUND,
    "contacts.search_duplicates": BACKGROUND,
    "contacts.wipe_deleted_fields": BACKGROUND,
    "contacts.wipe_field": BACKGROUND,
    "messaging.apply_receipts": BACKGROUND,
    "messaging.ask_to_confirm": BACKGROUND,
    "messaging.beat_heartbeat": BACKGROUND,
    # Sent to the queue of the lane that it is to work on; this is where it would wait without one.
    "messaging.dispatch": CONVERSATION,
    "messaging.handle_inbound": CONVERSATION,
    "messaging.compare_records": BACKGROUND,
    "messaging.match_subaccounts": BACKGROUND,
    "messaging.reconcile": BACKGROUND,
    "messaging.recover": BACKGROUND,
    "messaging.sweep": BACKGROUND,
    "messaging.sweep_inbound": BACKGROUND,
    "messaging.wake_lanes": BACKGROUND,
    "messaging.withdraw": BACKGROUND,
    "tenants.delete_tenants": BACKGROUND,
    "tenants.export_tenants": BACKGROUND,
    "tenants.remove_expired_sessions": BACKGROUND,
    "tenants.send_mails": BACKGROUND,
}

ROUTES: Final = {task: {"queue": queue} for task, queue in _QUEUES.items()}
