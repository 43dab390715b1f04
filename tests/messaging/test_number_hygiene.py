"""Numbers that cannot get texts are marked by what providers say, kept back before anybody pays, and let go again."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from common.lanes import MARKETING
from common.planner import refresh_statistics
from consent import gate
from consent.changed_numbers import Change, note_changes
from consent.double_opt_in import set_double_opt_in
from consent.ledger import OptIn, record_opt_ins
from consent.models import ChangedNumber, NumberMark, PendingOptIn
from consent.number_marks import Failure, mark_numbers, spared
from consent.services import opt_back_in, opt_out
from contacts.services import create_contact, erase_contact
from messaging.explanation import explain
from messaging.models import Attempt, InboundMessage, Message
from messaging.pipeline.dispatch import run_next_batch
from messaging.pipeline.enqueue import Cause, Draft, enqueue
from messaging.pipeline.gate import Candidate, Circumstances, decide_all
from messaging.pipeline.receipt import apply_pending, store
from messaging.providers.base import InboundText, StatusUpdate
from messaging.reasons import reason_of
from messaging.services import note_changed_numbers, receive
from tenants.models import AuditEntry
from tenants.scope import tenant_scope
from tests.cast import Cast, Company
from tests.web import sign_in, text_of

ANN, BEN = "+12025550101", "+12025550102"
INVALID = "+12025550193"
"""The simulated network refuses it with 21211."""


def agree(company: Company, *numbers: str, purpose: str = "marketing") -> None:
    with tenant_scope(company.tenant.id):
        record_opt_ins([OptIn(one, purpose, "web_form") for one in numbers], actor_id=None)


def queue(company: Company, *numbers: str) -> list[Any]:
    with tenant_scope(company.tenant.id):
        return enqueue([Draft(one, "Hello") for one in numbers], Cause("campaign", MARKETING, "marketing"))[1]


def undelivered(
    company: Company, code: str, *, hours_ago: float = 1, number: str = ANN, word: str = "undelivered"
) -> None:
    """A text that was handed over some time ago, and the receipt that tells what became of it."""
    (message_id,) = queue(company, number)
    with tenant_scope(company.tenant.id):
        attempt = Attempt.objects.create(
            message_id=message_id,
            state="accepted",
            provider_account=company.account,
            provider_message_id=f"SIM{message_id.hex}",
            deadline=timezone.now(),
            created_at=timezone.now() - timedelta(hours=hours_ago),
        )
        Message.objects.filter(id=message_id).update(status="accepted")
        store(company.account, attempt.id, StatusUpdate(attempt.provider_message_id, word, word, code))
    apply_pending()


def in_force(company: Company) -> list[tuple[str, str, str]]:
    with tenant_scope(company.tenant.id):
        marks = NumberMark.objects.filter(cleared_at=None, holds_since__isnull=False)
        return list(marks.values_list("number", "kind", "code"))


def decided(company: Company, number: str = ANN, purpose: str = "marketing") -> str:
    with tenant_scope(company.tenant.id):
        (decision,) = decide_all([Candidate(number)], Circumstances(tenant=company.tenant, purpose=purpose))
        return decision.rule


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("21211", "invalid"),
        ("21614", "no_texts"),
        ("30006", "no_texts"),
        ("30004", "blocked"),
        ("40001", "no_texts"),
        ("40310", "invalid"),
        # Once is not enough, or it is about something else.
        ("30005", ""),
        ("40012", ""),
        ("30003", ""),
        ("30007", ""),
        ("", ""),
    ],
)
@pytest.mark.django_db
def test_what_a_receipt_says_of_a_number(cast: Cast, code: str, kind: str) -> None:
    agree(cast.clinic, ANN)
    undelivered(cast.clinic, code)
    assert in_force(cast.clinic) == ([(ANN, kind, code)] if kind else [])
    assert decided(cast.clinic) == ("number_is_reachable" if kind else "all_rules_passed")
    # Others are asked for themselves: another number, another tenant.
    agree(cast.clinic, BEN)
    agree(cast.shop, ANN)
    assert decided(cast.clinic, BEN) == decided(cast.shop) == "all_rules_passed"


@pytest.mark.django_db(transaction=True)
def test_a_number_that_was_refused_costs_nothing_more(committed_cast: Cast, network: str) -> None:
    clinic = committed_cast.clinic
    agree(clinic, INVALID)
    queue(clinic, INVALID)
    assert run_next_batch(MARKETING)
    assert in_force(clinic) == [(INVALID, "invalid", "21211")]
    queue(clinic, INVALID)
    assert run_next_batch(MARKETING)
    with tenant_scope(clinic.tenant.id):
        assert Attempt.objects.count() == 1
        message = Message.objects.get(status="blocked")
        first = Message.objects.get(status="failed")
        data = message.decision["data"]
        assert (data["why"], data["error_code"], data["message"]) == ("invalid", "21211", str(first.id))
        assert reason_of(message) == "This number cannot get texts: there is no such number"
        assert spared() == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_without_the_rule_it_is_paid_for_again(
    committed_cast: Cast, network: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What keeps it back is the rule, and nothing else."""
    monkeypatch.setattr(gate, "RULES", tuple(rule for rule in gate.RULES if rule is not gate.number_is_reachable))
    agree(committed_cast.clinic, INVALID)
    for _ in range(2):
        queue(committed_cast.clinic, INVALID)
        assert run_next_batch(MARKETING)
    with tenant_scope(committed_cast.clinic.tenant.id):
        assert Attempt.objects.count() == 2


