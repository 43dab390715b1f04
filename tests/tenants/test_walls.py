"""Every tenant-owned table stands behind its wall; a table without one fails here."""

from collections.abc import Iterator

import pytest
from django.apps import apps
from django.db import connection, models

from tenants.models import Tenant
from tenants.operations import RUNTIME_ROLE
from tenants.owned import TenantForeignKey, TenantOwned

pytestmark = pytest.mark.django_db

PLATFORM_TABLES = {
    "tenants_tenant": "it is the tenant itself",
    "tenants_user": "a person may belong to several tenants",
    "tenants_failedcodes": "wrong codes of a person count wherever they work",
    "tenants_usersession": "a person is signed in once for all of their tenants",
    "consent_quiethoursrule": "a law about hours is everybody's",
    "consent_impliedconsentlaw": "a law about implied consent is everybody's",
    "consent_frequencylaw": "a law about frequency is everybody's",
    "consent_holidaycalendar": "the days that such laws name are everybody's",
    "consent_ledgerkey": "checkpoints of all tenants are signed with one key",
    "messaging_dispatchstate": "a restored database is everybody's",
}


PROJECTIONS = {
    "consent.ConsentState": "derived from the records it points to, which nobody can delete",
    "consent.LedgerLeaf": "written by the sealer about records that nobody can delete; verify_ledger looks",
    "consent.PendingOptIn": "it goes with the record it points to, which nobody can delete",
    "contacts.ContactValue": "derived from the contact, of which it goes with each change",
    "contacts.ImportRow": "written by the import it points to, and deleted with it",
}


def _our_models() -> Iterator[type[models.Model]]:
    ours = {"tenants", "consent", "contacts", "messaging", "campaigns", "support", "analytics", "smsplatform", "common"}
    for config in apps.get_app_configs():
        if config.label in ours:
            yield from config.get_models(include_auto_created=True)


def _owned() -> list[type[TenantOwned]]:
    return [model for model in _our_models() if issubclass(model, TenantOwned)]


def _rows(sql: str, parameters: list[object]) -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall())


def missing_walls(table: str) -> list[str]:
    """What a table with a ``tenant_id`` column lacks."""
    missing = []
    (enabled, forced), *_ = _rows(
        "SELECT relrowsecurity, relforcerowsecurity FROM pg_class WHERE oid = %s::regclass", [table]
    )
    if not enabled or not forced:
        missing.append("row-level security enabled and forced")
    policies = _rows(
        "SELECT polqual IS NOT NULL, polwithcheck IS NOT NULL, polcmd FROM pg_policy WHERE polrelid = %s::regclass",
        [table],
    )
    if (True, True, "*") not in policies:
        missing.append("a policy for all commands with USING and WITH CHECK")
    leading = _rows(
        "SELECT 1 FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0] "
        "WHERE i.indrelid = %s::regclass AND a.attname = 'tenant_id' AND i.indpred IS NULL",
        [table],
    )
    if not leading:
        missing.append("an index that leads with tenant_id")
    return missing + [f"composite foreign key: {name}" for name in _plain_foreign_keys(table)]


def _plain_foreign_keys(table: str) -> list[str]:
    """Foreign keys to tables with a ``tenant_id`` that do not carry it."""
    rows = _rows(
        """
        SELECT c.conname FROM pg_constraint c
        WHERE c.conrelid = %s::regclass AND c.contype = 'f'
          AND EXISTS (SELECT FROM pg_attribute t WHERE t.attrelid = c.confrelid AND t.attname = 'tenant_id' AND NOT t.attisdropped)
          AND NOT EXISTS (SELECT FROM pg_attribute o WHERE o.attrelid = c.conrelid AND o.attname = 'tenant_id' AND o.attnum = ANY(c.conkey))
        """,
        [table],
    )
    return [str(name) for (name,) in rows]


def test_every_model_is_tenant_owned_or_listed_with_a_reason() -> None:
    others = {model._meta.db_table for model in _our_models() if not issubclass(model, TenantOwned)}
    assert others - {"tenants_user_groups", "tenants_user_user_permissions"} == set(PLATFORM_TABLES)


