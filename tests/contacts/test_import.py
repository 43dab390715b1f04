"""Importing: every row has its outcome, and agreement is recorded only where it is proven."""

import json
from collections import Counter
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.utils import timezone

from consent.models import ConsentRecord, ConsentState
from consent.services import is_suppressed, opt_out
from contacts.importing import run
from contacts.importing.progress import LEASE
from contacts.importing.run import run_import
from contacts.models import (
    Contact,
    ContactField,
    ContactImport,
    ContactList,
    ContactTag,
    ContactValue,
    ImportRow,
    ListMember,
    Tag,
)
from contacts.search import matching
from contacts.services import add_number, create_contact, create_field, start_import, upload_import
from tenants.scope import tenant_scope
from tests.cast import Cast

CSV = """name,phone,agreed,city
Ann Alba,+12025550101,yes,Boston
Ben Bloom,(202) 555-0102,no,Austin
Bad Row,12,yes,Reno
"Carla, Jr.",202-555-0103,yes,Miami
Ann Again,202.555.0101,yes,Salem
"""


def load(cast: Cast, content: str = CSV, **choices: Any) -> ContactImport:
    """Upload, choose, run; returns the finished import."""
    tenant = cast.clinic.tenant
    with tenant_scope(tenant.id):
        job = upload_import(tenant=tenant, file_name="people.csv", content=content.encode(), user_id=cast.alice.id)
        defaults: dict[str, Any] = {"columns": job.columns, "basis": "web_form", "purposes": ["marketing"]}
        start_import(job=job, **{**defaults, **choices})
    run_import(tenant.id, job.id)
    with tenant_scope(tenant.id):
        return ContactImport.objects.get(id=job.id)


@pytest.fixture(autouse=True)
def _committed(transactional_db: None) -> None:
    """The run commits chunk by chunk."""


@pytest.fixture
def cast(transactional_db: None) -> Cast:
    from tests.cast import make_cast

    return make_cast()


def outcomes(cast: Cast) -> dict[int, tuple[str, str]]:
    with tenant_scope(cast.clinic.tenant.id):
        return {row.row_number: (row.outcome, row.note) for row in ImportRow.objects.all()}


def test_every_row_has_its_outcome(cast: Cast) -> None:
    job = load(cast)
    assert outcomes(cast) == {
        2: ("created", ""),
        3: ("created", "no_consent"),
        4: ("rejected", ""),
        5: ("created", ""),
        6: ("merged", ""),
    }
    assert job.counts == {"created": 3, "rejected": 1, "merged": 1}
    assert (job.status, job.rows_total, job.rows_done) == ("done", 5, 5)
    with tenant_scope(cast.clinic.tenant.id):
        rejected = ImportRow.objects.get(outcome="rejected")
        assert "No such number" in rejected.problem
        assert rejected.cells == ["Bad Row", "12", "yes", "Reno"]
        ann = Contact.objects.get(number="+12025550101")
        assert (ann.first_name, ann.last_name, ann.fields) == ("Ann", "Alba", {"city": "Boston"})


def test_only_those_who_agreed_are_opted_in(cast: Cast) -> None:
    job = load(cast, consent_note="Box on the web form of 2026")
    with tenant_scope(cast.clinic.tenant.id):
        states = ConsentState.objects.values_list("number", "purpose", "act")
        assert set(states) == {("+12025550101", "marketing", "opt_in"), ("+12025550103", "marketing", "opt_in")}
        record = ConsentRecord.objects.get(number="+12025550101")
        assert (record.source, record.wording, record.actor_id) == (
            "web_form",
            "Box on the web form of 2026",
            cast.alice.id,
        )
        assert record.evidence == {"import": str(job.id), "file": "people.csv", "sha256": job.sha256, "row": 2}


def test_the_same_file_again_changes_nothing(cast: Cast) -> None:
    load(cast)
    job = load(cast)
    assert job.counts == {"unchanged": 3, "rejected": 1, "merged": 1}
    with tenant_scope(cast.clinic.tenant.id):
        assert ConsentRecord.objects.count() == 2


def test_a_row_with_a_further_number_is_about_its_person(cast: Cast) -> None:
    tenant = cast.clinic.tenant
    with tenant_scope(tenant.id):
        ann = create_contact(tenant=tenant, number="+12025550101", values={"first_name": "Ann"})
        add_number(tenant=tenant, contact=ann, number="+12025550109")
    job = load(
        cast, "phone,first name,email\n+12025550109,Anna,ann@x.example\n+12025550101,Again,\n+12025550102,Ben,\n"
    )
    assert job.counts == {"updated": 1, "merged": 1, "created": 1}
    with tenant_scope(tenant.id):
        ann.refresh_from_db()
        assert (ann.number, ann.first_name, ann.email) == ("+12025550101", "Anna", "ann@x.example")
        assert ImportRow.objects.get(row_number=2).contact_id == ann.id
        # The number in the file is the one whose owner agreed.
        assert set(ConsentState.objects.values_list("number", flat=True)) == {
            "+12025550109",
            "+12025550101",
            "+12025550102",
        }


