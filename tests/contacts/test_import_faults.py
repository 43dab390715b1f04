"""What goes wrong in an import stays small: one row, one import, never those of other tenants."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import DatabaseError, connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from consent.models import ConsentState
from contacts.importing import run
from contacts.importing.progress import LEASE, MAX_TRIES
from contacts.importing.run import run_import
from contacts.models import Contact, ContactImport, ImportRow
from contacts.services import start_import, upload_import
from contacts.tasks import resume_imports, run_import_task
from tenants.scope import all_tenants, tenant_scope
from tests.cast import Cast, Company, make_cast
from tests.contacts.test_import import load
from tests.web import sign_in

DATA_FAULT, OTHER_FAULT = "22001", "P0001"
"""SQLSTATE: a value that is too long for its column; an error of no known kind."""


@pytest.fixture
def cast(transactional_db: None) -> Cast:
    """Committed, because the run of an import commits chunk by chunk."""
    return make_cast()


@contextmanager
def database_refuses(first_name: str, sqlstate: str) -> Iterator[None]:
    """Whoever has this first name cannot be stored."""
    _as_owner(
        f"""
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF NEW.first_name LIKE '{first_name}' THEN
                RAISE EXCEPTION '%% cannot be stored', NEW.number USING ERRCODE = '{sqlstate}';
            END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER refuse BEFORE INSERT ON contacts_contact FOR EACH ROW EXECUTE FUNCTION refuse();
        """
    )
    try:
        yield
    finally:
        _as_owner("DROP TRIGGER refuse ON contacts_contact; DROP FUNCTION refuse()")


def _as_owner(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        (role,) = cursor.fetchone()
        cursor.execute(f"RESET ROLE; {sql.replace('%%', '%')}; SET ROLE {role}")


def queued(company: Company, content: str) -> ContactImport:
    with tenant_scope(company.tenant.id):
        job = upload_import(tenant=company.tenant, file_name="people.csv", content=content.encode(), user_id=None)
        start_import(job=job, columns=job.columns, basis="web_form", purposes=["marketing"])
    return job


def leases_run_out() -> None:
    with all_tenants("test"):
        ContactImport.objects.filter(leased_until__isnull=False).update(leased_until=timezone.now() - LEASE)


def now(job: ContactImport) -> ContactImport:
    with all_tenants("test"):
        return ContactImport.objects.get(id=job.id)


@pytest.mark.parametrize(
    ("content", "hint"),
    [
        ("phone,language\n+12025550101,en\n+12025550102,İİİİİİİİİİ\n+12025550103,\n", "too long"),
        (f"phone,first name\n+12025550101,Ann\n+12025550102,{'İ' * 80}\n+12025550103,\n", "too long"),
        (f"phone,name\n+12025550101,Ann\n+12025550102,{'İ' * 60} X\n+12025550103,\n", "too long"),
        ("phone,opt in date\n+12025550101,\n+12025550102,0001-01-01T00:00:00+14:00\n+12025550103,\n", "before 1990"),
    ],
)
def test_a_cell_that_no_column_can_hold_costs_its_row(cast: Cast, content: str, hint: str) -> None:
    job = load(cast, content)
    assert (job.status, job.counts) == ("done", {"created": 2, "rejected": 1})
    with tenant_scope(cast.clinic.tenant.id):
        assert hint in ImportRow.objects.get(outcome="rejected").problem


def test_cells_of_a_rejected_row_are_kept_up_to_a_length(cast: Cast) -> None:
    load(cast, f"phone,note\n12,{'n' * 1_500}\n12,{'n' * 9_000}\n")
    with tenant_scope(cast.clinic.tenant.id):
        rejected = ImportRow.objects.order_by("row_number")
        assert [len(row.cells[1]) for row in rejected] == [1_500, 2_000]


def test_rows_that_the_database_refuses_are_found_and_rejected(cast: Cast) -> None:
    people = [f"+1202555{n:04d},{'Odd' if n in (107, 140) else 'Ann'}" for n in range(100, 150)]
    with database_refuses("Odd", DATA_FAULT):
        job = load(cast, "\n".join(["phone,first name", *people]))
    assert (job.status, job.rows_done) == ("done", 50)
    assert job.counts == {"created": 48, "rejected": 2}
    with tenant_scope(cast.clinic.tenant.id):
        rejected = ImportRow.objects.filter(outcome="rejected").order_by("row_number")
        assert [(row.row_number, row.cells) for row in rejected] == [
            (9, ["+12025550107", "Odd"]),
            (42, ["+12025550140", "Odd"]),
        ]
        assert "cannot be stored" in rejected[0].problem
        assert Contact.objects.count() == ConsentState.objects.count() == 48


def test_an_import_that_never_gets_on_is_given_up_with_a_word_to_staff(client: Client, cast: Cast) -> None:
    job = queued(cast.clinic, "phone,first name\n+12025550101,Odd\n")
    with database_refuses("Odd", OTHER_FAULT):
        for tries in range(1, MAX_TRIES + 1):
            with pytest.raises(DatabaseError):
                run_import(cast.clinic.tenant.id, job.id)
            assert (now(job).status, now(job).tries) == ("importing", tries)
            leases_run_out()
        run_import(cast.clinic.tenant.id, job.id)
    assert now(job).status == "failed"
    page = sign_in(client, cast.mona, cast.clinic.tenant).get(reverse("import_job", args=[job.id])).content.decode()
    assert "did not get past row 1 in 5 tries" in page
    assert "Wait ten minutes" in page
    assert "choose the file again" in page


def test_getting_on_counts_the_tries_anew(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "IMPORT_ROWS", 1)
    monkeypatch.setattr(run, "LOADERS", 1)
    job = queued(cast.clinic, "phone,first name,opt in\n+12025550101,Ann,yes\n+12025550102,Odd,stop\n")
    with database_refuses("Odd", OTHER_FAULT):
        for tries in (0, 1, 2):
            with pytest.raises(DatabaseError):
                run_import(cast.clinic.tenant.id, job.id)
            assert (now(job).rows_done, now(job).tries) == (1, tries)
            leases_run_out()
    run_import(cast.clinic.tenant.id, job.id)
    assert (now(job).status, now(job).tries) == ("done", 0)


def test_one_import_that_fails_does_not_hold_up_the_others(cast: Cast, caplog: pytest.LogCaptureFixture) -> None:
    bad = queued(cast.clinic, "phone,first name\n+12025550101,Odd\n")
    good = queued(cast.shop, "phone,first name\n+12025550102,Ann\n")
    with database_refuses("Odd", OTHER_FAULT):
        run_import_task(str(cast.clinic.tenant.id), str(bad.id))
        leases_run_out()
        resume_imports()
    assert (now(bad).status, now(good).status) == ("importing", "done")
    assert caplog.text.count(str(bad.id)) == 2
    assert "2025550101" not in caplog.text
    leases_run_out()
    resume_imports()
    assert now(bad).status == "done"
