"""The pages of an import: choosing a file, saying what it holds, watching it, reading what every row became."""

import csv
from html import escape
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from consent.services import opt_out
from contacts.importing.run import run_import
from contacts.models import Contact, ContactImport, ContactList, Tag
from contacts.services import create_list
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.cast import Cast, make_cast
from tests.web import sign_in

CSV = """Mobile,First name,Store,Opt in
(202) 555-0101,Ann,North,yes
202-555-0102,Ben,South,no
12345,Bad,South,yes
+1 202 555 0101,Annie,North,yes
202.555.0103,Cleo,South,yes
"""
CHOICES = {
    "column_0": "number",
    "column_1": "first_name",
    "column_2": "store",
    "column_3": "consent",
    "basis": "web_form",
    "purposes": ["marketing"],
    "consent_note": "The box on our site",
    "contact_list": "",
    "new_list": "Autumn",
    "tag": "imported",
}
HOSTILE = "<img src=x onerror=alert(1)>\"'"


@pytest.fixture
def cast(transactional_db: None) -> Cast:
    """Committed, because the run of an import commits chunk by chunk."""
    return make_cast()


@pytest.fixture
def mona(client: Client, cast: Cast) -> Client:
    return sign_in(client, cast.mona, cast.clinic.tenant)


def upload(client: Client, content: str | bytes = CSV, name: str = "people.csv") -> Any:
    data = content.encode() if isinstance(content, str) else content
    return client.post(reverse("imports"), {"file": SimpleUploadedFile(name, data)})


def uploaded(client: Client, content: str = CSV, name: str = "people.csv") -> str:
    """Upload a file; returns the address of its page."""
    answer = upload(client, content, name)
    assert answer.status_code == 302
    return str(answer.url)


def job_of(cast: Cast) -> ContactImport:
    with tenant_scope(cast.clinic.tenant.id):
        return ContactImport.objects.select_related("contact_list", "tag").get()


def done(client: Client, cast: Cast, content: str = CSV, **choices: Any) -> str:
    """Import a file to its end; returns the address of its page."""
    address = uploaded(client, content)
    answer = client.post(address, CHOICES | choices)
    assert answer.status_code == 302, answer.context["form"].errors
    confirmed(client, cast, address)
    return address


def confirmed(client: Client, cast: Cast, address: str) -> None:
    """Have the file checked, say yes, have it imported."""
    work(cast)
    assert client.post(f"{address}confirm/").status_code == 302
    work(cast)


def work(cast: Cast) -> None:
    """What the worker does."""
    with tenant_scope(cast.clinic.tenant.id):
        job = ContactImport.objects.latest("id")
    run_import(cast.clinic.tenant.id, job.id)


# --- The file -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "The file is empty."),
        (b"\n\n", "The file is empty."),
        (b"phone,name\n", "no rows"),
        (b"PK\x03\x04 a workbook", "This workbook cannot be read."),
        (b"\xd0\xcf\x11\xe0 a workbook", "old Excel version"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(32)) * 40, "This is not a text file."),
        (b'"' + b"x" * 200_000 + b'"\n+12025550101\n', "The first row cannot be read."),
    ],
)
def test_a_file_that_cannot_be_read_is_refused(mona: Client, cast: Cast, content: bytes, message: str) -> None:
    answer = upload(mona, content)
    assert answer.status_code == 422
    assert message in answer.content.decode()
    with tenant_scope(cast.clinic.tenant.id):
        assert not ContactImport.objects.exists()


def test_no_file_is_refused(mona: Client) -> None:
    answer = mona.post(reverse("imports"))
    assert answer.status_code == 422
    assert "Choose a file first." in answer.content.decode()


def test_a_row_that_no_reader_understands_costs_only_itself(mona: Client, cast: Cast) -> None:
    strange = (
        f'phone,note\n+12025550101,"{"x" * 20_000}\n{"y" * 30_000}\n'
        + f"{'z' * 30_000}\n" * 4
        + '"\n+12025550102,fine\n'
    )
    address = uploaded(mona, strange)
    mona.post(address, CHOICES | {"column_1": "", "column_2": "", "column_3": ""})
    confirmed(mona, cast, address)
    assert job_of(cast).counts == {"created": 1, "rejected": 1}


# --- The choices --------------------------------------------------------------------------------------------------


def test_the_guess_and_three_samples_are_shown(mona: Client) -> None:
    answer = mona.get(uploaded(mona))
    columns = {field.label: (field.initial, samples) for field, samples in answer.context["columns"]}
    assert columns == {
        "Mobile": ("number", ["(202) 555-0101", "202-555-0102", "12345"]),
        "First name": ("first_name", ["Ann", "Ben", "Bad"]),
        "Store": ("store", ["North", "South", "South"]),
        "Opt in": ("consent", ["yes", "no", "yes"]),
    }
    page = answer.content.decode()
    assert '<option value="number" selected>Phone number</option>' in page
    assert "202-555-0102" in page
    assert "Check 5 rows" in page


