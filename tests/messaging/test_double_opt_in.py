"""Double opt-in: an agreement to offers counts after a YES to the one text that asks for it; nothing else makes it count."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from common.lanes import MARKETING
from consent import gate
from consent.double_opt_in import Wanted, set_double_opt_in, wanted
from consent.ledger import OptIn, record_opt_ins
from consent.models import ConsentRecord, PendingOptIn
from consent.services import opt_out
from contacts.services import create_contact, erase_contact
from messaging.models import Batch, InboundMessage, Message
from messaging.pipeline.dispatch import run_next_batch
from messaging.pipeline.gate import Candidate, Circumstances, decide_all
from messaging.providers.base import InboundText
from messaging.services import receive
from messaging.tasks import ask_to_confirm
from tenants.models import AuditEntry
from tenants.scope import tenant_scope
from tests.cast import Cast, Company
from tests.contacts.test_import import load
from tests.contacts.test_import_undo import undo
from tests.daylight import Daylight, tonight
from tests.web import sign_in, text_of

ANN, BEN, CLEO = "+12025550101", "+12025550102", "+12025550103"
WAITS, GOES, NOTHING = "opt_in_is_confirmed", "all_rules_passed", "person_agreed"


def want(company: Company, *doors: str, days: int = 7) -> None:
    with tenant_scope(company.tenant.id):
        set_double_opt_in(doors=doors, days=days)


def agree(company: Company, *numbers: str, source: str = "web_form", purpose: str = "marketing") -> None:
    with tenant_scope(company.tenant.id):
        record_opt_ins([OptIn(one, purpose, source) for one in numbers], actor_id=None)


def text(company: Company, body: str, number: str = ANN) -> None:
    with tenant_scope(company.tenant.id):
        name = f"SIM{InboundMessage.objects.count()}"
        receive(company.account, InboundText(name, company.sender.value, number, body))


def rule_of(company: Company, number: str = ANN, purpose: str = "marketing") -> str:
    with tenant_scope(company.tenant.id):
        (decision,) = decide_all([Candidate(number)], Circumstances(tenant=company.tenant, purpose=purpose))
        return decision.rule


def questions(company: Company) -> list[tuple[str, str]]:
    with tenant_scope(company.tenant.id):
        asked = Message.objects.filter(batch__cause_kind="opt_in_request").order_by("number")
        return list(asked.values_list("number", "body"))


def asked(company: Company, *numbers: str) -> None:
    """They agreed on a form, and were asked."""
    want(company, "web_form")
    agree(company, *numbers)
    ask_to_confirm()


@pytest.mark.django_db
def test_no_offers_before_the_yes(cast: Cast) -> None:
    clinic = cast.clinic
    want(clinic, "web_form")
    agree(clinic, ANN)
    agree(clinic, ANN, purpose="reminder")
    agree(clinic, BEN, source="paper")
    assert (rule_of(clinic), rule_of(clinic, BEN), rule_of(clinic, purpose="reminder")) == (WAITS, GOES, GOES)
    ask_to_confirm()
    ask_to_confirm()
    assert questions(clinic) == [
        (
            ANN,
            "Harbor Clinic: Reply YES to get our offers and news by text. Msg frequency varies. Msg & data rates may apply. "
            "Reply HELP for help, STOP to opt out.",
        )
    ]
    assert rule_of(clinic) == WAITS
    text(clinic, "Yes!")
    assert rule_of(clinic) == GOES
    with tenant_scope(clinic.tenant.id):
        first, yes = ConsentRecord.objects.filter(number=ANN, purpose="marketing").order_by("n")
        assert (yes.source, yes.wording, yes.evidence["confirms"]) == ("reply", "Yes!", str(first.id))
        assert Message.objects.get(batch__exemption="opt_in_welcome").body.startswith("Harbor Clinic: Thank you")
    # It is answered once; another YES is a text like any other.
    text(clinic, "Yes!")
    with tenant_scope(clinic.tenant.id):
        assert Message.objects.filter(batch__exemption="opt_in_welcome").count() == 1
        assert InboundMessage.objects.order_by("-received_at").first().intent == "other"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        ("YES", GOES),
        ("yes please", GOES),
        ("si", GOES),
        ("Oui", GOES),
        # START only brings back what there was, and nothing else is a YES.
        ("START", WAITS),
        ("UNSTOP", WAITS),
        ("no", WAITS),
        ("what is this?", WAITS),
        ("yes or no?", WAITS),
    ],
)
@pytest.mark.django_db
def test_what_is_a_yes(cast: Cast, body: str, rule: str) -> None:
    asked(cast.clinic, ANN)
    text(cast.clinic, body)
    assert rule_of(cast.clinic) == rule


@pytest.mark.django_db
def test_a_yes_that_nobody_asked_for_or_too_late_confirms_nothing(cast: Cast) -> None:
    clinic = cast.clinic
    want(clinic, "web_form", days=3)
    agree(clinic, ANN, BEN)
    text(clinic, "YES")
    assert rule_of(clinic) == WAITS
    ask_to_confirm()
    with tenant_scope(clinic.tenant.id):
        PendingOptIn.objects.filter(number=BEN).update(asked_at=timezone.now() - timedelta(days=3, minutes=1))
    for number, rule in ((ANN, GOES), (BEN, WAITS)):
        text(clinic, "YES", number)
        assert rule_of(clinic, number) == rule
    # Of another tenant it was never asked.
    agree(cast.shop, ANN)
    assert rule_of(cast.shop) == GOES


@pytest.mark.django_db
def test_after_a_stop_start_and_yes_bring_back_no_more_than_there_was(cast: Cast) -> None:
    clinic = cast.clinic
    asked(clinic, ANN)
    text(clinic, "STOP")
    text(clinic, "YES")
    # It lifted the opt-out; the agreement is as unconfirmed as it was.
    assert rule_of(clinic) == WAITS
    text(clinic, "YES")
    assert rule_of(clinic) == GOES


@pytest.mark.django_db
def test_who_opted_out_before_the_question_is_not_asked(cast: Cast) -> None:
    clinic = cast.clinic
    want(clinic, "web_form")
    agree(clinic, ANN, BEN)
    with tenant_scope(clinic.tenant.id):
        opt_out(number=ANN, source="staff")
    ask_to_confirm()
    assert [number for number, _ in questions(clinic)] == [BEN]


@pytest.mark.django_db
def test_another_agreement_takes_the_place_of_the_one_that_waits(cast: Cast) -> None:
    clinic = cast.clinic
    asked(clinic, ANN, BEN)
    agree(clinic, ANN, source="paper")
    assert rule_of(clinic) == GOES
    # On the form again: asked again.
    agree(clinic, BEN)
    ask_to_confirm()
    assert [number for number, _ in questions(clinic)] == [ANN, BEN, BEN]


@pytest.mark.django_db(transaction=True)
def test_the_question_goes_and_keeps_the_hours(committed_cast: Cast, network: str, daylight: Daylight) -> None:
    clinic = committed_cast.clinic
    daylight.become(tonight())
    asked(clinic, ANN)
    assert run_next_batch(MARKETING)
    with tenant_scope(clinic.tenant.id):
        assert Message.objects.get().status == "deferred"
    daylight.become(tonight(14))
    with tenant_scope(clinic.tenant.id):
        Batch.objects.filter(state="queued").update(not_before=timezone.now())
    while run_next_batch(MARKETING):
        pass
    with tenant_scope(clinic.tenant.id):
        assert Message.objects.get().status == "accepted"


@pytest.mark.django_db
def test_without_the_rule_offers_go_at_once(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "RULES", tuple(rule for rule in gate.RULES if rule is not gate.opt_in_is_confirmed))
    want(cast.clinic, "web_form")
    agree(cast.clinic, ANN)
    assert rule_of(cast.clinic) == GOES


@pytest.mark.django_db(transaction=True)
def test_people_of_a_file_are_asked_and_an_undone_import_leaves_nothing(committed_cast: Cast) -> None:
    cast, clinic = committed_cast, committed_cast.clinic
    agree(clinic, CLEO, source="paper")
    want(clinic, "import")
    job = load(cast, f"name,phone\nAnn,{ANN}\nBen,{BEN}\nCleo,{CLEO}\n", purposes=["marketing", "reminder"])
    assert [rule_of(clinic, one) for one in (ANN, BEN, CLEO)] == [WAITS, WAITS, GOES]
    assert rule_of(clinic, purpose="reminder") == GOES
    with tenant_scope(clinic.tenant.id):
        assert PendingOptIn.objects.count() == 2
    undo(cast, job)
    with tenant_scope(clinic.tenant.id):
        assert not PendingOptIn.objects.exists()
    agree(clinic, ANN)
    assert rule_of(clinic) == GOES


@pytest.mark.django_db
def test_the_setting_is_shown_and_changed(client: Client, cast: Cast) -> None:
    clinic = cast.clinic
    sign_in(client, cast.mona, clinic.tenant)
    address = reverse("double_opt_in")
    assert "Reply YES" in text_of(client.get(address))
    assert client.post(address, {"doors": ["import", "web_form"], "days": "14"})["Location"] == reverse("compliance")
    assert "An imported file, A web form" in text_of(client.get(reverse("compliance")))
    with tenant_scope(clinic.tenant.id):
        assert wanted() == Wanted(frozenset({"import", "web_form"}), 14)
        assert AuditEntry.objects.get(action="consent.double_opt_in_changed").after["days"] == 14
    for bad in ({"doors": ["fax"], "days": "7"}, {"days": "0"}, {"days": "91"}, {"days": ""}):
        assert client.post(address, bad).status_code == 422
    assert client.post(address, {"days": "7"}).status_code == 302
    with tenant_scope(clinic.tenant.id):
        assert wanted().doors == frozenset()
    sign_in(client, cast.bob, clinic.tenant)
    assert client.post(address, {"days": "7"}).status_code == 403


@pytest.mark.django_db
def test_an_erased_person_waits_for_nothing(cast: Cast) -> None:
    clinic = cast.clinic
    with tenant_scope(clinic.tenant.id):
        ann = create_contact(tenant=clinic.tenant, number=ANN, values={})
    asked(clinic, ANN)
    with tenant_scope(clinic.tenant.id):
        erase_contact(contact=ann, typed="ERASE")
        assert not PendingOptIn.objects.exists()