def test_every_table_with_a_tenant_is_one_of_our_models() -> None:
    tables = _rows(
        "SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid "
        "WHERE c.relkind IN ('r', 'p') AND a.attname = 'tenant_id' AND c.relnamespace = 'public'::regnamespace",
        [],
    )
    assert {name for (name,) in tables} == {model._meta.db_table for model in _owned()}


@pytest.mark.parametrize("model", _owned(), ids=lambda model: model._meta.label)
def test_table_stands_behind_the_wall(model: type[TenantOwned]) -> None:
    assert missing_walls(model._meta.db_table) == []


@pytest.mark.parametrize("model", _owned(), ids=lambda model: model._meta.label)
def test_foreign_keys_to_owned_rows_are_composite(model: type[TenantOwned]) -> None:
    for field in model._meta.local_fields:
        if isinstance(field, models.ForeignKey) and issubclass(field.related_model, TenantOwned):
            assert isinstance(field, TenantForeignKey), field
            if not field.enforced:
                assert model._meta.label in PROJECTIONS, field
                continue
            found = _rows(
                "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = %s::regclass AND contype = 'f'",
                [model._meta.db_table],
            )
            target = field.related_model._meta.db_table
            wanted = f"FOREIGN KEY (tenant_id, {field.column}) REFERENCES {target}(tenant_id, id)"
            assert any(wanted in str(definition) for (definition,) in found), field


@pytest.mark.parametrize("model", _owned(), ids=lambda model: model._meta.label)
def test_unique_rules_lead_with_the_tenant(model: type[TenantOwned]) -> None:
    """A rule over all tenants would tell one of them what another one has."""
    for constraint in model._meta.constraints:
        if isinstance(constraint, models.UniqueConstraint):
            assert constraint.fields[0] == "tenant", constraint.name
    assert not [field.name for field in model._meta.local_fields if field.unique and not field.primary_key]


@pytest.mark.parametrize("model", _owned(), ids=lambda model: model._meta.label)
def test_managers_fail_closed(model: type[TenantOwned]) -> None:
    from tenants.scope import NoTenantScope

    for manager in (model._default_manager, model._base_manager):
        with pytest.raises(NoTenantScope):
            manager.count()


def test_a_table_without_a_wall_is_found() -> None:
    """The check can fail: the same questions to a table that has none of it."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE NONE")
        cursor.execute(
            "CREATE TABLE bare (id uuid PRIMARY KEY, tenant_id uuid, contact_id uuid REFERENCES contacts_contact (id))"
        )
    try:
        assert len(missing_walls("bare")) == 4
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE bare")
            cursor.execute(f"SET LOCAL ROLE {RUNTIME_ROLE}")


def test_the_runtime_role_owns_nothing_and_cannot_bypass() -> None:
    ((name, is_super, bypasses),) = _rows(
        "SELECT rolname, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user", []
    )
    assert (name, is_super, bypasses) == (RUNTIME_ROLE, False, False)
    assert (
        _rows("SELECT 1 FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner WHERE r.rolname = current_user", []) == []
    )


def test_the_ledger_and_the_audit_log_are_append_only_for_the_runtime_role() -> None:
    rows = _rows(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' "
        "AND has_table_privilege(current_user, oid, 'INSERT') AND NOT has_table_privilege(current_user, oid, 'UPDATE')",
        [],
    )
    assert {name for (name,) in rows} == {
        "consent_checkpoint",
        "consent_consentrecord",
        "consent_ledgerkey",
        "consent_ledgerleaf",
        "consent_ledgertile",
        "tenants_auditentry",
    }


def test_tenants_are_not_deleted_with_their_rows() -> None:
    field = TenantOwned._meta.get_field("tenant")
    assert field.remote_field.on_delete is models.PROTECT  # type: ignore[union-attr]
    assert Tenant._meta.db_table in PLATFORM_TABLES
