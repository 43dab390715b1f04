"""Trial: until a tenant is approved, its texts go to its own team and guests, so many a day; each refusal has its reason."""

import threading
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from common.lanes import MARKETING, VERIFICATION
from consent.ledger import OptIn, record_opt_ins
from consent.services import is_suppressed
from messaging.handling import handle_inbound
from messaging.models import Message
from messaging.pipeline.dispatch import run_next_batch
from messaging.pipeline.enqueue import Cause, Draft, enqueue
from messaging.pipeline.gate import Candidate, Circumstances, decide_all
from messaging.providers.base import InboundText
from messaging.reasons import reason_of
from messaging.services import ask_own_number, receive
from tenants.models import Membership, Tenant, TrialDay, TrialNumber
from tenants.permissions import Role
from tenants.scope import tenant_scope
from tenants.services import add_guest, add_member, approve_tenant, ask_for_approval, reject_approval, remove_member
from tests.cast import Company, make_company
from tests.mails import sent_mails
from tests.web import sign_in, text_of

GUEST, OWN, STRANGER = "+12025550101", "+12025550102", "+12025550103"
MARKET = Cause(kind="campaign", lane=MARKETING, purpose="marketing")


def make_bakery() -> Company:
    return make_company("Bakery", "stella@bakery.example", "+12025550190", in_trial=True)


@pytest.fixture
def bakery(db: None) -> Company:
    return make_bakery()


@pytest.fixture
def committed_bakery(transactional_db: None) -> Company:
    """In committed transactions: what calls a provider must not be inside one."""
    return make_bakery()


def stella_of(company: Company) -> Membership:
    return Membership.objects.get(user=company.owner)


def answer(company: Company, body: str, number: str = OWN) -> None:
    with tenant_scope(company.tenant.id):
        text = InboundText(
            provider_message_id=f"SIM{uuid4().hex}", sender=company.sender.value, number=number, body=body
        )
        inbound = receive(company.account, text)
        assert inbound is not None
        handle_inbound(company.tenant.id, inbound.id)


def queue(company: Company, numbers: list[str]) -> UUID:
    with tenant_scope(company.tenant.id):
        record_opt_ins([OptIn(number, "marketing", "web_form") for number in numbers], actor_id=None)
        batch, _ = enqueue([Draft(number, "Hello") for number in numbers], MARKET)
        return batch.id


def outcomes(company: Company) -> dict[str, tuple[str, str]]:
    with tenant_scope(company.tenant.id):
        rows = Message.objects.filter(batch__lane=MARKETING)
        return {row.number: (row.status, row.decision["rule"]) for row in rows}


def used_today(company: Company) -> int:
    with tenant_scope(company.tenant.id):
        return sum(TrialDay.objects.values_list("text_count", flat=True))


# --- Who can be texted ---------------------------------------------------------------------------------------------


def test_only_the_team_and_guests_are_texted(committed_bakery: Company, network: str) -> None:
    tenant = committed_bakery.tenant
    with tenant_scope(tenant.id):
        add_guest(tenant=tenant, number=GUEST)
        ask_own_number(tenant=tenant, membership=stella_of(committed_bakery), number=OWN)
    queue(committed_bakery, [GUEST, OWN, STRANGER])
    assert run_next_batch(MARKETING)
    refused = ("blocked", "trial_allows_number")
    assert outcomes(committed_bakery) == {
        GUEST: ("accepted", "all_rules_passed"),
        OWN: refused,
        STRANGER: refused,
    }
    with tenant_scope(tenant.id):
        blocked = Message.objects.get(number=STRANGER)
        assert reason_of(blocked) == "In trial only your own team and guests can be texted"
    assert used_today(committed_bakery) == 1


def test_after_the_approval_everybody_who_agreed_is_texted(committed_bakery: Company, network: str) -> None:
    with tenant_scope(committed_bakery.tenant.id):
        approve_tenant(tenant=committed_bakery.tenant)
    queue(committed_bakery, [STRANGER])
    assert run_next_batch(MARKETING)
    assert outcomes(committed_bakery) == {STRANGER: ("accepted", "all_rules_passed")}
    assert used_today(committed_bakery) == 0, "nobody counts the texts of an approved tenant here"


def test_a_member_who_has_gone_is_no_longer_texted(bakery: Company) -> None:
    with tenant_scope(bakery.tenant.id):
        member = add_member(email="ann@bakery.example", role=Role.AGENT)
        TrialNumber.objects.create(number=OWN, member=member, confirmed_at=timezone.now())
        record_opt_ins([OptIn(OWN, "marketing", "web_form")], actor_id=None)
        circumstances = Circumstances(tenant=bakery.tenant, purpose="marketing")
        assert decide_all([Candidate(OWN)], circumstances)[0].outcome == "allow"
        remove_member(membership=member)
        assert decide_all([Candidate(OWN)], circumstances)[0].rule == "trial_allows_number"