def test_columns_become_fields_and_their_cells_are_read_by_kind(cast: Cast) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        create_field(label="Visits", kind="number")
    rows = "+12025550101,1,234,Reno\n".replace("1,234", '"1,234"') + "+12025550102,many,Reno\n+12025550101,7,\n"
    job = load(cast, "phone,visits,home town\n" + rows)
    assert job.counts == {"created": 1, "rejected": 1, "merged": 1}
    load(cast, "phone,home town\n+12025550101,Boston\n")
    with tenant_scope(cast.clinic.tenant.id):
        assert Contact.objects.get().fields == {"visits": "1234", "home_town": "Boston"}
        assert "“Visits”: This is not a number" in ImportRow.objects.get(outcome="rejected").problem
        assert dict(ContactField.objects.values_list("label", "kind")) == {"Visits": "number", "Home town": "text"}
        keys = set(ContactValue.objects.values_list("field__key", "key"))
        assert keys == {("visits", "0000000000001234000000"), ("home_town", "boston")}


def test_new_values_update_and_empty_ones_do_not(cast: Cast) -> None:
    load(cast)
    job = load(cast, "phone,first name,last name\n+12025550101,Anna,\n+12025550102,,\n")
    assert job.counts == {"updated": 1, "unchanged": 1}
    with tenant_scope(cast.clinic.tenant.id):
        ann = Contact.objects.get(number="+12025550101")
        assert (ann.first_name, ann.last_name, ann.fields) == ("Anna", "Alba", {"city": "Boston"})
        assert matching("anna", ["1"]).count() == 1


def test_a_file_does_not_bring_back_somebody_who_opted_out(cast: Cast) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        opt_out(number="+12025550101", source="reply", wording="STOP")
    load(cast)
    assert outcomes(cast)[2] == ("created", "opted_out")
    with tenant_scope(cast.clinic.tenant.id):
        assert is_suppressed(number="+12025550101")
        assert not ConsentState.objects.filter(number="+12025550101").exists()


def test_contacts_go_into_the_list_and_get_the_tag(cast: Cast) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        contact_list, tag = ContactList.objects.create(name="Spring"), Tag.objects.create(name="new")
    load(cast, contact_list=contact_list, tag=tag)
    load(cast, contact_list=contact_list, tag=tag)
    with tenant_scope(cast.clinic.tenant.id):
        assert ListMember.objects.count() == ContactTag.objects.count() == 3


def test_other_tenants_see_nothing_of_it(cast: Cast) -> None:
    load(cast)
    with tenant_scope(cast.shop.tenant.id):
        assert not Contact.objects.exists()
        assert not ImportRow.objects.exists()