@pytest.mark.parametrize(("country", "date"), [("US", "March 4, 2026"), ("GB", "3 April 2026")])
def test_the_page_says_how_dates_are_read(mona: Client, cast: Cast, country: str, date: str) -> None:
    Tenant.objects.filter(id=cast.clinic.tenant.id).update(country=country)
    page = mona.get(uploaded(mona)).content.decode()
    assert f"A date such as 03/04/2026 is read as {date}." in page


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"basis": ""}, "Choose one."),
        ({"basis": "rumour"}, "Select a valid choice."),
        ({"purposes": []}, "Say what they agreed to receive."),
        ({"basis": "verbal"}, "Offers need agreement in writing"),
        ({"basis": "existing_customer"}, "Offers need agreement in writing"),
        ({"column_0": ""}, "exactly one column as the phone number"),
        ({"column_1": "number"}, "exactly one column as the phone number"),
        ({"column_2": "first_name"}, "Two columns fill the same field"),
        ({"column_2": "tenant_id"}, "Select a valid choice."),
        ({"contact_list": "no-id"}, "valid"),
        ({"tag": "x" * 41}, "at most 40 characters"),
    ],
)
def test_a_bad_choice_is_refused_and_the_others_kept(
    mona: Client, cast: Cast, change: dict[str, Any], message: str
) -> None:
    answer = mona.post(uploaded(mona), CHOICES | change)
    assert answer.status_code == 422
    page = answer.content.decode()
    assert message in page
    assert 'value="Autumn"' in page
    assert "The box on our site" in page
    assert job_of(cast).status == "uploaded"
    with tenant_scope(cast.clinic.tenant.id):
        assert not ContactList.objects.exists()
        assert not Tag.objects.exists()


def test_another_tenants_list_cannot_be_chosen(mona: Client, cast: Cast) -> None:
    with tenant_scope(cast.shop.tenant.id):
        theirs = create_list(name="Theirs")
    answer = mona.post(uploaded(mona), CHOICES | {"contact_list": str(theirs.id)})
    assert answer.status_code == 422
    assert "Theirs" not in answer.content.decode()


def test_a_file_is_imported_once(mona: Client, cast: Cast) -> None:
    address = uploaded(mona)
    assert [mona.post(address, CHOICES).status_code for _ in range(2)] == [302, 200]
    assert job_of(cast).status == "checking"
    work(cast)
    assert [mona.post(f"{address}confirm/").status_code for _ in range(2)] == [302, 422]
    assert job_of(cast).status == "importing"


# --- Progress and outcome -----------------------------------------------------------------------------------------


def test_progress_is_asked_for_until_the_end(mona: Client, cast: Cast) -> None:
    address = uploaded(mona)
    mona.post(address, CHOICES)
    assert "Waiting to start" in mona.get(address).content.decode()
    part = mona.get(address, {"part": "progress"}, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part
    assert f'hx-get="{address}?part=progress"' in part
    work(cast)
    ended = mona.get(address, {"part": "progress"}, headers={"HX-Request": "true"})
    assert ended.headers["HX-Refresh"] == "true"
    assert "hx-get" not in mona.get(address).content.decode()


def test_the_outcome_of_every_row_can_be_read(mona: Client, cast: Cast) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        opt_out(number="+12025550103", source="reply", wording="STOP")
    address = done(mona, cast)
    answer = mona.get(address)
    page = answer.content.decode()
    assert [(row.row_number, row.outcome) for row, _, _ in answer.context["rows"]] == [
        (2, "created"),
        (3, "created"),
        (4, "rejected"),
        (5, "merged"),
        (6, "created"),
    ]
    assert "3 people are among your contacts now" in page
    assert "Opted out, in this file or earlier: stays opted out" in page
    assert "No agreement recorded: will not be texted" in page
    assert "No such number can exist" in page
    assert "12345, Bad, South, yes" in page
    assert f"{reverse('contacts')}?list={job_of(cast).contact_list_id}" in page
    with tenant_scope(cast.clinic.tenant.id):
        ann = Contact.objects.get(number="+12025550101")
    assert reverse("contact", args=[ann.id]) in page


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ({"outcome": "rejected"}, [4]),
        ({"outcome": "created"}, [2, 3, 6]),
        ({"note": "no_consent"}, [3]),
        ({"note": "opted_out"}, []),
        ({"outcome": "sideways", "note": "'\"", "after": "x"}, [2, 3, 4, 5, 6]),
        ({"after": "4"}, [5, 6]),
        ({"after": "²"}, [2, 3, 4, 5, 6]),
    ],
)
def test_rows_can_be_filtered(mona: Client, cast: Cast, query: dict[str, str], rows: list[int]) -> None:
    answer = mona.get(done(mona, cast), query)
    assert [row.row_number for row, _, _ in answer.context["rows"]] == rows