@pytest.mark.parametrize(("apart", "marked"), [(2, False), (23, False), (25, True)])
@pytest.mark.django_db
def test_out_of_service_needs_to_be_said_again_a_day_later(cast: Cast, apart: float, marked: bool) -> None:
    agree(cast.clinic, ANN)
    undelivered(cast.clinic, "30005", hours_ago=apart + 1)
    undelivered(cast.clinic, "30005", hours_ago=1)
    assert in_force(cast.clinic) == ([(ANN, "gone", "30005")] if marked else [])
    with tenant_scope(cast.clinic.tenant.id):
        # Such a number goes to somebody else: consent from before does not come back with it.
        assert ChangedNumber.objects.filter(number=ANN).exists() is marked


@pytest.mark.django_db
def test_a_text_that_arrives_in_between_starts_the_count_again(cast: Cast) -> None:
    agree(cast.clinic, ANN)
    undelivered(cast.clinic, "30005", hours_ago=50)
    undelivered(cast.clinic, "", hours_ago=30, word="delivered")
    undelivered(cast.clinic, "30005", hours_ago=1)
    assert in_force(cast.clinic) == []


@pytest.mark.django_db
def test_a_text_from_the_person_lets_texts_go_again(cast: Cast) -> None:
    clinic = cast.clinic
    agree(clinic, ANN)
    undelivered(clinic, "30006")
    with tenant_scope(clinic.tenant.id):
        receive(clinic.account, InboundText("SIMin", clinic.sender.value, ANN, "I am here"))
        assert NumberMark.objects.get().cleared_by == "wrote"
    assert decided(clinic) == "all_rules_passed"


@pytest.mark.django_db
def test_news_from_before_it_was_tried_again_is_old_news(client: Client, cast: Cast) -> None:
    clinic = cast.clinic
    agree(clinic, ANN)
    undelivered(clinic, "30006", hours_ago=2)
    with tenant_scope(clinic.tenant.id):
        mark = NumberMark.objects.get()
    sign_in(client, cast.bob, clinic.tenant)
    client.post(reverse("number_again", args=[mark.id]))
    undelivered(clinic, "30006", hours_ago=1)
    assert in_force(clinic) == []
    undelivered(clinic, "30006", hours_ago=-0.01)
    assert in_force(clinic) == [(ANN, "no_texts", "30006")]