@pytest.mark.parametrize(
    ("choices", "field"),
    [
        ({"basis": ""}, "basis"),
        ({"basis": "guessed"}, "basis"),
        ({"purposes": []}, "purposes"),
        ({"basis": "verbal"}, "purposes"),
        ({"basis": "existing_customer"}, "purposes"),
        ({"columns": ["full_name", "", "", ""]}, "columns"),
        ({"columns": ["number", "number", "", ""]}, "columns"),
        ({"columns": ["city", "number", "", "city"]}, "columns"),
    ],
)
def test_choices_that_prove_nothing_are_refused(cast: Cast, choices: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        load(cast, **choices)
    assert field in refusal.value.message_dict


@pytest.mark.parametrize(("basis", "purposes"), [("verbal", ["reminder"]), ("existing_customer", ["transactional"])])
def test_spoken_agreement_is_enough_for_information(cast: Cast, basis: str, purposes: list[str]) -> None:
    load(cast, basis=basis, purposes=purposes)
    with tenant_scope(cast.clinic.tenant.id):
        assert set(ConsentState.objects.values_list("purpose", flat=True)) == set(purposes)


def test_without_a_basis_nobody_can_be_texted(cast: Cast) -> None:
    load(cast, basis="none", purposes=["marketing"])
    with tenant_scope(cast.clinic.tenant.id):
        assert Contact.objects.count() == 3
        assert not ConsentRecord.objects.exists()
    assert outcomes(cast)[2] == ("created", "no_consent")


def test_an_import_whose_worker_died_goes_on_where_it_stopped(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "IMPORT_ROWS", 2)
    monkeypatch.setattr(run, "LOADERS", 1)
    tenant = cast.clinic.tenant
    with tenant_scope(tenant.id):
        job = upload_import(tenant=tenant, file_name="people.csv", content=CSV.encode(), user_id=None)
        start_import(job=job, columns=job.columns, basis="web_form", purposes=["marketing"])
    real_apply = run.apply_range
    calls = Counter[str]()

    def dies_on_the_second_range(*arguments: Any) -> bool:
        calls["ranges"] += 1
        if calls["ranges"] == 2:
            raise KeyboardInterrupt
        return real_apply(*arguments)

    monkeypatch.setattr(run, "apply_range", dies_on_the_second_range)
    with pytest.raises(KeyboardInterrupt):
        run_import(tenant.id, job.id)
    with tenant_scope(tenant.id):
        assert ContactImport.objects.get().rows_done == 2
        ContactImport.objects.update(leased_until=timezone.now() - LEASE)
    run_import(tenant.id, job.id)
    assert sorted(outcomes(cast)) == [2, 3, 4, 5, 6]
    with tenant_scope(tenant.id):
        done = ContactImport.objects.get()
        assert (done.status, done.counts) == ("done", {"created": 3, "rejected": 1, "merged": 1})


def test_two_workers_do_not_import_the_same_file(cast: Cast) -> None:
    job = load(cast)
    run_import(cast.clinic.tenant.id, job.id)
    with tenant_scope(cast.clinic.tenant.id):
        assert ImportRow.objects.count() == 5


def test_the_command_does_the_same(cast: Cast, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text(CSV)
    out = StringIO()
    call_command(
        "import_contacts", str(file), "--tenant", cast.clinic.tenant.slug, "--consent-basis", "web_form",
        "--purpose", "marketing", "--purpose", "reminder", "--list", "From file", stdout=out,
    )  # fmt: skip
    summary = json.loads(out.getvalue())
    assert {name: summary[name] for name in ("created", "updated", "unchanged", "merged", "rejected")} == {
        "created": 3,
        "updated": 0,
        "unchanged": 0,
        "merged": 1,
        "rejected": 1,
    }
    rejected = Path(summary["rejected_file"]).read_text()
    assert "Bad Row,12,yes,Reno,4," in rejected
    with tenant_scope(cast.clinic.tenant.id):
        assert ConsentState.objects.count() == 4
        assert ListMember.objects.count() == 3


def test_the_file_of_rejected_rows_can_be_corrected_and_imported(cast: Cast, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text(CSV)
    out = StringIO()
    options = ["--tenant", cast.clinic.tenant.slug, "--consent-basis", "web_form"]
    call_command("import_contacts", str(file), *options, stdout=out)
    rejected = Path(json.loads(out.getvalue())["rejected_file"])
    rejected.write_text(rejected.read_text().replace(",12,", ",202 555 0109,"))
    out = StringIO()
    call_command("import_contacts", str(rejected), *options, stdout=out)
    assert json.loads(out.getvalue())["created"] == 1
    with tenant_scope(cast.clinic.tenant.id):
        assert Contact.objects.get(number="+12025550109").fields == {"city": "Reno"}


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["nothing.csv", "--tenant", "harbor-clinic", "--consent-basis", "web_form"], "Cannot read"),
        (["FILE", "--tenant", "nobody", "--consent-basis", "web_form"], "No tenant"),
        (["FILE", "--tenant", "harbor-clinic", "--consent-basis", "verbal", "--purpose", "marketing"], "in writing"),
        (["FILE", "--tenant", "harbor-clinic", "--consent-basis", "guess"], "invalid choice"),
    ],
)
def test_the_command_says_what_is_wrong(cast: Cast, tmp_path: Path, arguments: list[str], hint: str) -> None:
    file = tmp_path / "people.csv"
    file.write_text(CSV)
    with pytest.raises(CommandError, match=hint):
        call_command("import_contacts", *[str(file) if argument == "FILE" else argument for argument in arguments])


def test_the_planner_learns_of_the_new_rows(cast: Cast) -> None:
    """Without it a query over the new contacts is planned for a handful, and may take minutes."""
    from django.db import connection

    lines = ["phone,agreed", *(f"+1{area}55501{n:02d},yes" for area in (202, 212, 303) for n in range(100))]
    load(cast, "\n".join(lines))
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples FROM pg_class WHERE relname IN ('contacts_contact', 'consent_consentstate')")
        assert [count for (count,) in cursor.fetchall()] == [300, 300]
