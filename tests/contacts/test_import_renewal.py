"""An import renews consent that has ended, when its file documents a later agreement; it never brings back who opted out."""

from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from consent import renewal
from consent.changed_numbers import Change, note_changes
from consent.double_opt_in import set_double_opt_in
from consent.ledger import OptIn, record_opt_ins
from consent.models import ChangedNumber, ConsentRecord, ConsentState, PendingOptIn
from consent.preferences import stop_some
from consent.replay import problems
from consent.sealing import seal, signer
from consent.services import is_suppressed, opt_back_in, opt_out
from consent.validity import set_expiry
from contacts.models import ContactImport, ImportRow
from messaging.pipeline.gate import Candidate, Circumstances, decide_all
from tenants.scope import tenant_scope
from tests.cast import Cast, make_cast
from tests.contacts.test_import import load
from tests.contacts.test_import_undo import undo
from tests.web import sign_in, text_of

ANN, BEN = "+12025550101", "+12025550102"
ENDED, GOES = "consent_is_current", "all_rules_passed"


@pytest.fixture
def cast(transactional_db: None) -> Cast:
    """Committed, because the run of an import commits range by range. At the clinic offers may go for a year."""
    made = make_cast()
    with tenant_scope(made.clinic.tenant.id):
        set_expiry(purpose="marketing", months=12)
    return made


def ago(days: int) -> datetime:
    return timezone.now() - timedelta(days=days)


def agreed(cast: Cast, days: int, *, purpose: str = "marketing", source: str = "web_form", number: str = ANN) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        record_opt_ins([OptIn(number, purpose, source, occurred_at=ago(days))], actor_id=None)


def rule_of(cast: Cast, number: str = ANN, purpose: str = "marketing") -> str:
    with tenant_scope(cast.clinic.tenant.id):
        (decision,) = decide_all([Candidate(number)], Circumstances(tenant=cast.clinic.tenant, purpose=purpose))
        return decision.rule


def imported(cast: Cast, days: int | None, **choices: object) -> tuple[ContactImport, str]:
    """Ann's row, with the day of the agreement if it has one; returns the note about her, too."""
    day = "" if days is None else ago(days).date().isoformat()
    job = load(cast, f"name,phone,opt in,opt-in date\nAnn,{ANN},yes,{day}\n", **choices)
    with tenant_scope(cast.clinic.tenant.id):
        return job, ImportRow.objects.get(contact_import_id=job.id, row_number=2).note


def records(cast: Cast) -> list[ConsentRecord]:
    with tenant_scope(cast.clinic.tenant.id):
        return list(ConsentRecord.objects.filter(number=ANN, act="opt_in").order_by("n"))


@pytest.mark.parametrize(
    ("before", "row", "rule", "note", "acts"),
    [
        (400, 30, GOES, "", 2),
        # A file without a day of its own, with the day of the old agreement or an earlier one, proves nothing new.
        (400, None, ENDED, "consent_ended", 1),
        (400, 400, ENDED, "consent_ended", 1),
        (400, 500, ENDED, "consent_ended", 1),
        # Later, and over as well.
        (800, 400, ENDED, "consent_ended", 1),
        # What has not ended needs no renewal.
        (100, 30, GOES, "", 1),
    ],
)
def test_a_later_documented_agreement_renews(
    cast: Cast, before: int, row: int | None, rule: str, note: str, acts: int
) -> None:
    agreed(cast, before)
    job, said = imported(cast, row)
    assert (rule_of(cast), said, len(records(cast))) == (rule, note, acts)
    if acts == 2:
        old, new = records(cast)
        assert (new.source, new.occurred_at.date(), new.n) == ("web_form", ago(row or 0).date(), old.n + 1)
        assert new.evidence.items() >= {"import": str(job.id), "row": 2, "renews": str(old.id)}.items()
        # The same file once more finds it in force.
        assert imported(cast, row)[1] == ""
        assert len(records(cast)) == 2
    with tenant_scope(cast.clinic.tenant.id):
        seal()
        assert list(problems([signer().public_key])) == []


@pytest.mark.parametrize("story", ["stop", "one purpose", "no in the file", "stop in the file"])
def test_nobody_who_opted_out_is_brought_back(cast: Cast, story: str) -> None:
    agreed(cast, 400)
    answer = {"no in the file": "no", "stop in the file": "unsubscribed"}.get(story, "yes")
    with tenant_scope(cast.clinic.tenant.id):
        if story == "stop":
            opt_out(number=ANN, source="reply", occurred_at=ago(300))
        if story == "one purpose":
            stop_some(number=ANN, purposes=["marketing"], wording="No offers", evidence={})
    load(cast, f"phone,opt in,opt-in date\n{ANN},{answer},{ago(1).date()}\n")
    assert len(records(cast)) == 1
    assert rule_of(cast) != GOES
    with tenant_scope(cast.clinic.tenant.id):
        assert is_suppressed(number=ANN) == ("stop" in story)