@pytest.mark.django_db
def test_the_person_s_page_says_so_and_lets_staff_try_again(client: Client, cast: Cast) -> None:
    clinic = cast.clinic
    with tenant_scope(clinic.tenant.id):
        ann = create_contact(tenant=clinic.tenant, number=ANN, values={"first_name": "Ann"})
    agree(clinic, ANN)
    undelivered(clinic, "30006")
    with tenant_scope(clinic.tenant.id):
        mark = NumberMark.objects.get()
        found = explain(tenant=clinic.tenant, number=ANN, purpose="marketing")
        assert [(one.tone, one.text) for one in found.findings if one.subject == "Number"] == [
            ("bad", "This number cannot get texts: it is a landline, or gets no texts, since")
        ]
    sign_in(client, cast.vera, clinic.tenant)
    page = text_of(client.get(reverse("contact", args=[ann.id])))
    assert "This number cannot get texts" in page
    assert "Try again" not in page
    assert client.post(reverse("number_again", args=[mark.id])).status_code == 403
    sign_in(client, cast.bob, clinic.tenant)
    assert "Try again" in text_of(client.get(reverse("contact", args=[ann.id])))
    answer = client.post(reverse("number_again", args=[mark.id]), {"contact": str(ann.id)})
    assert answer["Location"] == reverse("contact", args=[ann.id])
    assert "Try again" not in text_of(client.get(answer["Location"]))
    with tenant_scope(clinic.tenant.id):
        entry = AuditEntry.objects.get(action="number.tried_again")
        assert (entry.before["why"], entry.target_id) == ("no_texts", ann.id)
        mark.refresh_from_db()
        assert mark.cleared_by == "staff"
    sign_in(client, cast.charlie, cast.shop.tenant)
    assert client.post(reverse("number_again", args=[mark.id])).status_code == 404


@pytest.mark.django_db
def test_what_was_saved_is_shown(client: Client, cast: Cast) -> None:
    clinic = cast.clinic
    with tenant_scope(clinic.tenant.id):
        mark_numbers([Failure(ANN, "invalid", "21211", queue(clinic, BEN)[0], timezone.now())])
        refused = {"outcome": "block", "rule": "number_is_reachable"}
        for body in ("Hello", "x" * 200):
            enqueue([Draft(ANN, body, blocked=True, decision=refused)], Cause("campaign", MARKETING, "marketing"))
    sign_in(client, cast.mona, clinic.tenant)
    page = text_of(client.get(reverse("unreachable")))
    assert "2 texts" in page
    assert "Say what a part costs you" in page
    answer = client.post(reverse("part_price"), {"price": "0.5", "currency": "USD"})
    assert answer["Location"] == reverse("unreachable")
    assert "USD 1.50" in text_of(client.get(reverse("unreachable")))
    for bad in ({"price": "0", "currency": "USD"}, {"price": "many", "currency": "USD"}, {"price": "1"}):
        assert client.post(reverse("part_price"), bad).status_code == 422
    sign_in(client, cast.bob, clinic.tenant)
    assert client.post(reverse("part_price"), {"price": "1", "currency": "USD"}).status_code == 403
    assert client.get(reverse("unreachable")).status_code == 200


def change(cast: Cast, number: str, days_ago: int) -> int:
    tenant = cast.clinic.tenant
    day = timezone.now().astimezone(tenant.zone).date() - timedelta(days=days_ago)
    with tenant_scope(tenant.id):
        return note_changed_numbers(tenant=tenant, changes=[(number, day)])


@pytest.mark.django_db
def test_consent_from_before_a_number_changed_hands_counts_no_more(cast: Cast) -> None:
    clinic = cast.clinic
    with tenant_scope(clinic.tenant.id):
        long_ago = timezone.now() - timedelta(days=100)
        record_opt_ins(
            [OptIn(ANN, one, "web_form", occurred_at=long_ago) for one in ("marketing", "reminder", "support")],
            actor_id=None,
        )
    assert change(cast, ANN, 101) == 1
    assert decided(clinic) == "all_rules_passed"
    assert change(cast, ANN, 5) == 1
    # What is known already, or older, is no news.
    assert (change(cast, ANN, 5), change(cast, ANN, 50)) == (0, 0)
    for purpose in ("marketing", "reminder", "support"):
        assert decided(clinic, purpose=purpose) == "number_kept_its_owner"
    assert decided(clinic, purpose="verification") == "all_rules_passed"
    agree(clinic, ANN)
    assert decided(clinic) == "all_rules_passed"
    assert decided(clinic, purpose="reminder") == "number_kept_its_owner"


