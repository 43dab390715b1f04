"""Which tables of exceptions have any rows of the active tenant: most are empty for most, and need not be asked about
hundreds of numbers then."""

from typing import Final

from django.db import connection

from consent.models import ChangedNumber, NumberMark, PendingOptIn, PossibleOptOut
from tenants.owned import TenantOwned
from tenants.scope import current_tenant_id

__all__ = ["tables_in_use"]

_OPEN: Final[dict[type[TenantOwned], str]] = {
    ChangedNumber: "true",
    NumberMark: "cleared_at IS NULL",
    PendingOptIn: "confirmed_at IS NULL",
    PossibleOptOut: "settled_at IS NULL",
}
"""What counts of each table."""
_ANY: Final = ", ".join(
    f"EXISTS (SELECT FROM {model._meta.db_table} WHERE tenant_id = %(tenant)s AND {counts})"
    for model, counts in _OPEN.items()
)


def tables_in_use() -> frozenset[type[TenantOwned]]:
    """Those of the tables that have such rows, in one query."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {_ANY}", {"tenant": current_tenant_id()})
        found = cursor.fetchone()
    return frozenset(model for model, any_there in zip(_OPEN, found, strict=True) if any_there)