def test_rejected_rows_can_be_downloaded_and_corrected(mona: Client, cast: Cast) -> None:
    address = uploaded(mona)
    mona.post(address, CHOICES)
    early = mona.get(f"{address}rejected.csv", follow=True)
    assert "is ready when the file has been checked" in early.content.decode()
    work(cast)
    answer = mona.get(f"{address}rejected.csv")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    lines = answer.content.decode("utf-8-sig").splitlines()
    assert lines[0] == "Mobile,First name,Store,Opt in,row,problem"
    assert lines[1].startswith("12345,Bad,South,yes,4,")
    assert len(lines) == 2


def test_the_rejected_rows_hold_no_formulas_and_can_be_uploaded_as_they_are(mona: Client, cast: Cast) -> None:
    Tenant.objects.filter(id=cast.clinic.tenant.id).update(allowed_countries=["US", "GB"])
    content = '=2+2,Mobile,First name\n=1,+44 909 879 0000,"=HYPERLINK(""x"")"\n"""=1",+1202555010,@Ann\n'
    address = uploaded(mona, content)
    choices = {"column_0": "", "column_1": "number", "column_2": "first_name", "column_3": ""}
    mona.post(address, CHOICES | choices)
    confirmed(mona, cast, address)
    answer = mona.get(f"{address}rejected.csv")
    header, *found = csv.reader(answer.content.decode("utf-8-sig").splitlines())
    assert header == ["'=2+2", "Mobile", "First name", "row", "problem"]
    assert [row[:3] for row in found] == [
        ["'=1", "'+44 909 879 0000", '\'=HYPERLINK("x")'],
        ["'\"=1", "'+1202555010", "'@Ann"],
    ]
    corrected = answer.content.replace(b"'+44 909 879 0000", b"'+44 20 7946 0018").replace(b"5010,", b"50101,")
    again = uploaded(mona, corrected.decode("utf-8-sig"))
    with tenant_scope(cast.clinic.tenant.id):
        job = ContactImport.objects.latest("id")
    assert again.endswith(f"{job.id}/")
    mona.post(again, CHOICES | choices | {"column_4": "", "new_list": "Second"})
    confirmed(mona, cast, again)
    with tenant_scope(cast.clinic.tenant.id):
        assert dict(Contact.objects.values_list("number", "first_name")) == {
            "+442079460018": '=HYPERLINK("x")',
            "+12025550101": "@Ann",
        }


def test_earlier_imports_are_listed(mona: Client, cast: Cast) -> None:
    address = done(mona, cast)
    page = mona.get(reverse("imports")).content.decode()
    assert f'href="{address}"' in page
    assert f'href="{address}?outcome=rejected"' in page


# --- Who ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["bob", "vera"])
def test_those_who_may_not_import_see_none_of_it(mona: Client, cast: Cast, name: str) -> None:
    address = done(mona, cast)
    client = sign_in(Client(), getattr(cast, name), cast.clinic.tenant)
    for page in (reverse("imports"), address, f"{address}rejected.csv"):
        assert client.get(page).status_code == 403
    assert upload(client).status_code == 403


def test_another_tenants_imports_do_not_exist(mona: Client, cast: Cast) -> None:
    address = done(mona, cast)
    client = sign_in(Client(), cast.charlie, cast.shop.tenant)
    for page in (address, f"{address}rejected.csv"):
        assert client.get(page).status_code == 404
    assert client.post(address, CHOICES).status_code == 404
    assert "people.csv" not in client.get(reverse("imports")).content.decode()


def test_what_stands_in_a_file_is_shown_and_never_run(mona: Client, cast: Cast) -> None:
    quoted = HOSTILE.replace('"', '""')
    content = f'Mobile,"{quoted}"\n2025550101,"{quoted}"\n12,"{quoted}"\n'
    choices = {"column_1": "first_name", "column_2": "", "column_3": "", "new_list": HOSTILE, "tag": HOSTILE[:40]}
    address = uploaded(mona, content, f"{HOSTILE}.csv")
    pages = [mona.get(address).content.decode()]
    pages.append(mona.post(address, CHOICES | choices | {"basis": ""}).content.decode())
    mona.post(address, CHOICES | choices)
    pages.append(mona.get(address).content.decode())
    work(cast)
    pages.append(mona.get(address).content.decode())
    mona.post(f"{address}confirm/")
    work(cast)
    pages += [mona.get(address).content.decode(), mona.get(reverse("imports")).content.decode()]
    for page in pages:
        assert "<img src=x" not in page
    assert escape(HOSTILE) in pages[-2]
