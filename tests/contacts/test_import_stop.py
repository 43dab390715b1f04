"""A STOP that arrives in the middle of an import: neither waits for the other for long, and the STOP stands."""

import threading
import time
from collections.abc import Callable

import pytest
from django.db import connection

from consent.models import ConsentState
from consent.services import is_suppressed, opt_out
from contacts.importing.run import run_import
from contacts.models import Contact, ContactImport, ImportRow
from contacts.services import create_contact, start_import, upload_import
from tenants.scope import tenant_scope
from tests.cast import Cast, make_cast

ANN, BEN, CLEO = "+12025550101", "+12025550102", "+12025550103"
FILE = f"name,phone\nAnn,{ANN}\nBen,{BEN}\nCleo,{CLEO}\n"
LONG = 8.0
"""Seconds; shorter than any lock time-out, longer than whatever does not wait."""


@pytest.fixture
def cast(transactional_db: None) -> Cast:
    return make_cast()


@pytest.fixture
def job(cast: Cast) -> ContactImport:
    """A file of three people, one of them a contact already, ready to run."""
    tenant = cast.clinic.tenant
    with tenant_scope(tenant.id):
        create_contact(tenant=tenant, number=BEN, values={"first_name": "B."})
        job = upload_import(tenant=tenant, file_name="people.csv", content=FILE.encode(), user_id=None)
        start_import(job=job, columns=job.columns, basis="web_form", purposes=["marketing"])
    return job


class Work(threading.Thread):
    """Something done on a connection of its own."""

    def __init__(self, work: Callable[[], object]) -> None:
        super().__init__()
        self.work = work
        self.error: Exception | None = None
        self.start()

    def run(self) -> None:
        try:
            self.work()
        except Exception as error:  # noqa: BLE001 - shown by the test
            self.error = error
        finally:
            connection.close()

    def ends(self) -> bool:
        """Whether it ends well, and soon."""
        self.join(LONG)
        return not self.is_alive() and self.error is None


def wait_for_a_waiter(kind: str) -> None:
    """Until somebody waits for a lock of this kind."""
    until = time.monotonic() + LONG
    while True:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = %s", [kind])
            if cursor.fetchone()[0]:
                return
        assert time.monotonic() < until, f"nobody waits for a {kind} lock"
        time.sleep(0.02)


def stop(cast: Cast) -> None:
    with tenant_scope(cast.clinic.tenant.id, durable=True):
        opt_out(number=ANN, source="reply", wording="STOP")


def assert_the_stop_stands(cast: Cast) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        assert is_suppressed(number=ANN)
        agreed = ConsentState.objects.filter(act="opt_in").values_list("number", flat=True)
        assert set(agreed) == {BEN, CLEO}
        assert dict(ImportRow.objects.values_list("number", "note")) == {ANN: "opted_out", BEN: "", CLEO: ""}


def test_a_stop_does_not_wait_for_an_open_chunk(cast: Cast, job: ContactImport) -> None:
    tenant_id = cast.clinic.tenant.id
    with tenant_scope(tenant_id):
        Contact.objects.select_for_update(of=("self",)).get(number=BEN)
        importing = Work(lambda: run_import(tenant_id, job.id))
        # The chunk is open and waits for Ben's row, which this transaction holds.
        wait_for_a_waiter("transactionid")
        stopping = Work(lambda: stop(cast))
        assert stopping.ends(), stopping.error
        assert importing.is_alive()
    assert importing.ends(), importing.error
    assert_the_stop_stands(cast)


def test_a_chunk_waits_for_a_stop_and_sees_it(cast: Cast, job: ContactImport) -> None:
    tenant_id = cast.clinic.tenant.id
    with tenant_scope(tenant_id):
        opt_out(number=ANN, source="reply", wording="STOP")
        importing = Work(lambda: run_import(tenant_id, job.id))
        wait_for_a_waiter("advisory")
    assert importing.ends(), importing.error
    assert_the_stop_stands(cast)
