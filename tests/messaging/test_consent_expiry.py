"""Consent ends when a tenant says so, and when a law stops inferring it; who is about to lose it can be asked in time."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from consent import gate
from consent.ledger import OptIn, record_opt_ins
from consent.models import ConsentExpiry, ImpliedConsentLaw
from consent.services import opt_back_in, opt_out
from consent.validity import expiry_in_force, months_after, set_expiry, store_carried_windows
from contacts.among import Asking
from contacts.filters.rules import read_rule
from contacts.filters.select import chosen, rule_q
from contacts.models import Contact
from contacts.services import create_contact
from messaging.explanation import explain
from messaging.pipeline.gate import Candidate, Circumstances, decide_all
from messaging.reasons import decision_reason
from tenants.models import AuditEntry
from tenants.scope import tenant_scope
from tests.cast import Cast, Company
from tests.web import sign_in, text_of

pytestmark = pytest.mark.django_db

ANN, TORONTO = "+12025550101", "+14165550101"


@pytest.fixture(autouse=True)
def _stored(db: None) -> None:
    """As the migration left them; a test that empties the database may have run before."""
    store_carried_windows(ImpliedConsentLaw)


def agreed(
    company: Company, *, days_ago: float, number: str = ANN, purpose: str = "marketing", source: str = "web_form"
) -> None:
    with tenant_scope(company.tenant.id):
        then = timezone.now() - timedelta(days=days_ago)
        record_opt_ins([OptIn(number, purpose, source, occurred_at=then)], actor_id=None)


def rule_of(company: Company, number: str = ANN, purpose: str = "marketing") -> str:
    with tenant_scope(company.tenant.id):
        (decision,) = decide_all([Candidate(number)], Circumstances(tenant=company.tenant, purpose=purpose))
        return decision.rule


def ends_after(company: Company, months: int | None, purpose: str = "marketing") -> None:
    with tenant_scope(company.tenant.id):
        set_expiry(purpose=purpose, months=months)


@pytest.mark.parametrize(
    ("days_ago", "months", "rule"),
    [
        (3000, None, "all_rules_passed"),
        (85, 3, "all_rules_passed"),
        (93, 3, "consent_is_current"),
        (370, 12, "consent_is_current"),
    ],
)
def test_consent_counts_as_long_as_the_tenant_says(cast: Cast, days_ago: float, months: int | None, rule: str) -> None:
    agreed(cast.clinic, days_ago=days_ago)
    agreed(cast.clinic, days_ago=days_ago, purpose="reminder")
    ends_after(cast.clinic, months)
    assert rule_of(cast.clinic) == rule
    # Another kind of text and another tenant have their own.
    assert rule_of(cast.clinic, purpose="reminder") == "all_rules_passed"
    agreed(cast.shop, days_ago=days_ago)
    assert rule_of(cast.shop) == "all_rules_passed"


def test_without_the_rule_old_consent_counts(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "RULES", tuple(rule for rule in gate.RULES if rule is not gate.consent_is_current))
    agreed(cast.clinic, days_ago=93)
    ends_after(cast.clinic, 3)
    assert rule_of(cast.clinic) == "all_rules_passed"


def test_the_decision_has_the_dates(cast: Cast) -> None:
    agreed(cast.clinic, days_ago=93)
    ends_after(cast.clinic, 3)
    with tenant_scope(cast.clinic.tenant.id):
        found = explain(tenant=cast.clinic.tenant, number=ANN, purpose="marketing")
        data = found.decision.data
        since = datetime.fromisoformat(str(data["agreed"]))
        assert datetime.fromisoformat(str(data["ended"])) == months_after(since, 3)
        assert data["because"] == "own"
        assert f"(agreed on {since:%Y-%m-%d}, ended on " in decision_reason(found.decision.as_json())
        assert "It is too old to count: it ended on" in [one.text for one in found.findings]


def test_agreeing_anew_begins_anew(cast: Cast) -> None:
    agreed(cast.clinic, days_ago=93)
    ends_after(cast.clinic, 3)
    agreed(cast.clinic, days_ago=0)
    assert rule_of(cast.clinic) == "all_rules_passed"


@pytest.mark.parametrize(
    ("number", "source", "days_ago", "rule"),
    [
        (TORONTO, "existing_customer", 700, "all_rules_passed"),
        (TORONTO, "existing_customer", 740, "consent_is_current"),
        (TORONTO, "inquiry", 170, "all_rules_passed"),
        (TORONTO, "inquiry", 190, "consent_is_current"),
        # What somebody said has no end by law, and the law is Canada's.
        (TORONTO, "web_form", 3000, "all_rules_passed"),
        # In the US nothing is inferred about offers.
        (ANN, "existing_customer", 740, "agreement_is_strong_enough"),
        ("+442079460018", "inquiry", 190, "all_rules_passed"),
    ],
)
def test_what_a_law_infers_ends_by_it(cast: Cast, number: str, source: str, days_ago: float, rule: str) -> None:
    agreed(cast.clinic, days_ago=days_ago, number=number, source=source)
    assert rule_of(cast.clinic, number) == rule


def test_a_law_counts_on_its_days_only(cast: Cast) -> None:
    agreed(cast.clinic, days_ago=190, number=TORONTO, source="inquiry")
    ImpliedConsentLaw.objects.update(effective_until=timezone.now().date())
    assert rule_of(cast.clinic, TORONTO) == "all_rules_passed"


def test_start_makes_it_their_own_word(cast: Cast) -> None:
    agreed(cast.clinic, days_ago=190, number=TORONTO, source="inquiry")
    with tenant_scope(cast.clinic.tenant.id):
        opt_out(number=TORONTO, source="reply")
        opt_back_in(number=TORONTO, wording="START", evidence={})
    assert rule_of(cast.clinic, TORONTO) == "all_rules_passed"


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [
        ((2026, 1, 31), 1, (2026, 2, 28)),
        ((2024, 2, 29), 12, (2025, 2, 28)),
        ((2026, 11, 23), 3, (2027, 2, 23)),
        ((2026, 1, 15), -1, (2025, 12, 15)),
    ],
)
def test_months_are_those_of_the_calendar(start: tuple[int, int, int], months: int, end: tuple[int, int, int]) -> None:
    assert months_after(datetime(*start, tzinfo=UTC), months) == datetime(*end, tzinfo=UTC)


def test_a_filter_finds_who_is_about_to_lose_it(cast: Cast) -> None:
    clinic = cast.clinic
    people = {
        "Ended": (ANN, "web_form", 100),
        "Soon": ("+12025550102", "web_form", 80),
        "Later": ("+12025550103", "web_form", 20),
        "Never": ("+12025550104", "web_form", 0),
        "Inquired": (TORONTO, "inquiry", 170),
        "Elsewhere": ("+12025550105", "inquiry", 170),
    }
    with tenant_scope(clinic.tenant.id):
        for name, (number, _, _) in people.items():
            create_contact(tenant=clinic.tenant, number=number, values={"first_name": name})
    for number, source, days_ago in people.values():
        agreed(clinic, days_ago=days_ago, number=number, source=source)

    def found(days: int) -> set[str]:
        condition = {"subject": "consent", "target": "marketing", "operator": "ends_within", "value": str(days)}
        rule = read_rule({"match": "all", "parts": [condition]})
        with tenant_scope(clinic.tenant.id):
            everybody, many = Contact.objects.get_queryset().active(), Asking(few=0)
            answers = [chosen(rule, clinic.tenant)]
            answers += [everybody.filter(rule_q(rule, clinic.tenant, ask)) for ask in (many.walked, many.joined)]
            first, *others = [set(answer.values_list("first_name", flat=True)) for answer in answers]
            assert others == [first, first]
            return first

    assert found(30) == {"Inquired"}
    ends_after(clinic, 3)
    # What ends both ways ends at the earlier moment.
    assert found(30) == {"Soon"}
    assert found(80) == {"Soon", "Later"}


def test_it_is_shown_and_changed(client: Client, cast: Cast) -> None:
    clinic = cast.clinic
    sign_in(client, cast.mona, clinic.tenant)
    address = reverse("expiry_edit", args=["marketing"])
    assert client.get(address).status_code == 200
    assert client.post(address, {"months": "24"})["Location"] == reverse("compliance")
    assert "After 24 months" in text_of(client.get(reverse("compliance")))
    assert "ends_within" in text_of(client.get(reverse("filter_new"), {"ends_within": "30"}))
    with tenant_scope(clinic.tenant.id):
        assert expiry_in_force()["marketing"] == 24
        entry = AuditEntry.objects.get(action="consent.expiry_changed")
        assert (entry.before, entry.after) == ({"months": None}, {"months": 24})
    for bad in ("0", "121", "-1", "long"):
        assert client.post(address, {"months": bad}).status_code == 422
    client.post(address, {"months": ""})
    with tenant_scope(clinic.tenant.id):
        assert not ConsentExpiry.objects.exists()
    sign_in(client, cast.bob, clinic.tenant)
    assert client.post(address, {"months": "3"}).status_code == 403


def test_thousands_take_as_many_queries_as_one(cast: Cast) -> None:
    clinic = cast.clinic
    ends_after(clinic, 3)
    everybody = [f"+1416555{n:04}" for n in range(1500)]
    with tenant_scope(clinic.tenant.id):
        record_opt_ins([OptIn(one, "marketing", "inquiry") for one in [*everybody]], actor_id=None)
        counts = []
        for people in (everybody[:1], everybody):
            with CaptureQueriesContext(connection) as captured:
                decide_all([Candidate(one) for one in people], Circumstances(tenant=clinic.tenant, purpose="marketing"))
            counts.append(len(captured))
        assert counts[0] == counts[1]
