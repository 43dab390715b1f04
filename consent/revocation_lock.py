"""The lock between opting out and handing over: nothing is handed over after an opt-out has been committed.

Dispatch shares the lock for the transaction that checks suppressions and commits its attempts (milliseconds per
batch); whoever changes consent takes it alone. PostgreSQL queues fairly, so an opt-out waits for the running
hand-overs only, and later ones wait for it.
"""

from django.db import connection

from tenants.scope import current_tenant_id

__all__ = ["hold_exclusively", "share"]


def share() -> None:
    """Hold the active tenant's lock together with other hand-overs until this transaction ends."""
    _take("pg_advisory_xact_lock_shared")


def hold_exclusively() -> None:
    """Hold the active tenant's lock alone until this transaction ends."""
    _take("pg_advisory_xact_lock")


def _take(function: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(hashtextextended(%s, 1))", [f"revocation:{current_tenant_id()}"])
