"""The active tenant: fail-closed, one transaction, one tenant.

``tenant_scope`` opens a transaction whose first statement names the tenant to PostgreSQL (``SET LOCAL``, so that
it ends with the transaction and never leaks through a pooled connection). Row-level security then shows that
tenant's rows only, and the scoped managers of ``tenants.owned`` filter by the same tenant.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db import connection, transaction

__all__ = ["NoTenantScope", "Scope", "active_scope", "all_tenants", "current_tenant_id", "tenant_scope"]

logger = logging.getLogger(__name__)


class NoTenantScope(RuntimeError):
    """Tenant-owned rows were touched outside a scope, or the scope was changed inside another one."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose rows may be seen: one tenant's, or (``tenant_id`` None) every tenant's for a stated reason."""

    tenant_id: UUID | None
    reason: str = ""


_active: Final[ContextVar[Scope | None]] = ContextVar("tenant_scope", default=None)


def active_scope() -> Scope:
    """The scope in force; raises ``NoTenantScope`` when there is none."""
    scope = _active.get()
    if scope is None:
        raise NoTenantScope("Open tenant_scope(tenant) before touching a tenant's rows.")
    return scope


def current_tenant_id() -> UUID:
    """The active tenant's id; raises ``NoTenantScope`` without a scope or in an all-tenants scope."""
    scope = active_scope()
    if scope.tenant_id is None:
        raise NoTenantScope("This needs one tenant, but the scope is all tenants.")
    return scope.tenant_id


@contextmanager
def tenant_scope(tenant_id: UUID, *, durable: bool = False) -> Iterator[None]:
    """Work on one tenant's rows, in a transaction.

    ``durable`` demands that leaving the block commits: use it where something outside the database follows.
    Inside the same tenant's scope this is a savepoint; inside another's it raises ``NoTenantScope``.
    """
    with _open(Scope(tenant_id=tenant_id), durable=durable):
        yield


@contextmanager
def all_tenants(reason: str) -> Iterator[None]:
    """Work across tenants (dispatcher, platform admin), in a transaction. The reason goes to the log."""
    logger.debug("all-tenants scope: %s", reason)
    with _open(Scope(tenant_id=None, reason=reason), durable=False):
        yield


@contextmanager
def _open(scope: Scope, *, durable: bool) -> Iterator[None]:
    outer = _active.get()
    if outer is not None and outer.tenant_id != scope.tenant_id:
        raise NoTenantScope("A scope cannot be opened inside the scope of another tenant.")
    nested_in_transaction = connection.in_atomic_block
    with transaction.atomic(durable=durable):
        _tell_database(scope)
        token = _active.set(scope)
        try:
            yield
        finally:
            _active.reset(token)
        if nested_in_transaction:
            # SET LOCAL outlives a released savepoint: what was in force before is put back by hand.
            _tell_database(outer)


def _tell_database(scope: Scope | None) -> None:
    tenant_id = str(scope.tenant_id) if scope and scope.tenant_id else ""
    everyone = "on" if scope and scope.tenant_id is None else "off"
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL app.tenant_id = %s; SET LOCAL app.all_tenants = %s", [tenant_id, everyone])
