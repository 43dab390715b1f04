"""Undoing an import: what it did is taken back where nothing has happened since, and its consent everywhere."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from consent.ledger import OptIn, rebuild
from consent.models import ConsentRecord, ConsentState
from consent.services import is_suppressed, opt_back_in, opt_in, opt_out
from contacts.importing.run import run_import
from contacts.models import Contact, ContactImport, ContactList, ContactTag, ImportRow, ListMember
from contacts.services import add_note, add_to_list, create_contact, undo_import
from tenants.models import AuditEntry
from tenants.scope import tenant_scope
from tests.cast import Cast, make_cast
from tests.contacts.test_import import load
from tests.web import sign_in

ANN, BEN, CLEO, DAN = "+12025550101", "+12025550102", "+12025550103", "+12025550104"
FILE = f"phone,first name,city\n{ANN},Ann,Boston\n{BEN},Ben,\n{CLEO},Cleo,\n{DAN},Dan,\n"


@pytest.fixture
def cast(transactional_db: None) -> Cast:
    """Committed, because the run of an import commits range by range."""
    return make_cast()


def undo(cast: Cast, job: ContactImport) -> ContactImport:
    with tenant_scope(cast.clinic.tenant.id):
        undo_import(job=job, by_caller=True)
    run_import(cast.clinic.tenant.id, job.id)
    with tenant_scope(cast.clinic.tenant.id):
        return ContactImport.objects.get(id=job.id)


def test_what_nothing_happened_to_goes_and_the_rest_stays(cast: Cast) -> None:
    tenant = cast.clinic.tenant
    with tenant_scope(tenant.id):
        known = create_contact(tenant=tenant, number=DAN, values={"first_name": "Daniel", "last_name": "Dee"})
        spring = ContactList.objects.create(name="Spring")
        add_to_list(contact=known, contact_list=spring)
    job = load(cast, FILE, contact_list=spring)
    with tenant_scope(tenant.id):
        add_note(contact=Contact.objects.get(number=BEN), body="Called", author_id=cast.alice.id)
        opt_in(opt_in=OptIn(CLEO, "reminder", "web_form"))
    undone = undo(cast, job)
    assert undone.status == "undone"
    with tenant_scope(tenant.id):
        names = dict(Contact.objects.values_list("number", "first_name"))
        assert names == {BEN: "Ben", CLEO: "Cleo", DAN: "Daniel"}
        endings = dict(ImportRow.objects.values_list("row_number", "undone"))
        assert endings == {2: "removed", 3: "kept", 4: "kept", 5: "restored"}
        assert list(ListMember.objects.values_list("contact__number", flat=True)) == [DAN]
        assert not ContactTag.objects.exists()
        assert list(ConsentState.objects.values_list("number", "purpose")) == [(CLEO, "reminder")]
        assert ConsentRecord.objects.filter(act="void").count() == 4
        assert AuditEntry.objects.filter(action="import.undone").get().after == {
            "kept": 2,
            "removed": 1,
            "restored": 1,
        }


def test_the_current_state_can_still_be_derived_from_the_records(cast: Cast) -> None:
    job = load(cast, FILE)
    with tenant_scope(cast.clinic.tenant.id):
        opt_out(number=ANN, source="reply", wording="STOP")
    undo(cast, job)
    with tenant_scope(cast.clinic.tenant.id):
        kept = sorted(ConsentState.objects.values_list("number", "purpose", "act", "record_id"))
        assert [state[:3] for state in kept] == [(ANN, "marketing", "opt_out")]
        rebuild()
        assert sorted(ConsentState.objects.values_list("number", "purpose", "act", "record_id")) == kept


def test_a_start_does_not_renew_what_was_taken_back(cast: Cast) -> None:
    job = load(cast, FILE)
    with tenant_scope(cast.clinic.tenant.id):
        opt_out(number=ANN, source="reply", wording="STOP")
    undo(cast, job)
    with tenant_scope(cast.clinic.tenant.id):
        assert opt_back_in(number=ANN, wording="START", evidence={})
        assert not is_suppressed(number=ANN)
        assert not ConsentState.objects.filter(number=ANN, act="opt_in").exists()


def test_the_persons_page_tells_of_it(cast: Cast, client: Client) -> None:
    tenant = cast.clinic.tenant
    with tenant_scope(tenant.id):
        dan = create_contact(tenant=tenant, number=DAN, values={})
    undo(cast, load(cast, FILE))
    sign_in(client, cast.alice, tenant)
    page = client.get(reverse("contact", args=[dan.id]))
    assert page.status_code == 200
    assert "offers and news taken back: it was recorded in error" in page.content.decode()


def test_the_file_can_be_imported_again(cast: Cast) -> None:
    undo(cast, load(cast, FILE))
    job = load(cast, FILE)
    assert job.counts == {"created": 4}
    with tenant_scope(cast.clinic.tenant.id):
        assert ConsentState.objects.filter(act="opt_in").count() == 4


def test_opt_outs_from_the_file_stay(cast: Cast) -> None:
    job = load(cast, f"phone,opt in\n{ANN},stop\n{BEN},yes\n")
    undo(cast, job)
    with tenant_scope(cast.clinic.tenant.id):
        assert is_suppressed(number=ANN)


def test_only_a_recent_import_can_be_undone_and_only_once(cast: Cast) -> None:
    job = load(cast, FILE)
    with tenant_scope(cast.clinic.tenant.id):
        ContactImport.objects.update(finished_at=job.finished_at - timedelta(days=8))  # type: ignore[operator]
        with pytest.raises(ValidationError, match="too long ago"):
            undo_import(job=job)
        ContactImport.objects.update(finished_at=job.finished_at)
    undo(cast, job)
    with tenant_scope(cast.clinic.tenant.id), pytest.raises(ValidationError, match="undone already"):
        undo_import(job=job)
