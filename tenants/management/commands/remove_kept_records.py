"""``manage.py remove_kept_records``: end what was kept of deleted tenants when its time is over. Works as the owner."""

from typing import Any, Final

from django.core.management.base import BaseCommand
from django.db import connection, transaction
from django.utils.timezone import now

from tenants.deletion import KEPT_FOR, KEPT_TABLES
from tenants.models import Tenant
from tenants.ownership import as_owner

_ORDER: Final = (
    "consent_suppression",
    "consent_pendingseal",
    "consent_headbucket",
    "consent_ledgerhead",
    "consent_ledgertile",
    "consent_ledgerleaf",
    "consent_checkpoint",
    "consent_consentrecord",
    "tenants_auditentry",
)
"""Rows that point to others come first."""


class Command(BaseCommand):
    help = "Remove consent records, suppressions and audit logs of tenants that were deleted so long ago that no rule keeps them."

    def handle(self, *args: Any, **options: Any) -> None:
        if set(_ORDER) != KEPT_TABLES:
            raise AssertionError("every kept table has its place in the order")
        with as_owner():
            # Consent records and the audit log cannot be deleted by the role that the product works as.
            for tenant in Tenant.objects.filter(deleted_at__lt=now() - KEPT_FOR):
                with transaction.atomic(), connection.cursor() as cursor:
                    for table in _ORDER:
                        _guard(cursor, table, "DISABLE")
                        cursor.execute(f'DELETE FROM "{table}" WHERE tenant_id = %s', [tenant.id])  # noqa: S608
                    # What waits for the end of the transaction would keep the guards from being put back.
                    cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
                    for table in _ORDER:
                        _guard(cursor, table, "ENABLE ALWAYS")
                    cursor.execute("DELETE FROM tenants_tenant WHERE id = %s", [tenant.id])
                self.stdout.write(f"removed what was kept of {tenant.slug}")


def _guard(cursor: Any, table: str, how: str) -> None:
    """The guard of a table of the ledger holds against its owner too; this is the one place that takes it off."""
    cursor.execute("SELECT 1 FROM pg_trigger WHERE tgname = 'ledger_keep' AND tgrelid = %s::regclass", [table])
    if cursor.fetchone():
        cursor.execute(f'ALTER TABLE "{table}" {how} TRIGGER ledger_keep')