# --- How many ------------------------------------------------------------------------------------------------------


def guests(company: Company, count: int) -> list[str]:
    numbers = [f"+120255501{digits:02d}" for digits in range(10, 10 + count)]
    with tenant_scope(company.tenant.id):
        TrialNumber.objects.bulk_create(TrialNumber(number=number) for number in numbers)
    return numbers


def test_no_more_than_so_many_a_day(committed_bakery: Company, network: str) -> None:
    Tenant.objects.update(trial_texts_per_day=3)
    with time_machine.travel("2026-11-20T15:00:00Z", tick=True):
        queue(committed_bakery, guests(committed_bakery, 5))
        assert run_next_batch(MARKETING)
        rules = sorted(rule for _, rule in outcomes(committed_bakery).values())
        assert rules == ["all_rules_passed"] * 3 + ["trial_daily_limit"] * 2
        assert used_today(committed_bakery) == 3
    # 3 a.m. in UTC is still the same day in New York.
    with time_machine.travel("2026-11-21T03:00:00Z"), tenant_scope(committed_bakery.tenant.id):
        circumstances = Circumstances(tenant=Tenant.objects.get(), purpose="marketing")
        assert decide_all([Candidate("+12025550110")], circumstances)[0].rule == "trial_daily_limit"
    with time_machine.travel("2026-11-21T06:00:00Z"), tenant_scope(committed_bakery.tenant.id):
        assert decide_all([Candidate("+12025550110")], circumstances)[0].outcome == "allow"


def test_two_batches_at_once_do_not_share_the_rest(committed_bakery: Company) -> None:
    Tenant.objects.update(trial_texts_per_day=3)
    numbers = guests(committed_bakery, 4)
    queue(committed_bakery, numbers)
    tenant = Tenant.objects.get()
    circumstances = Circumstances(tenant=tenant, purpose="marketing", handing_over=True)
    second: list[str] = []

    def decide_second() -> None:
        try:
            with tenant_scope(tenant.id):
                second.extend(
                    one.rule for one in decide_all([Candidate(number) for number in numbers[2:]], circumstances)
                )
        finally:
            connection.close()

    thread = threading.Thread(target=decide_second)
    with tenant_scope(tenant.id):
        first = [one.rule for one in decide_all([Candidate(number) for number in numbers[:2]], circumstances)]
        thread.start()
        thread.join(0.4)
        assert thread.is_alive(), "it did not have to wait"
    thread.join(20)
    assert first == ["all_rules_passed"] * 2
    assert second == ["all_rules_passed", "trial_daily_limit"]
    assert used_today(committed_bakery) == 3


def test_planning_uses_nothing_up(bakery: Company) -> None:
    (number,) = guests(bakery, 1)
    with tenant_scope(bakery.tenant.id):
        record_opt_ins([OptIn(number, "marketing", "web_form")], actor_id=None)
        decide_all([Candidate(number)], Circumstances(tenant=bakery.tenant, purpose="marketing"))
    assert used_today(bakery) == 0


# --- Own numbers ---------------------------------------------------------------------------------------------------


def test_a_member_confirms_by_answering(committed_bakery: Company, network: str) -> None:
    tenant = committed_bakery.tenant
    client = sign_in(Client(), committed_bakery.owner, tenant)
    page = text_of(client.post(reverse("trial_own_number"), {"own-number": OWN}, follow=True))
    assert "Answer it with OK" in page
    assert run_next_batch(VERIFICATION)
    with tenant_scope(tenant.id):
        message = Message.objects.get()
        assert (message.status, message.number) == ("accepted", OWN)
        assert "Bakery: stella@bakery.example says this is their number" in message.body
        assert TrialNumber.objects.get().confirmed_at is None
    answer(committed_bakery, "Ok.")
    with tenant_scope(tenant.id):
        assert TrialNumber.objects.get().confirmed_at is not None
    assert "is confirmed" in text_of(client.get(reverse("trial")))


