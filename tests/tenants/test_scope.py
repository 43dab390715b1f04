"""The active tenant fails closed."""

import pytest
from django.db import connection, transaction

from contacts.models import Contact
from tenants.scope import NoTenantScope, all_tenants, current_tenant_id, tenant_scope
from tests.cast import Cast


def _guc() -> tuple[str, str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('app.tenant_id', true), current_setting('app.all_tenants', true)")
        row: tuple[str, str] = cursor.fetchone()
        return row


def test_without_a_scope_a_tenants_rows_cannot_be_touched(cast: Cast) -> None:
    with pytest.raises(NoTenantScope):
        Contact.objects.count()
    with pytest.raises(NoTenantScope):
        Contact(number="+12025550101")


def test_a_scope_shows_its_own_tenant_only(cast: Cast) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        Contact.objects.create(number="+12025550101")
        assert Contact.objects.count() == 1
        assert current_tenant_id() == cast.clinic.tenant.id
    with tenant_scope(cast.shop.tenant.id):
        assert Contact.objects.count() == 0
    with all_tenants("test"):
        assert Contact.objects.count() == 1
        with pytest.raises(NoTenantScope):
            current_tenant_id()


def test_a_scope_cannot_be_opened_inside_another_tenants(cast: Cast) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        with tenant_scope(cast.clinic.tenant.id):
            assert _guc()[0] == str(cast.clinic.tenant.id)
        assert _guc()[0] == str(cast.clinic.tenant.id)
        with pytest.raises(NoTenantScope), tenant_scope(cast.shop.tenant.id):
            pass
        with pytest.raises(NoTenantScope), all_tenants("test"):
            pass


def test_a_scope_inside_a_transaction_leaves_nothing_behind(cast: Cast) -> None:
    with transaction.atomic():
        with tenant_scope(cast.clinic.tenant.id):
            pass
        assert _guc() == ("", "off")


def test_a_failed_scope_leaves_nothing_behind(cast: Cast) -> None:
    with transaction.atomic():
        with pytest.raises(ZeroDivisionError), tenant_scope(cast.clinic.tenant.id):
            raise ZeroDivisionError
        assert _guc()[0] in ("", None)
