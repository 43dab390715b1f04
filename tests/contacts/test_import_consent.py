"""What the consent column of a file does: only a clear yes opts in, a no counts more, "unsubscribed" opts out."""

from collections import Counter
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from consent.ledger import OptIn, record_opt_ins
from consent.models import ConsentRecord, ConsentState
from consent.services import is_suppressed, opt_back_in, opt_out
from contacts.importing import run
from contacts.importing.columns import guess_columns
from contacts.importing.consent_words import Said, said
from contacts.importing.progress import LEASE
from contacts.importing.run import run_import
from contacts.models import Contact, ContactImport, ImportRow
from contacts.services import start_import, upload_import
from tenants.scope import tenant_scope
from tests.cast import Cast, make_cast
from tests.contacts.test_import import load

ANN, BEN, CLEO = "+12025550101", "+12025550102", "+12025550103"


@pytest.fixture
def cast(transactional_db: None) -> Cast:
    """Committed, because the run of an import commits chunk by chunk."""
    return make_cast()


def agreed(cast: Cast) -> set[str]:
    """The numbers that may be sent offers."""
    with tenant_scope(cast.clinic.tenant.id):
        states = ConsentState.objects.filter(act="opt_in", purpose="marketing")
        return {state.number for state in states if not is_suppressed(number=state.number)}


def suppressed(cast: Cast) -> set[str]:
    with tenant_scope(cast.clinic.tenant.id):
        return {number for number in (ANN, BEN, CLEO) if is_suppressed(number=number)}


def agree_earlier(cast: Cast, number: str) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        record_opt_ins([OptIn(number, "marketing", "web_form")], actor_id=None)


def notes(cast: Cast) -> dict[int, str]:
    with tenant_scope(cast.clinic.tenant.id):
        return dict(ImportRow.objects.values_list("row_number", "note"))


@pytest.mark.parametrize("last_row", [f"Cleo,{CLEO}", f"Cleo,{CLEO},", f'Cleo,{CLEO},"  "'])
def test_a_row_that_does_not_answer_is_a_no(cast: Cast, last_row: str) -> None:
    load(cast, f"name,phone,opt in\nAnn,{ANN},yes\nBen,{BEN},no\n{last_row}\n")
    assert agreed(cast) == {ANN}
    assert notes(cast) == {2: "", 3: "no_consent", 4: "no_consent"}


@pytest.mark.parametrize(("first", "second"), [("yes", "no"), ("no", "yes"), ("yes", ""), ("yes", "stop")])
@pytest.mark.parametrize("range_rows", [1, 1000])
def test_a_no_beats_a_yes_for_the_same_number(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, first: str, second: str, range_rows: int
) -> None:
    monkeypatch.setattr(run, "CHECK_ROWS", range_rows)
    monkeypatch.setattr(run, "IMPORT_ROWS", range_rows)
    load(cast, f"phone,opt in\n{ANN},{first}\n(202) 555-0101,{second}\n{BEN},yes\n")
    assert agreed(cast) == {BEN}


@pytest.mark.parametrize(
    "word", ["unsubscribed", "Opted out", "opted-out", "OPT_OUT", "stop", "STOPPED", "unsubscribe", "Do not text"]
)
def test_a_word_that_ends_everything_is_an_opt_out(cast: Cast, word: str) -> None:
    agree_earlier(cast, ANN)
    job = load(cast, f"name,phone,opt in\nBen,{BEN},yes\nAnn,{ANN},{word}\n")
    assert suppressed(cast) == {ANN}
    assert agreed(cast) == {BEN}
    assert job.counts == {"created": 2}
    assert notes(cast) == {2: "", 3: "opted_out"}
    with tenant_scope(cast.clinic.tenant.id):
        record = ConsentRecord.objects.get(act="opt_out")
        assert (record.number, record.purpose, record.source, record.wording) == (ANN, "all", "import", word)
        assert record.evidence == {"import": str(job.id), "file": "people.csv", "sha256": job.sha256, "row": 3}
        assert record.actor_id == cast.alice.id


def test_an_opt_out_counts_whatever_else_is_wrong_with_its_row(cast: Cast) -> None:
    job = load(cast, f'phone,email,opt in\n{ANN},ann@,unsubscribed\n{BEN},"ben@mail.example,stop\n')
    assert job.counts == {"rejected": 2}
    assert suppressed(cast) == {ANN, BEN}


def test_an_opt_out_needs_no_basis(cast: Cast) -> None:
    load(cast, f"phone,opt in\n{ANN},unsubscribed\n{BEN},yes\n", basis="none", purposes=[])
    assert suppressed(cast) == {ANN}
    assert agreed(cast) == set()
    assert notes(cast) == {2: "opted_out", 3: "no_consent"}