@pytest.mark.parametrize(
    ("number", "body", "minutes"), [(OWN, "no", 1), (STRANGER, "OK", 1), (OWN, "OK", 31), (OWN, "STOP", 1)]
)
def test_any_other_answer_confirms_nothing(bakery: Company, number: str, body: str, minutes: int) -> None:
    with tenant_scope(bakery.tenant.id):
        ask_own_number(tenant=bakery.tenant, membership=stella_of(bakery), number=OWN)
        TrialNumber.objects.update(asked_at=timezone.now() - timedelta(minutes=minutes))
    answer(bakery, body, number)
    with tenant_scope(bakery.tenant.id):
        assert TrialNumber.objects.get().confirmed_at is None
        assert is_suppressed(number=OWN) is (body == "STOP")


def test_an_answer_to_one_tenant_confirms_nothing_for_another(bakery: Company) -> None:
    other = make_company("Other", "olga@other.example", "+12025550191", in_trial=True)
    with tenant_scope(other.tenant.id):
        ask_own_number(tenant=other.tenant, membership=stella_of(other), number=OWN)
    answer(bakery, "OK")
    with tenant_scope(other.tenant.id):
        assert TrialNumber.objects.get().confirmed_at is None


def test_another_number_replaces_the_first_and_questions_are_limited(bakery: Company) -> None:
    client = sign_in(Client(), bakery.owner, bakery.tenant)
    statuses = [
        client.post(reverse("trial_own_number"), {"own-number": f"+120255501{digits}"}).status_code
        for digits in range(20, 26)
    ]
    assert statuses == [302] * 5 + [422]
    with tenant_scope(bakery.tenant.id):
        assert TrialNumber.objects.get().number == "+12025550124"
        assert Message.objects.count() == 5


# --- Guests and approval -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("typed", ["", "nonsense", "\x00", "9" * 400, "(202) 555-0101"])
def test_a_number_that_cannot_be_a_guest(client: Client, bakery: Company, typed: str) -> None:
    with tenant_scope(bakery.tenant.id):
        add_guest(tenant=bakery.tenant, number=GUEST)
    sign_in(client, bakery.owner, bakery.tenant)
    assert client.post(reverse("trial_guest_add"), {"guest-number": typed}).status_code == 422
    with tenant_scope(bakery.tenant.id):
        assert TrialNumber.objects.count() == 1


def test_five_guests_and_no_more(client: Client, bakery: Company) -> None:
    sign_in(client, bakery.owner, bakery.tenant)
    guests(bakery, 5)
    answered = client.post(reverse("trial_guest_add"), {"guest-number": STRANGER})
    assert "Remove one first." in text_of(answered)
    with tenant_scope(bakery.tenant.id):
        first = TrialNumber.objects.all()[0]
    client.post(reverse("trial_number_remove", args=[first.id]))
    assert client.post(reverse("trial_guest_add"), {"guest-number": STRANGER}).status_code == 302


def test_from_asking_to_approval(client: Client, bakery: Company) -> None:
    sign_in(client, bakery.owner, bakery.tenant)
    assert "Trial: texts go to your own team" in text_of(client.get(reverse("home")))
    assert client.post(reverse("approval_ask"), {"plan": "short"}).status_code == 422
    plan = "News of the week to customers who sign up at the till."
    client.post(reverse("approval_ask"), {"plan": plan, "agreed": "on"})
    tenant = Tenant.objects.get()
    assert (tenant.approval_plan, tenant.approval_asked_at is not None) == (plan, True)
    assert "Approval is asked for" in text_of(client.get(reverse("trial")))
    with tenant_scope(tenant.id):
        reject_approval(tenant=tenant, reason="Tell us where the form is.")
    (refusal,) = sent_mails()
    assert (refusal.to, "Tell us where the form is." in refusal.body) == (["stella@bakery.example"], True)
    assert "Tell us where the form is." in text_of(client.get(reverse("trial")))
    with tenant_scope(tenant.id):
        ask_for_approval(tenant=tenant, plan=plan)
        approve_tenant(tenant=tenant)
        approve_tenant(tenant=tenant)
    (approval,) = sent_mails()
    assert approval.subject == "Bakery is approved"
    assert "Trial: texts go" not in text_of(client.get(reverse("home")))


@pytest.mark.parametrize("route", ["trial_guest_add", "approval_ask", "trial_number_remove"])
def test_only_owners_change_the_trial(client: Client, bakery: Company, route: str) -> None:
    with tenant_scope(bakery.tenant.id):
        guest = add_guest(tenant=bakery.tenant, number=GUEST)
        mona = add_member(email="mona@bakery.example", role=Role.MANAGER).user
    sign_in(client, mona, bakery.tenant)
    assert client.get(reverse("trial")).status_code == 200
    parts = [guest.id] if route == "trial_number_remove" else []
    data = {"guest-number": STRANGER, "plan": "A plan that is long enough", "agreed": "on"}
    assert client.post(reverse(route, args=parts), data).status_code == 403