@pytest.mark.django_db
def test_without_the_rule_the_stranger_is_texted(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "RULES", tuple(rule for rule in gate.RULES if rule is not gate.number_kept_its_owner))
    agree(cast.clinic, ANN)
    with tenant_scope(cast.clinic.tenant.id):
        tomorrow = timezone.now().astimezone(cast.clinic.tenant.zone).date() + timedelta(days=1)
        note_changed_numbers(tenant=cast.clinic.tenant, changes=[(ANN, tomorrow)])
    assert decided(cast.clinic) == "all_rules_passed"


@pytest.mark.django_db
def test_only_what_the_present_owner_wrote_opens_a_conversation(cast: Cast) -> None:
    clinic = cast.clinic
    agree(clinic, ANN, purpose="reminder")
    with tenant_scope(clinic.tenant.id):
        receive(clinic.account, InboundText("SIM1", clinic.sender.value, ANN, "Hello"))
        InboundMessage.objects.update(received_at=timezone.now() - timedelta(days=50))
    assert decided(clinic, purpose="support") == "all_rules_passed"
    change(cast, ANN, 10)
    assert decided(clinic, purpose="support") == "person_agreed"
    with tenant_scope(clinic.tenant.id):
        receive(clinic.account, InboundText("SIM2", clinic.sender.value, ANN, "Who is this?"))
    assert decided(clinic, purpose="support") == "all_rules_passed"


@pytest.mark.parametrize("changed", [True, False])
@pytest.mark.django_db
def test_start_of_a_new_owner_revives_nothing(cast: Cast, changed: bool) -> None:
    clinic = cast.clinic
    with tenant_scope(clinic.tenant.id):
        long_ago = timezone.now() - timedelta(days=100)
        record_opt_ins([OptIn(ANN, "marketing", "web_form", occurred_at=long_ago)], actor_id=None)
    if changed:
        change(cast, ANN, 10)
    with tenant_scope(clinic.tenant.id):
        opt_out(number=ANN, source="reply")
        assert opt_back_in(number=ANN, wording="START", evidence={})
    assert decided(clinic) == ("person_agreed" if changed else "all_rules_passed")


@pytest.mark.django_db
def test_a_list_is_read_line_by_line(client: Client, cast: Cast) -> None:
    clinic = cast.clinic
    with tenant_scope(clinic.tenant.id):
        long_ago = timezone.now() - timedelta(days=3000)
        record_opt_ins([OptIn(one, "marketing", "web_form", occurred_at=long_ago) for one in (ANN, BEN)], actor_id=None)
    sign_in(client, cast.mona, clinic.tenant)
    address = reverse("changed_numbers")
    assert client.get(address).status_code == 200
    lines = f"Number,Date\n{ANN},2026-03-31\n(202) 555-0102; 4/1/2026\n+12025550109\n12,2026-03-31\n{ANN},someday\n{ANN},2999-01-01"
    answer = client.post(address, {"lines": lines})
    page = text_of(answer)
    assert answer.status_code == 200
    assert "Consent from before its day counts no more for 2 numbers." in page
    assert "3 lines could not be read" in page
    assert "“someday” is no day" in page
    assert "This day is still to come." in page
    with tenant_scope(clinic.tenant.id):
        known = {row.number: row.day.isoformat() for row in ChangedNumber.objects.all()}
        # Of a number without consent nothing is kept.
        assert known == {ANN: "2026-03-31", BEN: "2026-04-01"}
        assert AuditEntry.objects.get(action="number.list_noted").after == {
            "numbers_in_the_list": 3,
            "consent_ended": 2,
        }
    assert client.post(address, {"lines": f"{ANN},2026-03-31"})["Location"] == address