def test_opt_outs_are_recorded_once(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "OPT_OUTS_AT_ONCE", 2)
    file = f"phone,opt in\n{ANN},stop\n{ANN},unsubscribed\n{BEN},stop\n{CLEO},stop\n"
    for _ in range(2):
        load(cast, file)
    with tenant_scope(cast.clinic.tenant.id):
        assert Counter(ConsentRecord.objects.values_list("number", flat=True)) == {ANN: 1, BEN: 1, CLEO: 1}


def test_a_plain_no_leaves_an_earlier_agreement(cast: Cast) -> None:
    agree_earlier(cast, ANN)
    load(cast, f"phone,opt in\n{ANN},no\n")
    assert agreed(cast) == {ANN}


def test_who_came_back_is_not_opted_out_again_when_the_import_goes_on(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*arguments: Any) -> bool:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(run, "apply_range", dies)
        with pytest.raises(KeyboardInterrupt):
            load(cast, f"phone,opt in\n{ANN},stop\n")
    with tenant_scope(cast.clinic.tenant.id):
        assert opt_back_in(number=ANN, wording="START", evidence={})
        job = ContactImport.objects.get()
        ContactImport.objects.update(leased_until=timezone.now() - LEASE)
    run_import(cast.clinic.tenant.id, job.id)
    assert suppressed(cast) == set()
    with tenant_scope(cast.clinic.tenant.id):
        assert Contact.objects.count() == 1


def test_who_opted_out_of_one_purpose_is_noted_and_stays_out(cast: Cast) -> None:
    agree_earlier(cast, ANN)
    with tenant_scope(cast.clinic.tenant.id):
        opt_out(number=ANN, source="reply", wording="STOP")
        opt_back_in(number=ANN, wording="START", evidence={})
        ConsentState.objects.update(act="opt_out")
    load(cast, f"phone,opt in\n{ANN},yes\n")
    assert agreed(cast) == set()
    assert notes(cast) == {2: "opted_out"}


@pytest.mark.parametrize(
    ("cell", "answer"),
    [
        ("YES", Said.YES),
        ("Opted-In", Said.YES),
        ("", Said.NO),
        ("-", Said.NO),
        ("off", Said.NO),
        ("unsub", Said.STOP),
        ("arrêt", Said.STOP),
        ("please stop texting me", Said.STOP),
        ("perhaps", None),
        ("pending", None),
    ],
)
def test_cells_that_say_who_agreed(cell: str, answer: Said | None) -> None:
    assert said(cell) is answer


# --- Columns of opt-outs ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("title", ["Do not contact", "Unsubscribed", "Opt-out (Y/N)", "DNC", "do_not_text"])
def test_a_column_of_opt_outs_is_understood(cast: Cast, title: str) -> None:
    """A yes there is an opt-out, whatever the file's basis and whatever was agreed before; a no says nothing."""
    agree_earlier(cast, BEN)
    load(cast, f"name,phone,{title}\nAnn,{ANN},no\nBen,{BEN},yes\nCleo,{CLEO},\n")
    assert suppressed(cast) == {BEN}
    assert agreed(cast) == {ANN, CLEO}


def test_both_columns_together(cast: Cast) -> None:
    load(cast, f"name,phone,consent,opted out\nAnn,{ANN},yes,yes\nBen,{BEN},yes,no\nCleo,{CLEO},no,no\n")
    assert suppressed(cast) == {ANN}
    assert agreed(cast) == {BEN}


@pytest.mark.parametrize(
    ("title", "field"),
    [
        ("Marketing consent (Y/N)", "consent"),
        ("SMS Permission", "consent"),
        ("Can we text?", "consent"),
        ("Einwilligung", "consent"),
        ("DO NOT SMS", "opted_out"),
        ("Unsubscribe", "opted_out"),
        ("Favourite text", "favourite_text"),
        ("Options", "options"),
    ],
)
def test_columns_about_consent_are_guessed(title: str, field: str) -> None:
    assert guess_columns(["phone", title], [[ANN, "yes"]], "US")[1] == field


@pytest.mark.parametrize("name", ["sms_permission_2019", "consent_status", "opted_in_by", "do_not_mail"])
def test_what_may_be_about_consent_is_not_kept_as_a_mere_value(cast: Cast, name: str) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        content = f"phone,{name}\n{ANN},no\n".encode()
        job = upload_import(tenant=cast.clinic.tenant, file_name="a.csv", content=content, user_id=None)
        with pytest.raises(ValidationError, match="who may be texted"):
            start_import(job=job, columns=["number", name], basis="paper", purposes=["marketing"])
        start_import(job=job, columns=["number", ""], basis="paper", purposes=["marketing"])


def test_an_agreement_from_earlier_is_pointed_out(cast: Cast) -> None:
    agree_earlier(cast, ANN)
    load(cast, f"name,phone,opt in\nAnn,{ANN},no\nBen,{BEN},no\n")
    assert notes(cast) == {2: "agreed_earlier", 3: "no_consent"}
