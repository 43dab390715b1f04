"""The gate's rules about agreement, content, the same words and the month's money, through planning and hand-over."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection, connections
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from campaigns.preview import forecast
from campaigns.recipients import audience_of
from common.lanes import CONVERSATION, MARKETING
from consent import gate
from consent.ledger import OptIn, record_opt_ins
from consent.models import PurposeRules
from consent.purpose_rules import Rules, set_rules
from messaging.content import text_problem, warnings_about
from messaging.models import Batch, Message, MonthSpend, SpendLimit
from messaging.pipeline import spending
from messaging.pipeline.dispatch import run_next_batch
from messaging.pipeline.enqueue import Cause, Draft, enqueue
from messaging.pipeline.gate import Candidate, Circumstances, decide_all
from messaging.pipeline.spending import count_parts, first_of_month, spent_in
from messaging.reasons import reason_of
from messaging.services import set_part_price, set_spend_limit
from tenants.models import AuditEntry
from tenants.scope import tenant_scope
from tests.campaigns.conftest import make_draft, make_list
from tests.cast import Cast, Company
from tests.web import sign_in, text_of

pytestmark = pytest.mark.django_db(transaction=True)

ANN, BEN, TORONTO, LONDON = "+12025550101", "+12025550102", "+14165550123", "+442079460018"
LINK = "Sale: https://bit.ly/3xYz"


def queue(
    company: Company,
    *numbers: str,
    body: str = "Sale today",
    purpose: str = "marketing",
    lane: str = "",
    exemption: str = "",
) -> None:
    with tenant_scope(company.tenant.id):
        record_opt_ins([OptIn(one, purpose, "web_form") for one in numbers], actor_id=None)
        cause = Cause("campaign", lane or MARKETING, purpose, exemption=exemption)
        enqueue([Draft(one, body) for one in numbers], cause)


def hand_over(lane: str = MARKETING) -> None:
    while run_next_batch(lane):
        pass


def outcomes(company: Company) -> list[tuple[str, str]]:
    with tenant_scope(company.tenant.id):
        return [(one.status, one.decision.get("rule", "")) for one in Message.objects.order_by("id")]


def decide(company: Company, number: str, body: str = "", *, purpose: str = "marketing", exemption: str = "") -> str:
    with tenant_scope(company.tenant.id):
        run = Circumstances(tenant=company.tenant, purpose=purpose, exemption=exemption)
        return decide_all([Candidate(number, body)], run)[0].rule


@pytest.mark.parametrize(
    ("source", "number", "purpose", "asked", "rule"),
    [
        ("web_form", ANN, "marketing", "law", "all_rules_passed"),
        ("reply", ANN, "marketing", "law", "all_rules_passed"),
        ("verbal", ANN, "marketing", "law", "agreement_is_strong_enough"),
        ("existing_customer", ANN, "marketing", "law", "agreement_is_strong_enough"),
        # A toll-free number may be anybody's in the US.
        ("verbal", "+18005550101", "marketing", "law", "agreement_is_strong_enough"),
        # Canada infers consent from a purchase; the law of other countries is not that of the US.
        ("existing_customer", TORONTO, "marketing", "law", "all_rules_passed"),
        ("existing_customer", LONDON, "marketing", "law", "all_rules_passed"),
        ("existing_customer", LONDON, "marketing", "express", "agreement_is_strong_enough"),
        ("verbal", LONDON, "marketing", "express", "all_rules_passed"),
        ("verbal", LONDON, "marketing", "written", "agreement_is_strong_enough"),
        # Who gave the number with an order may be texted about it, unless the business asks for more.
        ("existing_customer", ANN, "transactional", "law", "all_rules_passed"),
        ("existing_customer", ANN, "transactional", "express", "agreement_is_strong_enough"),
        ("verbal", ANN, "transactional", "written", "agreement_is_strong_enough"),
        ("paper", ANN, "transactional", "written", "all_rules_passed"),
    ],
)
def test_how_people_must_have_agreed(cast: Cast, source: str, number: str, purpose: str, asked: str, rule: str) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        record_opt_ins([OptIn(number, purpose, source)], actor_id=None)
        if asked != "law":
            set_rules(purpose=purpose, rules=Rules(agreement=asked))
        PurposeRules.objects.filter(purpose="support").delete()
    found = decide(cast.clinic, number, purpose=purpose)
    # Whose place is not known gets no offers at any hour; that is another rule.
    assert (found == "agreement_is_strong_enough") == (rule == "agreement_is_strong_enough"), found


def test_a_weak_agreement_of_another_does_not_count_against_somebody(cast: Cast) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        record_opt_ins([OptIn(ANN, "marketing", "verbal"), OptIn(BEN, "marketing", "web_form")], actor_id=None)
    assert (decide(cast.clinic, ANN), decide(cast.clinic, BEN)) == ("agreement_is_strong_enough", "all_rules_passed")


@pytest.mark.parametrize("asked", ["law", "express", "written"])
def test_the_composer_counts_them_as_the_gate_does(cast: Cast, asked: str) -> None:
    sources = ("web_form", "verbal", "existing_customer", "inquiry", "paper")
    numbers = [ANN, TORONTO, LONDON, "+18005550101", "+13055550101", "+16715550101"]
    people = [f"{number[:-2]}{n:02d}" for n, _ in enumerate(sources) for number in numbers]
    contacts = make_list(cast.clinic, people, agreed=[])
    with tenant_scope(cast.clinic.tenant.id):
        records = [OptIn(one, "marketing", sources[int(one[-2:])]) for one in people]
        record_opt_ins(records, actor_id=None)
        set_rules(purpose="marketing", rules=Rules(agreement=asked))
    draft = make_draft(cast.clinic, contacts)
    with tenant_scope(cast.clinic.tenant.id):
        counted = forecast(draft, audience_of(draft)).not_agreed
    refused = [decide(cast.clinic, one) for one in people].count("agreement_is_strong_enough")
    assert counted == refused > 0


@pytest.mark.parametrize(
    ("text", "blocked"),
    [
        (LINK, True),
        ("see BIT.LY/abc now", True),
        ("http://www.tinyurl.com/abc", True),
        ("https://tinyurl.com./abc", True),
        ("https://tinyurl.com:443/abc", True),
        ("(t.co/x)", True),
        ("Book at https://clinic.example/book", False),
        ("https://mybit.ly/abc", False),
        ("https://bit.ly.example.com/abc", False),
        ("https://orbit.ly/abc", False),
        ("We moved to bit.ly", False),
        ("mail me at ann@bit.ly", False),
        ("50/50 chance", False),
        ("", False),
    ],
)
def test_links_of_public_shorteners(text: str, blocked: bool) -> None:
    assert bool(text_problem(text)) is blocked


@given(st.text(max_size=200))
def test_any_text_is_looked_at(text: str) -> None:
    assert isinstance(text_problem(text), str)
    assert all(found.word.casefold() in text.casefold() for found in warnings_about(text))


def test_words_that_carriers_look_at() -> None:
    found = {one.kind: (one.word, one.never) for one in warnings_about("Wine and CBD tonight, whisky too")}
    assert found == {"alcohol": ("Wine", False), "cannabis": ("CBD", True)}
    assert not warnings_about("Your swine flu shot is ready; see you at the airport")


def test_a_text_that_carriers_block_stays(cast: Cast) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        record_opt_ins([OptIn(ANN, "marketing", "web_form")], actor_id=None)
    assert decide(cast.clinic, ANN, LINK) == "content_is_allowed"
    assert decide(cast.clinic, ANN, LINK, purpose="support", exemption="help_reply") == "all_rules_passed"


def test_the_same_words_go_once(committed_cast: Cast, network: str) -> None:
    clinic = committed_cast.clinic
    queue(clinic, ANN)
    hand_over()
    queue(clinic, ANN, BEN)
    queue(clinic, ANN, body="Sale tomorrow")
    queue(clinic, ANN, purpose="transactional")
    hand_over()
    assert outcomes(clinic) == [
        ("accepted", "all_rules_passed"),
        ("blocked", "not_a_duplicate"),
        ("accepted", "all_rules_passed"),
        ("accepted", "all_rules_passed"),
        ("accepted", "all_rules_passed"),
    ]
    with tenant_scope(clinic.tenant.id):
        first, second = Message.objects.filter(number=ANN).order_by("id")[:2]
        assert second.decision["data"]["message"] == str(first.id)
        assert reason_of(second) == "They got the same words a short time ago: within 24 hours"


def test_without_the_rule_they_go_twice(committed_cast: Cast, network: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "RULES", tuple(rule for rule in gate.RULES if rule is not gate.not_a_duplicate))
    for _ in range(2):
        queue(committed_cast.clinic, ANN)
        hand_over()
    assert outcomes(committed_cast.clinic) == [("accepted", "all_rules_passed")] * 2


def test_what_still_waits_counts_when_it_is_planned_and_not_when_it_goes(committed_cast: Cast, network: str) -> None:
    """Else of two that wait for each other neither would go."""
    clinic = committed_cast.clinic
    queue(clinic, ANN)
    assert decide(clinic, ANN, "Sale today") == "not_a_duplicate"
    queue(clinic, ANN)
    hand_over()
    assert [status for status, _ in outcomes(clinic)] == ["accepted", "blocked"]


def test_after_some_time_they_may_go_again(committed_cast: Cast, network: str) -> None:
    clinic = committed_cast.clinic
    queue(clinic, ANN)
    hand_over()
    with tenant_scope(clinic.tenant.id):
        day_ago = timezone.now() - timedelta(hours=24, minutes=1)
        Message.objects.update(created_at=day_ago)
        Batch.objects.update(created_at=day_ago)
    assert decide(clinic, ANN, "Sale today") == "all_rules_passed"
    with tenant_scope(clinic.tenant.id):
        set_rules(purpose="marketing", rules=Rules(repeat_hours=48))
    assert decide(clinic, ANN, "Sale today") == "not_a_duplicate"


def limited(company: Company, *, parts: int) -> None:
    """A month in which so many parts may be handed over, at one dollar each."""
    with tenant_scope(company.tenant.id):
        set_part_price(micros=1_000_000, currency="USD")
        set_spend_limit(micros=parts * 1_000_000)


def test_the_month_costs_no_more_than_its_limit(committed_cast: Cast, network: str) -> None:
    clinic = committed_cast.clinic
    limited(clinic, parts=3)
    queue(clinic, *[f"+1202555010{n}" for n in range(5)])
    hand_over()
    assert [status for status, _ in outcomes(clinic)] == ["accepted"] * 3 + ["blocked"] * 2
    with tenant_scope(clinic.tenant.id):
        assert spent_in(first_of_month(clinic.tenant, timezone.now())) == (3, 3_000_000)
        refused = Message.objects.filter(status="blocked").first()
        assert refused
        assert refused.decision["data"] == {"limit_micros": 3_000_000, "spent_micros": 3_000_000, "currency": "USD"}
        assert reason_of(refused) == "The month's spending limit is reached: USD 3.00 of 3.00"
    assert decide(clinic, ANN, purpose="support", exemption="help_reply") == "all_rules_passed"
    with tenant_scope(clinic.tenant.id):
        # Last month's money is last month's.
        MonthSpend.objects.update(month=first_of_month(clinic.tenant, timezone.now() - timedelta(days=40)))
    assert decide(clinic, ANN) == "all_rules_passed"


def test_a_long_text_that_would_go_beyond_it_leaves_room_for_a_short_one(committed_cast: Cast, network: str) -> None:
    clinic = committed_cast.clinic
    limited(clinic, parts=2)
    queue(clinic, ANN, body="long " * 90)
    queue(clinic, BEN)
    hand_over()
    assert [status for status, _ in outcomes(clinic)] == ["blocked", "accepted"]


def _spend_at_once(company: Company) -> int:
    """Two workers decide about the last part at the same moment; how many of them took it."""
    ready = Barrier(2)

    def work() -> int:
        try:
            with tenant_scope(company.tenant.id, durable=True):
                ready.wait(timeout=10)
                run = Circumstances(tenant=company.tenant, purpose="support", exemption="", handing_over=True)
                (decision,) = decide_all([Candidate(ANN)], run)
                if decision.outcome == "allow":
                    count_parts(company.tenant, company.tenant.id, 1)
                with connection.cursor() as cursor:
                    cursor.execute("SELECT pg_sleep(0.2)")
                return int(decision.outcome == "allow")
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        return sum(one.result() for one in [pool.submit(work), pool.submit(work)])


@pytest.mark.parametrize(("locked", "took"), [(True, 1), (False, 2)])
def test_two_workers_do_not_share_the_last_part(
    committed_cast: Cast, monkeypatch: pytest.MonkeyPatch, locked: bool, took: int
) -> None:
    """And without the lock they would."""
    clinic = committed_cast.clinic
    if not locked:
        monkeypatch.setattr(spending, "_one_batch_at_a_time", lambda: None)
    limited(clinic, parts=1)
    with tenant_scope(clinic.tenant.id):
        record_opt_ins([OptIn(ANN, "support", "web_form")], actor_id=None)
    assert _spend_at_once(clinic) == took


def test_the_review_says_when_the_limit_will_not_do(client: Client, cast: Cast) -> None:
    draft = make_draft(cast.clinic, make_list(cast.clinic, [ANN, BEN]), body="Sale")
    limited(cast.clinic, parts=2)
    sign_in(client, cast.mona, cast.clinic.tenant)
    address = reverse("campaign_review", args=[draft.id])
    assert "spending limit will not do" not in text_of(client.get(address))
    limited(cast.clinic, parts=1)
    page = text_of(client.get(address))
    assert "It pays for 1 more text, and this campaign needs 2." in page


def test_parts_are_counted_without_a_price(committed_cast: Cast, network: str) -> None:
    queue(committed_cast.clinic, ANN, lane=CONVERSATION, purpose="support")
    hand_over(CONVERSATION)
    with tenant_scope(committed_cast.clinic.tenant.id):
        assert spent_in(first_of_month(committed_cast.clinic.tenant, timezone.now())) == (1, 0)
    with tenant_scope(committed_cast.shop.tenant.id):
        assert not MonthSpend.objects.exists()


def test_the_limit_is_shown_and_changed(client: Client, cast: Cast) -> None:
    sign_in(client, cast.mona, cast.clinic.tenant)
    address = reverse("spending")
    assert "what a part costs" in text_of(client.get(address))
    assert client.post(address, {"limit": "5"})["Location"] == reverse("unreachable")
    with tenant_scope(cast.clinic.tenant.id):
        set_part_price(micros=10_000, currency="EUR")
    assert client.post(address, {"limit": "250"})["Location"] == address
    assert "Limit for a month in EUR" in text_of(client.get(address))
    with tenant_scope(cast.clinic.tenant.id):
        assert SpendLimit.objects.get().micros == 250_000_000
        entry = AuditEntry.objects.get(action="number.spend_limit_changed")
        assert (entry.before["month"], entry.after["month"]) == (None, "EUR 250.00")
    for bad in ("0", "-1", "many", "1e30", "0.001"):
        assert client.post(address, {"limit": bad}).status_code == 422, bad
    assert client.post(address, {"limit": ""})["Location"] == address
    with tenant_scope(cast.clinic.tenant.id):
        assert not SpendLimit.objects.exists()


def test_rules_are_shown_and_changed(client: Client, cast: Cast) -> None:
    sign_in(client, cast.mona, cast.clinic.tenant)
    address = reverse("rules_edit", args=["marketing"])
    assert "Not within 24 hours" in text_of(client.get(reverse("compliance")))
    posted = {"agreement": "written", "footer": "first", "repeat_hours": "0"}
    assert client.post(address, posted)["Location"] == reverse("compliance")
    page = text_of(client.get(reverse("compliance")))
    assert "In writing" in page
    assert "Only the first text to a person" in page
    for changes in ({"agreement": "never"}, {"footer": ""}, {"repeat_hours": "169"}, {"repeat_hours": "-1"}):
        assert client.post(address, posted | changes).status_code == 422, changes
    with tenant_scope(cast.clinic.tenant.id):
        entry = AuditEntry.objects.get(action="consent.rules_changed")
        assert entry.after["agreement"] == "In writing"
    assert client.get(reverse("rules_edit", args=["support"])).status_code == 200
    with tenant_scope(cast.shop.tenant.id):
        assert not PurposeRules.objects.exists()


@pytest.mark.parametrize("address", ["spending", "rules"])
def test_agents_may_not_change_them(client: Client, cast: Cast, address: str) -> None:
    sign_in(client, cast.bob, cast.clinic.tenant)
    found = reverse("spending") if address == "spending" else reverse("rules_edit", args=["marketing"])
    assert client.get(found).status_code == 403
    assert client.post(found, {"limit": "1"}).status_code == 403