@pytest.mark.parametrize(
    ("posted", "problem"),
    [
        ({"lines": " "}, "Paste some numbers"),
        ({"lines": "hello 1"}, "This is not a phone number"),
        ({"lines": ANN, "day": "2999-01-01"}, "This day is still to come."),
        ({"lines": ANN, "day": "x"}, "Enter a valid date"),
        ({"lines": "1\n" * 50_001}, "At most 50,000 lines"),
        ({"lines": f"{ANN},2026-03-31,more"}, "Write a number, a comma and a day"),
    ],
)
@pytest.mark.django_db
def test_what_is_no_list_is_refused(client: Client, cast: Cast, posted: dict[str, str], problem: str) -> None:
    sign_in(client, cast.mona, cast.clinic.tenant)
    answer = client.post(reverse("changed_numbers"), posted)
    assert answer.status_code == 422
    assert problem in text_of(answer)
    with tenant_scope(cast.clinic.tenant.id):
        assert not ChangedNumber.objects.exists()


@pytest.mark.django_db
def test_agents_may_not_note_lists(client: Client, cast: Cast) -> None:
    sign_in(client, cast.bob, cast.clinic.tenant)
    assert client.post(reverse("changed_numbers"), {"lines": ANN}).status_code == 403


@pytest.mark.django_db
def test_an_erased_person_s_number_is_not_kept(cast: Cast) -> None:
    clinic = cast.clinic
    with tenant_scope(clinic.tenant.id):
        ann = create_contact(tenant=clinic.tenant, number=ANN, values={})
    agree(clinic, ANN)
    undelivered(clinic, "30006")
    change(cast, ANN, 0)
    with tenant_scope(clinic.tenant.id):
        erase_contact(contact=ann, typed="ERASE")
        assert not NumberMark.objects.exists()
        assert not ChangedNumber.objects.exists()
    # What comes late about a text to them leaves no trace of them either.
    with tenant_scope(clinic.tenant.id):
        attempt = Attempt.objects.get()
        store(clinic.account, attempt.id, StatusUpdate(attempt.provider_message_id, "failed", "failed", "21211"))
    apply_pending()
    with tenant_scope(clinic.tenant.id):
        assert not NumberMark.objects.exists()


@pytest.mark.django_db
def test_thousands_take_as_many_queries_as_one(cast: Cast) -> None:
    clinic = cast.clinic
    with tenant_scope(clinic.tenant.id):
        (message_id,) = queue(clinic, ANN)
        everybody = [f"+1303555{n:04}" for n in range(2000)]
        mark_numbers(Failure(one, "invalid", "21211", message_id, timezone.now()) for one in everybody)
        counts = []
        for people in ([Candidate(ANN)], [Candidate(one) for one in everybody]):
            with CaptureQueriesContext(connection) as captured:
                decisions = decide_all(people, Circumstances(tenant=clinic.tenant, purpose="transactional"))
            counts.append(len(captured))
        assert {decision.rule for decision in decisions} == {"number_is_reachable"}
        assert counts[0] == counts[1]


@pytest.mark.django_db(transaction=True)
def test_what_is_known_of_numbers_is_looked_up_by_index(committed_cast: Cast) -> None:
    """Under the row-level policies, among many that are known: each batch asks."""
    clinic = committed_cast.clinic
    everybody = [f"+1303{n:07d}" for n in range(6_000)]
    with tenant_scope(clinic.tenant.id):
        (message_id,) = queue(clinic, ANN)
        mark_numbers(Failure(one, "invalid", "21211", message_id, timezone.now()) for one in everybody)
        note_changes([Change(one, timezone.localdate(), timezone.now()) for one in everybody], source="list")
        set_double_opt_in(doors=["web_form"], days=7)
        record_opt_ins([OptIn(one, "marketing", "web_form") for one in everybody], actor_id=None)
        refresh_statistics(NumberMark, ChangedNumber, PendingOptIn)
        asked = everybody[:100]
        for rows in (
            NumberMark.objects.filter(number__among=asked, cleared_at=None, holds_since__isnull=False),
            ChangedNumber.objects.filter(number__among=asked),
            PendingOptIn.objects.filter(number__among=asked, confirmed_at=None),
        ):
            assert "Seq Scan" not in rows.explain(), rows.model
