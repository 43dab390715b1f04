"""How much an account may import, and who decides about a list that looks bought: in trial the platform's admins."""

import io
from typing import Any

import openpyxl
import pytest
from django.test import Client
from django.urls import reverse

from contacts.models import Contact, ContactImport
from tenants.models import AuditEntry, Tenant
from tenants.scope import tenant_scope
from tests.cast import Cast, make_cast
from tests.contacts.test_import_pages import CHOICES, confirmed, done, upload, uploaded, work
from tests.contacts.test_import_warnings import SIGNS, checked
from tests.platform_admin import ada, work_on
from tests.web import sign_in, text_of


@pytest.fixture
def cast(transactional_db: None) -> Cast:
    """Committed, because the run of an import commits chunk by chunk."""
    return make_cast()


@pytest.fixture
def mona(client: Client, cast: Cast) -> Client:
    return sign_in(client, cast.mona, cast.clinic.tenant)


def limit(cast: Cast, **limits: Any) -> None:
    Tenant.objects.filter(id=cast.clinic.tenant.id).update(**limits)


def rows(count: int) -> str:
    return "phone\n" + "".join(f"+120255501{n:02d}\n" for n in range(count))


# --- Limits -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("limits", [{"most_import_rows": 3}, {"approved_at": None}], ids=["its own", "in trial"])
def test_a_file_with_more_rows_than_the_account_may_have_is_refused(
    mona: Client, cast: Cast, settings: Any, limits: dict[str, Any]
) -> None:
    settings.IMPORT_TRIAL_ROWS = 3
    assert upload(mona, rows(4)).status_code == 302
    limit(cast, **limits)
    answer = upload(mona, rows(4))
    assert answer.status_code == 422
    assert "more than 3 lines, which is the most for your account" in text_of(answer)
    assert upload(mona, rows(3)).status_code == 302
    assert "and 3 rows" in text_of(mona.get(reverse("imports")))


def test_a_bound_of_its_own_is_above_that_of_the_trial(mona: Client, cast: Cast, settings: Any) -> None:
    settings.IMPORT_TRIAL_ROWS = 3
    limit(cast, approved_at=None, most_import_rows=4)
    assert upload(mona, rows(4)).status_code == 302


def test_a_bound_that_was_lowered_meanwhile_stops_the_check(mona: Client, cast: Cast) -> None:
    address = uploaded(mona, rows(4))
    limit(cast, most_import_rows=3)
    mona.post(address, {"column_0": "number", "basis": "none"})
    work(cast)
    assert "more than 3 rows, which is the most for your account" in text_of(mona.get(address))


def test_only_so_many_files_wait_at_a_time(mona: Client, cast: Cast) -> None:
    limit(cast, most_import_files=1)
    address = uploaded(mona)
    answer = upload(mona)
    assert answer.status_code == 422
    assert "1 file waits to be imported already, which is the most for your account" in text_of(answer)
    mona.post(f"{address}delete/")
    assert upload(mona).status_code == 302


# --- A list that looks bought, in trial ---------------------------------------------------------------------------


def state(cast: Cast, job: ContactImport) -> str:
    with tenant_scope(cast.clinic.tenant.id):
        return str(ContactImport.objects.get(id=job.id).status)


def decide(client: Client, cast: Cast, job: ContactImport, action: str, **reason: str) -> str:
    """What a platform admin does, by the buttons of the list."""
    ada(client)
    assert str(cast.clinic.tenant.slug) in text_of(client.get(reverse("admin:tenants_tenant_changelist")))
    work_on(client, cast.clinic.tenant)
    posted = {"action": action, "_selected_action": str(job.id), "confirmed": "yes", **reason}
    return text_of(client.post(reverse("admin:contacts_contactimport_changelist"), posted, follow=True))


