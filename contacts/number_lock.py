"""The lock behind "a number belongs to one person".

The preferred number stands with the contact, further ones in a table of their own, and no constraint spans both.
Whoever makes contacts (by hand, from a file) shares the tenant's lock, so that they do not wait for each other;
whoever gives a person a further number, or makes another one the preferred, holds it alone. Each looks into both
tables after taking it.
"""

from django.db import connection

from tenants.scope import current_tenant_id

__all__ = ["hold_exclusively", "share"]


def share() -> None:
    """Hold the active tenant's lock together with others who make contacts, until this transaction ends."""
    _take("pg_advisory_xact_lock_shared")


def hold_exclusively() -> None:
    """Hold the active tenant's lock alone until this transaction ends."""
    _take("pg_advisory_xact_lock")


def _take(function: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(hashtextextended(%s, 2))", [f"numbers:{current_tenant_id()}"])
