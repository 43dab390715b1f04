"""Deleting what a tenant has, some thousand rows at a time, except what must be kept.

Consent records and suppressions are what proves that people agreed or opted out: the Telemarketing Sales Rule asks for
five years (16 CFR 310.5), Virginia has opt-outs honoured for ten (SB 1339, 2026), and claims may come years after the
last text. The audit log says who did what meanwhile. ``KEPT_FOR`` is the longest of these; then
``manage.py remove_kept_records`` removes them with the tenant's row. Every step finds out anew what is left, so a worker
that dies costs nothing.
"""

import time
from collections.abc import Iterator
from datetime import timedelta
from graphlib import TopologicalSorter
from typing import Final
from uuid import UUID

from django.apps import apps
from django.db import connection
from django.utils.timezone import now

from common.retries import each
from tenants.models import Tenant, User
from tenants.owned import TenantForeignKey, TenantOwned
from tenants.scope import tenant_scope

__all__ = ["KEPT_FOR", "KEPT_TABLES", "delete_due", "tables_to_empty"]

KEPT_FOR: Final = timedelta(days=3653)
KEPT_TABLES: Final = frozenset(
    {
        "consent_checkpoint",
        "consent_consentrecord",
        "consent_headbucket",
        "consent_ledgerhead",
        "consent_ledgerleaf",
        "consent_ledgertile",
        "consent_pendingseal",
        "consent_suppression",
        "tenants_auditentry",
    }
)
ROWS_AT_ONCE: Final = 5_000
WORK_SECONDS: Final = 30.0
"""How long one task works on a tenant; the next tick goes on."""


def delete_due() -> None:
    """Go on deleting every tenant whose waiting time is over."""
    due = Tenant.objects.filter(deletion_due_at__lte=now(), deleted_at=None).order_by("deletion_due_at")
    each(list(due.values_list("id", flat=True)), _go_on, doing="delete a tenant")


def tables_to_empty() -> list[str]:
    """All tables with rows of tenants but the kept ones; rows that point to others come before those."""
    graph: TopologicalSorter[str] = TopologicalSorter()
    for model in _owned():
        table = model._meta.db_table
        graph.add(table)
        for field in model._meta.local_fields:
            target = field.related_model._meta.db_table if isinstance(field, TenantForeignKey) else table
            if target != table:
                graph.add(target, table)
    return [table for table in graph.static_order() if table not in KEPT_TABLES]


def _owned() -> Iterator[type[TenantOwned]]:
    return (model for model in apps.get_models() if issubclass(model, TenantOwned))


def _go_on(tenant_id: UUID) -> None:
    until = time.monotonic() + WORK_SECONDS
    for table in tables_to_empty():
        while _delete_some(tenant_id, table):
            if time.monotonic() > until:
                return
    with tenant_scope(tenant_id, durable=True):
        if not any(_has_rows(table, tenant_id) for table in tables_to_empty()):
            _reduce_to_name(tenant_id)


def _delete_some(tenant_id: UUID, table: str) -> int:
    with tenant_scope(tenant_id, durable=True), connection.cursor() as cursor:
        # The names come from our own models.
        cursor.execute(
            f'DELETE FROM "{table}" WHERE ctid IN (SELECT ctid FROM "{table}" WHERE tenant_id = %s LIMIT %s)',  # noqa: S608
            [tenant_id, ROWS_AT_ONCE],
        )
        return int(cursor.rowcount)


def _has_rows(table: str, tenant_id: UUID) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT 1 FROM "{table}" WHERE tenant_id = %s LIMIT 1', [tenant_id])  # noqa: S608
        return cursor.fetchone() is not None


def _reduce_to_name(tenant_id: UUID) -> None:
    """What is kept belongs to somebody with a name; nothing else of the tenant's row is needed."""
    User.objects.filter(last_tenant_id=tenant_id).update(last_tenant_id=None)
    Tenant.objects.filter(id=tenant_id, deleted_at=None).update(
        deleted_at=now(),
        slug=f"deleted-{tenant_id}",
        status=Tenant.Status.SUSPENDED,
        brand_name="",
        help_contact="",
        approval_plan="",
        approval_refusal="",
    )
