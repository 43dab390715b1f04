"""What a STOP ends: everything, unless the business chose to ask once, or to let one that answers an offer end offers."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from common.lanes import CONVERSATION, MARKETING
from consent.ledger import OptIn, record_opt_ins
from consent.models import ConsentRecord, ConsentState, EndedPurpose, OptOutQuestion, Suppression
from consent.opt_out_scope import Chosen, set_rules
from consent.preferences import stop_some
from consent.purpose_rules import Rules
from consent.purpose_rules import set_rules as set_purpose_rules
from consent.services import is_suppressed
from consent.validity import set_expiry
from contacts.services import create_contact
from messaging.models import Batch, Message
from messaging.pipeline.dispatch import run_next_batch
from messaging.pipeline.enqueue import Cause, Draft, enqueue
from messaging.pipeline.gate import Candidate, Circumstances, decide_all
from messaging.providers.base import InboundText
from messaging.services import meaning, receive
from messaging.tasks import withdraw_texts
from tenants.models import AuditEntry
from tenants.scope import tenant_scope
from tests.cast import Cast, Company
from tests.web import sign_in, text_of

pytestmark = pytest.mark.django_db(transaction=True)

ANN, BEN = "+12025550101", "+12025550102"
PURPOSES = ("marketing", "transactional", "reminder")


def agreed(company: Company, *purposes: str, number: str = ANN) -> None:
    with tenant_scope(company.tenant.id):
        record_opt_ins([OptIn(number, one, "web_form") for one in purposes], actor_id=None)


def choose(company: Company, **chosen: Any) -> None:
    with tenant_scope(company.tenant.id):
        set_rules(rules=Chosen(**chosen))


def say(company: Company, body: str, *, answered: bool = False, turn: int = 0, number: str = ANN) -> str:
    """The person writes; what was answered by itself, or nothing."""
    with tenant_scope(company.tenant.id):
        before = set(Message.objects.values_list("id", flat=True))
        sid = f"SIM-{turn}-{body}-{Message.objects.count()}-{ConsentRecord.objects.count()}"
        receive(company.account, InboundText(sid, company.sender.value, number, body, already_answered=answered))
        answers = Message.objects.exclude(id__in=before).values_list("body", flat=True)
        return " ".join(answers)


def ask(company: Company, stop: str = "STOP", *, answered: bool = False, turn: int = 0) -> str:
    """The person opts out, and the confirmation reaches them."""
    asked = say(company, stop, answered=answered, turn=turn)
    while run_next_batch(CONVERSATION):
        pass
    return asked


def may_get(company: Company, number: str = ANN) -> set[str]:
    with tenant_scope(company.tenant.id):
        return {
            one
            for one in PURPOSES
            if decide_all([Candidate(number)], Circumstances(tenant=company.tenant, purpose=one))[0].outcome != "block"
        }


def test_usually_everything_ends_and_nothing_is_asked(cast: Cast) -> None:
    agreed(cast.clinic, *PURPOSES)
    assert "Reply 1" not in say(cast.clinic, "STOP")
    assert say(cast.clinic, "1") == ""
    assert may_get(cast.clinic) == set()
    with tenant_scope(cast.clinic.tenant.id):
        assert not OptOutQuestion.objects.exists()


@pytest.mark.parametrize(
    ("stop", "question"), [("STOP", "Reply 1 to keep appointment reminders only."), ("ARRET", "Répondez 1")]
)
@pytest.mark.parametrize("answer", ["1", " 1 ", "1.", "１", "1\r\n"])
def test_one_kind_is_kept_by_who_wants_it(
    committed_cast: Cast, network: str, answer: str, stop: str, question: str
) -> None:
    cast = committed_cast
    agreed(cast.clinic, *PURPOSES)
    choose(cast.clinic, keep="reminder")
    assert question in ask(cast.clinic, stop)
    assert may_get(cast.clinic) == set(), "silence ends everything"
    kept = say(cast.clinic, answer)
    assert "appointment reminders and nothing else" in kept or "rappels de rendez-vous et rien d'autre" in kept
    assert may_get(cast.clinic) == {"reminder"}
    with tenant_scope(cast.clinic.tenant.id):
        record = ConsentRecord.objects.order_by("-id")[0]
        assert (record.act, record.purpose, record.source, record.wording) == ("opt_in", "reminder", "reply", answer)
        assert {"renews", "opt_out", "inbound"} <= record.evidence.keys()
    # It was asked once, and a second answer to it says nothing.
    assert say(cast.clinic, "1", turn=2) == ""
    assert "opted out" in say(cast.clinic, "STOP", turn=2)
    assert may_get(cast.clinic) == set()


@pytest.mark.parametrize(
    "story",
    [
        "never agreed",
        "took it back",
        "had ended",
        "too late",
        "second stop",
        "another answer",
        "came back",
        "provider answered",
        "question never went",
        "question was late",
    ],
)
def test_when_nothing_is_kept(committed_cast: Cast, network: str, story: str) -> None:
    clinic = committed_cast.clinic
    agreed(clinic, "marketing") if story == "never agreed" else agreed(clinic, *PURPOSES)
    if story == "had ended":
        with tenant_scope(clinic.tenant.id):
            set_expiry(purpose="reminder", months=3)
            then = timezone.now() - timedelta(days=100)
            record_opt_ins([OptIn(ANN, "reminder", "web_form", occurred_at=then)], actor_id=None)
    choose(clinic, keep="reminder")
    if story == "took it back":
        with tenant_scope(clinic.tenant.id):
            stop_some(number=ANN, purposes=["reminder"], wording="No reminders", evidence={})
    asked = say(clinic, "STOP", answered=story == "provider answered")
    unasked = {"never agreed", "took it back", "had ended", "provider answered"}
    assert ("Reply 1" in asked) == (story not in unasked)
    if story == "question was late":
        with tenant_scope(clinic.tenant.id):
            Batch.objects.update(created_at=timezone.now() - timedelta(minutes=5, seconds=1))
    if story != "question never went":
        run_next_batch(CONVERSATION)
    if story == "too late":
        with tenant_scope(clinic.tenant.id):
            OptOutQuestion.objects.update(asked_at=timezone.now() - timedelta(hours=24, minutes=1))
    if story == "second stop":
        say(clinic, "STOP", turn=2)
    if story == "came back":
        say(clinic, "START")
        assert may_get(clinic) == set(PURPOSES)
    assert say(clinic, "2" if story == "another answer" else "1", turn=3) == ""
    assert may_get(clinic) == (set(PURPOSES) if story == "came back" else set())


def test_an_answer_to_another_business_is_none(committed_cast: Cast, network: str) -> None:
    cast = committed_cast
    for company in (cast.clinic, cast.shop):
        agreed(company, *PURPOSES)
        choose(company, keep="reminder")
    ask(cast.clinic)
    assert say(cast.shop, "1") == ""
    assert (may_get(cast.clinic), may_get(cast.shop)) == (set(), set(PURPOSES))


def test_without_looking_whether_the_question_went_any_1_would_count(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(meaning, "MAY_HAVE_REACHED", frozenset(Message.Status))
    agreed(cast.clinic, *PURPOSES)
    choose(cast.clinic, keep="reminder")
    say(cast.clinic, "STOP")
    say(cast.clinic, "1")
    assert may_get(cast.clinic) == {"reminder"}


def test_what_is_kept_is_in_writing_only_if_it_was(committed_cast: Cast, network: str) -> None:
    clinic = committed_cast.clinic
    with tenant_scope(clinic.tenant.id):
        record_opt_ins([OptIn(ANN, "reminder", "verbal")], actor_id=None)
        set_purpose_rules(purpose="reminder", rules=Rules(agreement="written"))
    choose(clinic, keep="reminder")
    ask(clinic)
    say(clinic, "1")
    with tenant_scope(clinic.tenant.id):
        newest = ConsentRecord.objects.order_by("-id")[0]
        assert (newest.act, newest.source) == ("opt_in", "came_back")
    assert may_get(clinic) == set()


def test_a_late_confirmation_does_not_go(committed_cast: Cast, network: str) -> None:
    clinic = committed_cast.clinic
    agreed(clinic, "marketing")
    say(clinic, "STOP")
    with tenant_scope(clinic.tenant.id):
        Batch.objects.update(created_at=timezone.now() - timedelta(minutes=5, seconds=1))
    run_next_batch(CONVERSATION)
    with tenant_scope(clinic.tenant.id):
        confirmation = Message.objects.get()
        assert (confirmation.status, confirmation.decision["rule"]) == ("blocked", "confirmation_is_in_time")


def test_the_provider_may_keep_a_confirmation_for_the_rest_of_five_minutes(committed_cast: Cast, network: str) -> None:
    clinic = committed_cast.clinic
    say(clinic, "STOP")
    run_next_batch(CONVERSATION)
    with tenant_scope(clinic.tenant.id):
        confirmation = Message.objects.select_related("batch").get()
        assert confirmation.status == "accepted"
        assert confirmation.decision["until"] == (confirmation.batch.created_at + timedelta(minutes=5)).isoformat()


def offer_then(company: Company, *words: str, purpose: str = "marketing") -> None:
    """They got a text of that purpose, and answer it."""
    with tenant_scope(company.tenant.id):
        enqueue([Draft(ANN, "Sale")], Cause("campaign", MARKETING, purpose))
    run_next_batch(MARKETING)
    for turn, word in enumerate(words):
        say(company, word, turn=turn)


@pytest.mark.parametrize(
    ("purpose", "words", "alone", "from_day", "left"),
    [
        ("marketing", ["STOP"], True, date(2099, 1, 1), {"transactional", "reminder"}),
        ("marketing", ["STOP", "STOP"], True, date(2099, 1, 1), set()),
        ("marketing", ["STOPALL"], True, date(2099, 1, 1), set()),
        ("marketing", ["please take me off your list"], True, date(2099, 1, 1), set()),
        ("transactional", ["STOP"], True, date(2099, 1, 1), set()),
        # By the law of that day, whatever was chosen.
        ("marketing", ["STOP"], True, date(2020, 1, 1), set()),
        ("marketing", ["STOP"], False, date(2099, 1, 1), set()),
    ],
)
def test_a_stop_to_an_offer(
    committed_cast: Cast,
    network: str,
    settings: Any,
    purpose: str,
    words: list[str],
    alone: bool,
    from_day: date,
    left: set[str],
) -> None:
    settings.REVOKE_ALL_FROM = from_day
    agreed(committed_cast.clinic, *PURPOSES)
    choose(committed_cast.clinic, offers_alone=alone)
    offer_then(committed_cast.clinic, *words, purpose=purpose)
    assert may_get(committed_cast.clinic) == left


def test_what_waits_of_that_kind_ends_and_nothing_else(cast: Cast) -> None:
    agreed(cast.clinic, *PURPOSES)
    agreed(cast.clinic, "marketing", number=BEN)
    with tenant_scope(cast.clinic.tenant.id):
        for purpose in PURPOSES:
            enqueue([Draft(ANN, purpose)], Cause("campaign", MARKETING, purpose))
        enqueue([Draft(BEN, "marketing")], Cause("campaign", MARKETING, "marketing"))
        enqueue([Draft(ANN, "Help")], Cause("auto_reply", CONVERSATION, "marketing", exemption="help_reply"))
        Message.objects.filter(body="marketing", number=ANN).update(created_at=timezone.now() - timedelta(seconds=5))
        stop_some(number=ANN, purposes=["marketing"], wording="No offers", evidence={})
    withdraw_texts()
    with tenant_scope(cast.clinic.tenant.id):
        found = {(one.number, one.body): one for one in Message.objects.all()}
        assert {key for key, one in found.items() if one.status == "blocked"} == {(ANN, "marketing")}
        ended = found[ANN, "marketing"].decision
        record = ConsentState.objects.get(number=ANN, purpose="marketing").record_id
        assert (ended["rule"], ended["data"]) == ("person_agreed", {"consent": "opt_out", "record": str(record)})
        assert not EndedPurpose.objects.exists()


def test_staff_end_one_kind(client: Client, cast: Cast) -> None:
    clinic = cast.clinic
    agreed(clinic, *PURPOSES)
    with tenant_scope(clinic.tenant.id):
        ann = create_contact(tenant=clinic.tenant, number=ANN, values={})
        for purpose in PURPOSES:
            enqueue([Draft(ANN, purpose)], Cause("campaign", MARKETING, purpose))
        Message.objects.update(created_at=timezone.now() - timedelta(seconds=5))
    sign_in(client, cast.bob, clinic.tenant)
    page = reverse("contact", args=[ann.id])
    assert "No more reminders" in text_of(client.get(page))
    address = reverse("contact_opt_out", args=[ann.id])
    answer = client.post(f"{address}?number=%2B12025550101", {"purpose": "reminder"}, follow=True)
    assert "This number gets no more of: Reminders." in text_of(answer)
    assert may_get(clinic) == {"marketing", "transactional"}
    withdraw_texts()
    with tenant_scope(clinic.tenant.id):
        assert [one.body for one in Message.objects.filter(status="blocked")] == ["reminder"]
        record = ConsentRecord.objects.order_by("-id")[0]
        assert (record.act, record.purpose, record.source, record.actor_id) == (
            "opt_out",
            "reminder",
            "staff",
            cast.bob.id,
        )
        entry = AuditEntry.objects.get(action="consent.purpose_ended")
        assert entry.after == {"source": "staff", "purposes": ["reminder"]}
    # Once more, a kind that there is not, somebody else's number.
    for purpose in ("reminder", "support", "all", "\x00"):
        assert "No agreement to this kind of text is in force" in text_of(
            client.post(address, {"purpose": purpose}, follow=True)
        )
    assert client.post(f"{address}?number=%2B12025550102", {"purpose": "marketing"}).status_code == 404
    sign_in(client, cast.vera, clinic.tenant)
    assert client.post(address, {"purpose": "marketing"}).status_code == 403
    assert may_get(clinic) == {"marketing", "transactional"}


def test_a_list_is_opted_out(client: Client, cast: Cast) -> None:
    clinic = cast.clinic
    agreed(clinic, *PURPOSES)
    with tenant_scope(clinic.tenant.id):
        enqueue([Draft(ANN, "Sale")], Cause("campaign", MARKETING, "marketing"))
    sign_in(client, cast.mona, clinic.tenant)
    address = reverse("opt_out_numbers")
    assert client.get(address).status_code == 200
    lines = f"Phone\n{ANN},Ann\n(202) 555-0102\n{ANN}\nnobody\n+1202"
    page = client.post(address, {"lines": lines, "note": "unsubscribed by e-mail"}, follow=True)
    shown = text_of(page)
    assert "2 numbers get no more texts from now on." in shown
    assert "2 lines could not be read" in shown
    assert "Line 5, “nobody”" in shown
    withdraw_texts()
    with tenant_scope(clinic.tenant.id):
        assert is_suppressed(number=BEN), "nobody's contact yet"
        assert Message.objects.get().status == "blocked"
        record = ConsentRecord.objects.filter(number=BEN).get()
        assert record.evidence == {"recorded_on": "list", "list": "unsubscribed by e-mail"}
        assert record.actor_id == cast.mona.id
        create_contact(tenant=clinic.tenant, number=BEN, values={})
        assert is_suppressed(number=BEN)
        entry = AuditEntry.objects.get(action="consent.list_opted_out")
        assert entry.after["opted_out"] == 2
    again = client.post(address, {"lines": f"{ANN}\n{BEN}", "note": "again"}, follow=True)
    assert "0 numbers get no more texts from now on. 2 had opted out before." in text_of(again)
    with tenant_scope(clinic.tenant.id):
        assert Suppression.objects.count() == 2
    with tenant_scope(cast.shop.tenant.id):
        assert not is_suppressed(number=ANN)


@pytest.mark.parametrize(
    "posted",
    [
        {"lines": "", "note": "by e-mail"},
        {"lines": ANN, "note": ""},
        {"lines": "nobody", "note": "by e-mail"},
        {"lines": f"{ANN}\n" * 10_001, "note": "by e-mail"},
        {"file": SimpleUploadedFile("x.csv", b"\xff\xfe\x00"), "note": "by e-mail"},
    ],
)
def test_what_is_no_list_is_refused(client: Client, cast: Cast, posted: dict[str, Any]) -> None:
    sign_in(client, cast.alice, cast.clinic.tenant)
    assert client.post(reverse("opt_out_numbers"), posted).status_code == 422
    with tenant_scope(cast.clinic.tenant.id):
        assert not Suppression.objects.exists()


def test_rules_are_shown_and_changed(client: Client, cast: Cast) -> None:
    sign_in(client, cast.mona, cast.clinic.tenant)
    address = reverse("opt_out_rules")
    assert client.post(address, {"keep": "reminder", "offers_alone": "on"})["Location"] == reverse("compliance")
    page = text_of(client.get(address))
    assert "Reply 1 to keep appointment reminders only." in page
    assert "January 31, 2027" in page
    assert "silence ends everything" in text_of(client.get(reverse("compliance")))
    assert client.post(address, {"keep": "marketing"}).status_code == 422
    sign_in(client, cast.bob, cast.clinic.tenant)
    assert client.post(address, {"keep": ""}).status_code == 403
    assert client.post(reverse("opt_out_numbers"), {"lines": ANN, "note": "xyz"}).status_code == 403
