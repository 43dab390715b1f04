"""Each belt holds alone: the managers without row-level security, row-level security without the managers."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import IntegrityError, ProgrammingError, connection, models, transaction

from contacts.models import Contact, ContactList, ListMember
from tenants.operations import RUNTIME_ROLE
from tenants.owned import TenantOwned
from tenants.scope import tenant_scope
from tests.cast import Cast


def everything(model: type[TenantOwned]) -> "models.QuerySet[TenantOwned]":
    """The rows that a query sees which forgot the tenant."""
    return models.QuerySet(model)


@contextmanager
def without_row_level_security() -> Iterator[None]:
    """As the owner, whom no policy binds."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE NONE")
        yield
        cursor.execute(f"SET LOCAL ROLE {RUNTIME_ROLE}")


@pytest.fixture
def two_contacts(cast: Cast) -> tuple[Contact, Contact]:
    made = []
    for company in (cast.clinic, cast.shop):
        with tenant_scope(company.tenant.id):
            made.append(Contact.objects.create(number="+12025550101"))
    return made[0], made[1]


def test_row_level_security_holds_without_the_managers(cast: Cast, two_contacts: tuple[Contact, Contact]) -> None:
    ours, theirs = two_contacts
    assert list(everything(Contact)) == []
    with tenant_scope(cast.clinic.tenant.id):
        assert [contact.pk for contact in everything(Contact)] == [ours.pk]
        assert everything(Contact).filter(pk=theirs.pk).update(first_name="x") == 0
        assert everything(Contact).filter(pk=theirs.pk).delete()[0] == 0


def test_the_managers_hold_without_row_level_security(cast: Cast, two_contacts: tuple[Contact, Contact]) -> None:
    ours, theirs = two_contacts
    with without_row_level_security(), tenant_scope(cast.clinic.tenant.id):
        assert [contact.pk for contact in Contact.objects.all()] == [ours.pk]
        assert not Contact.objects.filter(pk=theirs.pk).exists()
        # The counter-proof: with one belt off, the query that forgot the tenant does leak.
        assert everything(Contact).count() == 2


def test_a_row_cannot_be_written_for_another_tenant(cast: Cast) -> None:
    with (
        tenant_scope(cast.clinic.tenant.id),
        pytest.raises(ProgrammingError, match="row-level security"),
        transaction.atomic(),
    ):
        Contact.objects.create(tenant_id=cast.shop.tenant.id, number="+12025550102")


def test_a_row_cannot_be_moved_to_another_tenant(cast: Cast, two_contacts: tuple[Contact, Contact]) -> None:
    with (
        tenant_scope(cast.clinic.tenant.id),
        pytest.raises(ProgrammingError, match="row-level security"),
        transaction.atomic(),
    ):
        Contact.objects.filter(pk=two_contacts[0].pk).update(tenant_id=cast.shop.tenant.id)


def test_a_row_cannot_point_into_another_tenant(cast: Cast, two_contacts: tuple[Contact, Contact]) -> None:
    """Plain foreign keys would accept it: PostgreSQL checks them without row-level security."""
    _, theirs = two_contacts
    with tenant_scope(cast.clinic.tenant.id):
        contact_list = ContactList.objects.create(name="Ours")
        with transaction.atomic():
            ListMember.objects.create(contact_list=contact_list, contact_id=theirs.pk)
            with pytest.raises(IntegrityError, match="contact_id_wall"):
                connection.check_constraints()
            transaction.set_rollback(True)


def test_the_product_refuses_a_role_that_can_bypass(transactional_db: None) -> None:
    """The start-up check: as owner the product would work, without any wall."""
    options = connection.settings_dict["OPTIONS"]
    role = options.pop("assume_role")
    connection.close()
    try:
        with pytest.raises(ImproperlyConfigured, match="not bound by row-level security"):
            connection.ensure_connection()
    finally:
        connection.close()
        options["assume_role"] = role


def test_the_ledger_cannot_be_changed_by_the_product(cast: Cast) -> None:
    from consent.ledger import OptIn, record_opt_ins
    from consent.models import ConsentRecord

    with tenant_scope(cast.clinic.tenant.id):
        record_opt_ins([OptIn("+12025550101", "marketing", "web_form")], actor_id=None)
        for change in (
            lambda: ConsentRecord.objects.update(act="opt_out"),
            lambda: ConsentRecord.objects.all()._raw_delete(using="default"),
        ):
            with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
                change()
