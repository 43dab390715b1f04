"""After a restore from a backup nothing is handed over until the providers' records have been read (fault F29).

A database that went back in time offers again what has gone out since, and has forgotten the STOPs that came since. Two
signs tell it: the cluster, its timeline or the database is not the one that ``DispatchState`` was written in (another
machine, a point-in-time recovery, a fail-over), or the cache remembers a hand-over that the database does not know of.
"""

import logging
import threading
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.core.cache import cache
from django.db import connection, transaction
from django.db.models.functions import Now
from django.utils import timezone

from common.ids import id_in
from common.retries import each
from messaging.models import Attempt, DispatchState, Message, ProviderAccount, RecordComparison
from messaging.pipeline import comparison
from tenants.scope import all_tenants, tenant_scope

__all__ = ["hold", "look", "recover", "release", "remember_hand_over"]

OVERLAP: Final = timedelta(minutes=15)
"""The record is read from so long before the last known moment on."""
PATIENCE: Final = timedelta(minutes=15)
"""So long a provider that cannot be asked keeps everybody waiting; then its accounts are paused and the others go on."""
NOT_COMPARED: Final = "not_compared"
MEMORY_SECONDS: Final = 90 * 86_400

_IDENTITY: Final = """
SELECT system_identifier::text || '/' || left(pg_walfile_name(pg_current_wal_lsn()), 8)
       || '/' || (SELECT oid FROM pg_database WHERE datname = current_database())
FROM pg_control_system()
"""

_log = logging.getLogger(__name__)
_thread = threading.local()
"""The connection that was looked at, and the key of its database's memory: nobody restores under an open connection."""


def look() -> None:
    """Before anything is handed over on a new connection: is this the database that it was?"""
    connection.ensure_connection()
    if getattr(_thread, "connection", None) is connection.connection:
        return
    identity = _identity()
    DispatchState.objects.get_or_create(id=DispatchState.THE_ONE, defaults={"identity": identity})
    with transaction.atomic():
        state = DispatchState.objects.select_for_update().get()
        if state.held_since is None and state.identity != identity:
            hold("The database was restored, copied, or taken over by another server.")
        elif state.held_since is None and _went_back(state):
            hold("The database knows less than had been handed over: it was restored.")
    _thread.connection, _thread.memory_key = connection.connection, state.memory_key


def remember_hand_over(attempt_id: UUID) -> None:
    """Remember outside of the database the newest attempt, which it has committed. Ids sort by time."""
    if key := getattr(_thread, "memory_key", ""):
        cache.set(key, str(attempt_id), timeout=MEMORY_SECONDS)


def hold(reason: str) -> None:
    """Hand nothing over from now on."""
    _log.error("Nothing is handed over: %s", reason)
    DispatchState.objects.filter(held_since=None).update(
        held_since=Now(), reason=reason, restored_to=_last_known(), updated_at=Now()
    )


def release() -> None:
    """Go on. What a provider already has is adopted when its turn comes (``adoption``)."""
    DispatchState.objects.exclude(held_since=None).update(
        held_since=None, released_at=Now(), reason="", identity=_identity(), updated_at=Now()
    )
    state = DispatchState.objects.get()
    cache.delete(state.memory_key)
    _log.warning("Texts are handed over again.")


def recover() -> None:
    """While on hold: read the record of each account, then go on."""
    state = DispatchState.objects.exclude(held_since=None).first()
    if state is None or state.held_since is None or state.restored_to is None:
        return
    since, until = state.restored_to - OVERLAP, state.held_since + OVERLAP
    with all_tenants("find accounts to compare after a restore"):
        accounts = list(ProviderAccount.objects.values_list("tenant_id", "id"))
    left: list[tuple[UUID, UUID]] = []

    def read(account: tuple[UUID, UUID]) -> None:
        left.append(account)
        if _compare(*account, since, until):
            left.remove(account)

    each(accounts, read, doing="compare an account after a restore")
    if left and timezone.now() - state.held_since < PATIENCE:
        return
    each(left, lambda account: _pause(*account), doing="pause an account that could not be compared")
    release()


def _compare(tenant_id: UUID, account_id: UUID, since: datetime, until: datetime) -> bool:
    with tenant_scope(tenant_id):
        row, _ = RecordComparison.objects.get_or_create(
            provider_account_id=account_id,
            cause=RecordComparison.Cause.RESTORE,
            since=since,
            defaults={"until": until},
        )
    return row.finished_at is not None or comparison.compare(tenant_id, row)


def _pause(tenant_id: UUID, account_id: UUID) -> None:
    with tenant_scope(tenant_id):
        ProviderAccount.objects.filter(id=account_id, status=ProviderAccount.Status.ACTIVE).update(
            status=ProviderAccount.Status.PAUSED, trouble=NOT_COMPARED
        )


def _identity() -> str:
    with connection.cursor() as cursor:
        cursor.execute(_IDENTITY)
        return str(cursor.fetchone()[0])


def _went_back(state: DispatchState) -> bool:
    """Also after the newest attempts went with a deleted tenant; then the comparison soon finds nothing."""
    remembered = id_in(cache.get(state.memory_key))
    newest = _newest_attempt()
    return remembered is not None and (newest is None or newest[0] < remembered)


def _last_known() -> datetime:
    """The newest moment in the database: when something was last handed over, or else planned."""
    newest = _newest_attempt()
    with all_tenants("the last known moment"):
        planned = Message.objects.order_by("-id").values_list("created_at", flat=True).first()
    return newest[1] if newest else planned or timezone.now()


def _newest_attempt() -> tuple[UUID, datetime] | None:
    with all_tenants("the last hand-over"):
        return Attempt.objects.order_by("-id").values_list("id", "created_at").first()