def test_without_looking_for_opt_outs_it_would_bring_them_back(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    guarded = renewal._RENEW_OF
    assert "k.act = 'opt_in'" in guarded
    monkeypatch.setattr(renewal, "_RENEW_OF", guarded.replace("k.act = 'opt_in'", "true"))
    agreed(cast, 400)
    with tenant_scope(cast.clinic.tenant.id):
        stop_some(number=ANN, purposes=["marketing"], wording="No offers", evidence={})
        ConsentState.objects.filter(number=ANN).update(since=ago(400))
    imported(cast, 1)
    assert len(records(cast)) == 2


def test_who_came_back_by_start_has_a_newer_agreement_already(cast: Cast) -> None:
    agreed(cast, 100)
    with tenant_scope(cast.clinic.tenant.id):
        opt_out(number=ANN, source="reply")
        opt_back_in(number=ANN, wording="START", evidence={})
    imported(cast, 50)
    assert len(records(cast)) == 2


@pytest.mark.parametrize(("row", "rule", "note"), [(5, GOES, ""), (20, "number_kept_its_owner", "consent_ended")])
def test_a_number_that_changed_hands_needs_the_word_of_its_new_owner(
    cast: Cast, row: int, rule: str, note: str
) -> None:
    agreed(cast, 100)
    with tenant_scope(cast.clinic.tenant.id):
        note_changes([Change(ANN, timezone.now().date(), ago(10))], source=ChangedNumber.Source.LIST)
    assert imported(cast, row)[1] == note
    assert rule_of(cast) == rule


@pytest.mark.parametrize(
    ("known", "basis", "purpose", "acts"),
    [
        # A signed form proves more than what was said or inferred.
        ("verbal", "paper", "marketing", 2),
        ("inquiry", "web_form", "marketing", 2),
        ("existing_customer", "verbal", "reminder", 2),
        ("web_form", "paper", "marketing", 1),
        ("paper", "existing_customer", "reminder", 1),
        ("verbal", "existing_customer", "reminder", 1),
    ],
)
def test_what_the_file_proves_better_is_recorded(cast: Cast, known: str, basis: str, purpose: str, acts: int) -> None:
    agreed(cast, 100, source=known, purpose=purpose)
    imported(cast, 30, basis=basis, purposes=[purpose])
    assert len(records(cast)) == acts


def test_a_fresh_agreement_that_is_too_old_is_said_to_have_ended(cast: Cast) -> None:
    assert imported(cast, 500)[1] == "consent_ended"
    assert rule_of(cast) == ENDED


def test_other_purposes_and_other_businesses_are_left_alone(cast: Cast) -> None:
    agreed(cast, 400)
    agreed(cast, 400, purpose="reminder")
    with tenant_scope(cast.shop.tenant.id):
        set_expiry(purpose="marketing", months=12)
        record_opt_ins([OptIn(ANN, "marketing", "web_form", occurred_at=ago(400))], actor_id=None)
    imported(cast, 30, purposes=["marketing", "reminder"])
    assert [one.purpose for one in records(cast)] == ["marketing", "reminder", "marketing"]
    with tenant_scope(cast.shop.tenant.id):
        assert ConsentRecord.objects.count() == 1


@pytest.mark.parametrize("first_undone", ["renewal", "original"])
def test_undoing_gives_back_what_was_renewed(cast: Cast, first_undone: str) -> None:
    """Two imports: the second renews what the first recorded."""
    old = load(cast, f"phone,opt in,opt-in date\n{ANN},yes,{ago(400).date()}\n")
    new, _ = imported(cast, 30)
    assert rule_of(cast) == GOES
    jobs = [new, old] if first_undone == "renewal" else [old, new]
    undo(cast, jobs[0])
    assert rule_of(cast) == (ENDED if first_undone == "renewal" else GOES)
    with tenant_scope(cast.clinic.tenant.id):
        seal()
        assert list(problems([signer().public_key])) == []
    undo(cast, jobs[1])
    assert rule_of(cast) == "person_agreed"
    with tenant_scope(cast.clinic.tenant.id):
        assert not ConsentState.objects.exists()
        seal()
        assert list(problems([signer().public_key])) == []


def test_what_is_renewed_is_confirmed_like_any_import(cast: Cast) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        set_double_opt_in(doors=["import"], days=7)
    agreed(cast, 400)
    imported(cast, 30)
    assert rule_of(cast) == "opt_in_is_confirmed"
    with tenant_scope(cast.clinic.tenant.id):
        assert PendingOptIn.objects.get().record_id == records(cast)[1].id


def test_the_page_says_whose_agreement_has_ended(client: Client, cast: Cast) -> None:
    agreed(cast, 400)
    job, _ = imported(cast, None)
    sign_in(client, cast.alice, cast.clinic.tenant)
    page = client.get(reverse("import_job", args=[job.id]), {"note": "consent_ended"})
    assert "The agreement has ended, and the file has no later day of one" in text_of(page)
    assert 'Agreement ended <span class="pill-count">1</span>' in text_of(page)