def test_it_waits_for_a_platform_admin(client: Client, cast: Cast) -> None:
    limit(cast, approved_at=None)
    job = checked(cast, SIGNS["sequential"])
    page, confirm = reverse("import_job", args=[job.id]), reverse("import_confirm", args=[job.id])
    alice = sign_in(Client(), cast.alice, cast.clinic.tenant)
    assert "Ask us to look at it" in text_of(alice.get(page))
    assert alice.post(confirm).status_code == 422
    assert "does not wait for anybody" in decide(client, cast, job, "release")
    assert [alice.post(confirm, {"accepts_warnings": "yes"}).status_code for _ in range(2)] == [302, 422]
    assert state(cast, job) == "checked"
    assert "You asked us to look at it on" in text_of(alice.get(page))
    assert Tenant.objects.filter(import_review_asked_at__isnull=False).get() == cast.clinic.tenant

    decide(client, cast, job, "refuse", reason="Show us the form they filled in")
    assert "Show us the form they filled in" in text_of(alice.get(page))
    assert alice.post(confirm, {"accepts_warnings": "yes"}).status_code == 302
    assert state(cast, job) == "checked"

    assert "done for 1" in decide(client, cast, job, "release")
    assert Tenant.objects.get(id=cast.clinic.tenant.id).import_review_asked_at is None
    assert alice.post(confirm, {"accepts_warnings": "yes"}).status_code == 302
    assert state(cast, job) == "importing"
    with tenant_scope(cast.clinic.tenant.id):
        acts = AuditEntry.objects.filter(action__startswith="import.re", by_platform=True).order_by("id")
        assert [entry.action for entry in acts] == ["import.refused", "import.released"]


def test_the_end_of_the_trial_lets_it_go_on(cast: Cast) -> None:
    limit(cast, approved_at=None)
    job = checked(cast, SIGNS["sequential"])
    alice = sign_in(Client(), cast.alice, cast.clinic.tenant)
    confirm = reverse("import_confirm", args=[job.id])
    alice.post(confirm, {"accepts_warnings": "yes"})
    limit(cast, approved_at=cast.clinic.tenant.approved_at)
    alice.post(confirm, {"accepts_warnings": "yes"})
    assert state(cast, job) == "importing"


def test_a_file_that_is_deleted_waits_for_nobody(cast: Cast) -> None:
    limit(cast, approved_at=None)
    job = checked(cast, SIGNS["sequential"])
    alice = sign_in(Client(), cast.alice, cast.clinic.tenant)
    alice.post(reverse("import_confirm", args=[job.id]), {"accepts_warnings": "yes"})
    alice.post(reverse("import_delete", args=[job.id]))
    assert Tenant.objects.get(id=cast.clinic.tenant.id).import_review_asked_at is None


# --- Rejected rows as a workbook ----------------------------------------------------------------------------------


def test_rejected_rows_are_corrected_in_a_workbook(mona: Client, cast: Cast) -> None:
    content = 'Mobile,First name,Store,Opt in\n12345,"=HYPERLINK(""x"")",South,yes\n+12025550101,Ann,North,yes\n'
    address = done(mona, cast, content)
    assert f"{address}rejected.csv?format=xlsx" in text_of(mona.get(address))
    answer = mona.get(f"{address}rejected.csv", {"format": "xlsx"})
    assert answer.headers["Content-Disposition"].endswith('.xlsx"')
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    sheet = book.worksheets[0]
    assert [cell.value for cell in sheet[1]] == ["Mobile", "First name", "Store", "Opt in", "row", "problem"]
    assert {cell.data_type for row in sheet.iter_rows() for cell in row} == {"s"}
    assert [cell.value for cell in sheet[2]][:5] == ["12345", '\'=HYPERLINK("x")', "South", "yes", "2"]
    sheet["A2"] = 2025550102
    saved = io.BytesIO()
    book.save(saved)
    again = str(upload(mona, saved.getvalue(), "corrected.xlsx").url)
    with tenant_scope(cast.clinic.tenant.id):
        job = ContactImport.objects.latest("id")
    assert (again.endswith(f"{job.id}/"), job.corrects_id is not None, job.basis) == (True, True, "web_form")
    mona.post(again, CHOICES | {"column_4": "", "column_5": "", "new_list": "Second"})
    confirmed(mona, cast, again)
    with tenant_scope(cast.clinic.tenant.id):
        assert Contact.objects.get(number="+12025550102").first_name == '=HYPERLINK("x")'


def test_a_workbook_of_too_many_rejected_rows_is_not_made(mona: Client, cast: Cast) -> None:
    address = done(mona, cast)
    with tenant_scope(cast.clinic.tenant.id):
        ContactImport.objects.update(counts={"rejected": 20_001})
    answer = mona.get(f"{address}rejected.csv", {"format": "xlsx"}, follow=True)
    assert "Take the CSV file." in text_of(answer)
