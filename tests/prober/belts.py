"""Taking one belt off, in the test's own transaction only: its rollback puts everything back."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import pytest
from django.db import connection, models

from tenants.operations import RUNTIME_ROLE
from tenants.owned import TenantManager
from tests.prober.world import owned_models

__all__ = ["MODES", "as_database_owner", "drop_policy", "take_off"]

MODES: Final = ("both belts", "without row-level security", "without managers")


@contextmanager
def as_database_owner() -> Iterator[None]:
    """Whoever may change tables, and whom no policy binds."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE NONE")
        try:
            yield
        finally:
            cursor.execute(f"SET LOCAL ROLE {RUNTIME_ROLE}")


def take_off(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the product with the belts that ``mode`` says."""
    # What is still to be checked at the commit would keep the tables from being changed.
    connection.check_constraints()
    if mode == MODES[1]:
        with as_database_owner(), connection.cursor() as cursor:
            for model in owned_models():
                cursor.execute(f'ALTER TABLE "{model._meta.db_table}" DISABLE ROW LEVEL SECURITY')
    elif mode == MODES[2]:
        monkeypatch.setattr(TenantManager, "get_queryset", models.Manager.get_queryset)


def drop_policy(table: str) -> None:
    """Open the wall of one table: what a migration without its policy would leave."""
    with as_database_owner(), connection.cursor() as cursor:
        cursor.execute(f'ALTER POLICY tenant_wall ON "{table}" USING (true) WITH CHECK (true)')
