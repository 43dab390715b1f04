"""What every tenant-owned model is made of: the abstract base, its fail-closed manager, the foreign key."""

from typing import Any, ClassVar, Self, TypeVar
from uuid import UUID

from django.db import models

from common.ids import uuid7
from tenants.restriction import restricted_to
from tenants.scope import active_scope, current_tenant_id

__all__ = ["TenantForeignKey", "TenantManager", "TenantOwned", "TenantOwnedInBulk", "TenantQuerySet"]

ModelT = TypeVar("ModelT", bound=models.Model, covariant=True)


class TenantQuerySet(models.QuerySet[ModelT]):
    """Base of the tenant-owned models' querysets."""


class TenantManager(models.Manager[ModelT]):
    """Shows the active tenant's rows; without a scope it raises instead of showing everybody's."""

    def get_queryset(self) -> models.QuerySet[ModelT]:
        scope = active_scope()
        rows = super().get_queryset()
        if scope.tenant_id is not None:
            rows = rows.filter(tenant_id=scope.tenant_id)
        member_id = restricted_to()
        return rows if member_id is None else self.model.seen_by(rows, member_id)  # type: ignore[attr-defined]


class TenantForeignKey(models.ForeignKey[Any, Any]):
    """A foreign key to a row of the same tenant.

    The database constraint is the composite one, ``(tenant_id, column) -> (tenant_id, id)``, that
    ``tenants.operations.SecureTenantTable`` adds: Django's own would accept another tenant's row.
    """

    def __init__(self, to: Any, on_delete: Any, *, enforced: bool = True, **options: Any) -> None:
        """``enforced=False`` leaves the constraint away: for a projection, whose rows are derived from those they
        point to and come by the million."""
        self.enforced = enforced
        options["db_constraint"] = False
        options.setdefault("db_index", False)
        super().__init__(to, on_delete, **options)

    def deconstruct(self) -> Any:
        name, path, args, options = super().deconstruct()
        options.pop("db_constraint", None)
        if options.get("db_index") is False:
            options.pop("db_index")
        if not self.enforced:
            options["enforced"] = False
        return name, path, args, options


class TenantOwned(models.Model):
    """A row that belongs to one tenant. Subclasses declare ``class Meta(TenantOwned.Meta)``."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.ForeignKey(
        "tenants.Tenant",
        on_delete=models.PROTECT,
        default=current_tenant_id,
        editable=False,
        db_index=False,
        related_name="+",
    )

    objects: ClassVar[TenantManager[Self]] = TenantManager()

    class Meta:
        abstract = True
        base_manager_name = "objects"
        default_manager_name = "objects"

    @classmethod
    def seen_by(cls, rows: models.QuerySet[Any], member_id: UUID) -> models.QuerySet[Any]:
        """Of ``rows`` those that a member may see who sees only assigned conversations; all, unless a model says less."""
        return rows


class TenantOwnedInBulk(TenantOwned):
    """Rows that come by the million: that their tenant exists is not looked up for each of them.

    A scope is opened for a tenant that was read before, and the wall lets in rows of that tenant only. The look-up
    took a fifth of the time of an import.
    """

    tenant = models.ForeignKey(
        "tenants.Tenant",
        on_delete=models.PROTECT,
        default=current_tenant_id,
        editable=False,
        db_index=False,
        db_constraint=False,
        related_name="+",
    )

    class Meta(TenantOwned.Meta):
        abstract = True
