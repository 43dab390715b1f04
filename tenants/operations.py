"""The migration operation that puts a tenant-owned table behind its wall.

Every migration that creates a ``TenantOwned`` model ends with ``SecureTenantTable("modelname")``; the introspection
test ``tests/tenants/test_walls.py`` fails for a table without it.
"""

from typing import Any

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.models import Model

from tenants.owned import TenantForeignKey

__all__ = ["RUNTIME_ROLE", "SecureTenantForeignKey", "SecureTenantTable"]

RUNTIME_ROLE = "app_rw"
"""The role that the running product works as: it owns nothing and cannot bypass row-level security."""

_OWN_ROWS = (
    "tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid "
    "OR current_setting('app.all_tenants', true) = 'on'"
)


class SecureTenantTable(Operation):
    """Row-level security (enabled and forced), the key ``(tenant_id, id)``, and composite foreign keys.

    A table whose primary key is composite and begins with the tenant needs no further key: nothing points to its rows.
    ``append_only`` takes UPDATE and DELETE away from the runtime role: what was recorded stays as it was.
    """

    reduces_to_sql = True
    reversible = True
    atomic = True

    def __init__(self, model_name: str, append_only: bool = False) -> None:  # noqa: FBT001, FBT002
        self.model_name = model_name
        self.append_only = append_only

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        options = {"append_only": True} if self.append_only else {}
        return self.__class__.__name__, [self.model_name], options

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """The models do not change, only the database does."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        model = to_state.apps.get_model(app_label, self.model_name)
        table = model._meta.db_table
        schema_editor.execute(f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY')
        schema_editor.execute(f'ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY')
        schema_editor.execute(f'CREATE POLICY tenant_wall ON "{table}" USING ({_OWN_ROWS}) WITH CHECK ({_OWN_ROWS})')
        if not _has_composite_key(model):
            schema_editor.execute(f'ALTER TABLE "{table}" ADD CONSTRAINT "{table}_wall" UNIQUE (tenant_id, id)')
        for field in model._meta.local_fields:
            if isinstance(field, TenantForeignKey) and field.enforced:
                # At the end of the migration, when the tables it points to have their keys.
                schema_editor.deferred_sql.append(_composite_key(model, field))
        if self.append_only:
            schema_editor.execute(f'REVOKE UPDATE, DELETE, TRUNCATE ON "{table}" FROM {RUNTIME_ROLE}')

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        model = from_state.apps.get_model(app_label, self.model_name)
        table = model._meta.db_table
        for field in model._meta.local_fields:
            if isinstance(field, TenantForeignKey) and field.enforced:
                schema_editor.execute(f'ALTER TABLE "{table}" DROP CONSTRAINT "{_key_name(model, field)}"')
        if not _has_composite_key(model):
            schema_editor.execute(f'ALTER TABLE "{table}" DROP CONSTRAINT "{table}_wall" CASCADE')
        schema_editor.execute(f'DROP POLICY tenant_wall ON "{table}"')
        schema_editor.execute(f'ALTER TABLE "{table}" NO FORCE ROW LEVEL SECURITY')
        schema_editor.execute(f'ALTER TABLE "{table}" DISABLE ROW LEVEL SECURITY')

    def describe(self) -> str:
        return f"Put {self.model_name} behind the tenant wall"


class SecureTenantForeignKey(Operation):
    """The composite foreign key of a ``TenantForeignKey`` that is added to a table already behind the wall."""

    reduces_to_sql = True
    reversible = True
    atomic = True

    def __init__(self, model_name: str, field_name: str) -> None:
        self.model_name = model_name
        self.field_name = field_name

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return self.__class__.__name__, [self.model_name, self.field_name], {}

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """The models do not change, only the database does."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        model = to_state.apps.get_model(app_label, self.model_name)
        schema_editor.execute(_composite_key(model, model._meta.get_field(self.field_name)))

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        model = from_state.apps.get_model(app_label, self.model_name)
        name = _key_name(model, model._meta.get_field(self.field_name))
        schema_editor.execute(f'ALTER TABLE "{model._meta.db_table}" DROP CONSTRAINT "{name}"')

    def describe(self) -> str:
        return f"Add the composite key of {self.model_name}.{self.field_name}"


def _has_composite_key(model: type[Model]) -> bool:
    return len(model._meta.pk_fields) > 1


def _key_name(model: type[Model], field: Any) -> str:
    return f"{model._meta.db_table}_{field.column}_wall"[:63]


def _composite_key(model: type[Model], field: Any) -> str:
    target = field.remote_field.model._meta.db_table
    return (
        f'ALTER TABLE "{model._meta.db_table}" ADD CONSTRAINT "{_key_name(model, field)}" '
        f'FOREIGN KEY (tenant_id, "{field.column}") REFERENCES "{target}" (tenant_id, id) '
        "DEFERRABLE INITIALLY DEFERRED"
    )
