"""Nobody gets more texts than a law or the business allows: the others wait, or stay, with the numbers."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier

import pytest
from django.db import connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from common.lanes import MARKETING, REMINDER, SENDING_LANES
from common.planner import refresh_statistics
from consent import gate
from consent.frequency_limits import Policy, policies_in_force, set_policy, store_carried_laws
from consent.ledger import OptIn, record_opt_ins
from consent.models import FrequencyLaw, PurposePolicy
from messaging.models import Attempt, Batch, Message
from messaging.pipeline import frequency
from messaging.pipeline.dispatch import run_next_batch
from messaging.pipeline.enqueue import Cause, Draft, enqueue
from messaging.pipeline.gate import Candidate, Circumstances, decide_all
from messaging.reasons import reason_of
from tenants.models import AuditEntry
from tenants.scope import tenant_scope
from tests.cast import Cast, Company
from tests.web import sign_in, text_of

pytestmark = pytest.mark.django_db(transaction=True)

MIAMI, CHICAGO = "+13055550101", "+13125550101"


@pytest.fixture(autouse=True)
def _stored() -> None:
    """As the migration left them; a test that empties the database may have run before."""
    store_carried_laws(FrequencyLaw)


def queue(company: Company, numbers: list[str], purpose: str = "marketing", times: int = 1) -> None:
    with tenant_scope(company.tenant.id):
        record_opt_ins([OptIn(one, purpose, "web_form") for one in numbers], actor_id=None)
        for _ in range(times):
            lane = purpose if purpose in SENDING_LANES else MARKETING
            text = f"Hello {Batch.objects.count()}"
            enqueue([Draft(one, text) for one in numbers], Cause(kind="campaign", lane=lane, purpose=purpose))


def hand_over(lane: str = MARKETING) -> None:
    while run_next_batch(lane):
        pass


def statuses(company: Company, number: str = MIAMI) -> list[str]:
    with tenant_scope(company.tenant.id):
        return sorted(Message.objects.filter(number=number).values_list("status", flat=True))


def later(company: Company, by: timedelta) -> None:
    """So much time has passed."""
    with tenant_scope(company.tenant.id):
        for attempt in Attempt.objects.all():
            Attempt.objects.filter(id=attempt.id).update(created_at=attempt.created_at - by)
        Batch.objects.filter(state="queued").update(not_before=timezone.now())


def limit(company: Company, purpose: str, **policy: object) -> None:
    with tenant_scope(company.tenant.id):
        set_policy(purpose=purpose, policy=Policy(**policy))  # type: ignore[arg-type]


def test_the_fourth_offer_in_florida_waits_for_room(committed_cast: Cast, network: str) -> None:
    clinic = committed_cast.clinic
    queue(clinic, [MIAMI, CHICAGO], times=4)
    hand_over()
    assert statuses(clinic) == ["accepted"] * 3 + ["deferred"]
    assert statuses(clinic, CHICAGO) == ["accepted"] * 4
    with tenant_scope(clinic.tenant.id):
        waiting = Message.objects.get(status="deferred")
        data = waiting.decision["data"]
        assert (waiting.decision["rule"], data["sent"], data["limit"], data["whose"]) == (
            "within_frequency",
            3,
            3,
            "US-FL",
        )
        first = (
            Attempt.objects.filter(message__number=MIAMI).order_by("created_at").values_list("created_at", flat=True)[0]
        )
        assert datetime.fromisoformat(data["next_at"]) == first + timedelta(hours=24)
        assert reason_of(waiting) == "They got as many texts as are allowed: 3 of 3 in 24 hours"
    later(clinic, timedelta(hours=25))
    hand_over()
    assert statuses(clinic) == ["accepted"] * 4


def test_without_the_rule_the_fourth_goes(committed_cast: Cast, network: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What holds it back is the rule, and nothing else."""
    monkeypatch.setattr(gate, "RULES", tuple(rule for rule in gate.RULES if rule is not gate.within_frequency))
    queue(committed_cast.clinic, [MIAMI], times=4)
    hand_over()
    assert statuses(committed_cast.clinic) == ["accepted"] * 4


def test_two_in_one_batch_count(committed_cast: Cast, network: str) -> None:
    queue(committed_cast.clinic, [MIAMI] * 5)
    hand_over()
    assert statuses(committed_cast.clinic) == ["accepted"] * 3 + ["deferred"] * 2


def _decide_at_once(company: Company) -> int:
    """Two workers decide about the last free place at the same moment; how many of them took it."""
    ready = Barrier(2)

    def work() -> int:
        try:
            with tenant_scope(company.tenant.id, durable=True):
                ready.wait(timeout=10)
                run = Circumstances(tenant=company.tenant, purpose="marketing", handing_over=True)
                (decision,) = decide_all([Candidate(MIAMI)], run)
                waiting = Message.objects.filter(status="queued").select_for_update(skip_locked=True).first()
                if decision.outcome == gate.ALLOW and waiting:
                    earlier = Attempt.objects.first()
                    assert earlier
                    Attempt.objects.create(
                        message=waiting, provider_account=earlier.provider_account, deadline=timezone.now()
                    )
                with connection.cursor() as cursor:
                    cursor.execute("SELECT pg_sleep(0.2)")
                return int(decision.outcome == gate.ALLOW)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        return sum(one.result() for one in [pool.submit(work), pool.submit(work)])


@pytest.mark.parametrize(("locked", "took"), [(True, 1), (False, 2)])
def test_two_workers_do_not_share_the_last_place(
    committed_cast: Cast, network: str, monkeypatch: pytest.MonkeyPatch, locked: bool, took: int
) -> None:
    """And without the lock they would."""
    if not locked:
        monkeypatch.setattr(frequency, "_one_batch_at_a_time", lambda: None)
    queue(committed_cast.clinic, [MIAMI], times=2)
    hand_over()
    queue(committed_cast.clinic, [MIAMI], times=2)
    assert _decide_at_once(committed_cast.clinic) == took


def test_own_limit_with_both_flags(committed_cast: Cast, network: str) -> None:
    clinic = committed_cast.clinic
    limit(clinic, "reminder", texts=2, hours=12, obeys=True)
    queue(clinic, [CHICAGO], times=2)
    hand_over()
    queue(clinic, [CHICAGO], "reminder", times=3)
    hand_over(REMINDER)
    # Two offers count; three reminders do not, and so nothing but the offers fills the window.
    assert statuses(clinic, CHICAGO) == ["accepted"] * 2 + ["deferred"] * 3
    limit(clinic, "marketing", texts=4, hours=168, counts=False)
    later(clinic, timedelta(0))
    hand_over(REMINDER)
    assert statuses(clinic, CHICAGO) == ["accepted"] * 5


def test_what_would_wait_too_long_stays(committed_cast: Cast, network: str) -> None:
    clinic = committed_cast.clinic
    limit(clinic, "marketing", texts=1, hours=720, counts=True, obeys=True)
    queue(clinic, [CHICAGO], times=2)
    hand_over()
    assert statuses(clinic, CHICAGO) == ["accepted", "blocked"]


def test_what_was_planned_a_month_ago_stays(committed_cast: Cast, network: str) -> None:
    queue(committed_cast.clinic, [CHICAGO])
    with tenant_scope(committed_cast.clinic.tenant.id):
        Batch.objects.update(created_at=timezone.now() - timedelta(days=31))
    hand_over()
    assert statuses(committed_cast.clinic, CHICAGO) == ["blocked"]


def test_a_law_counts_on_its_days_only(committed_cast: Cast, network: str) -> None:
    FrequencyLaw.objects.filter(jurisdiction="US-FL").update(effective_until=timezone.now().date())
    queue(committed_cast.clinic, [MIAMI], times=4)
    hand_over()
    assert statuses(committed_cast.clinic) == ["accepted"] * 4


def test_thousands_take_as_many_queries_as_one(committed_cast: Cast, network: str) -> None:
    company = committed_cast.clinic

    def queries(count: int) -> int:
        people = [Candidate(f"+1305555{n:04}") for n in range(count)]
        with (
            tenant_scope(company.tenant.id),
            CaptureQueriesContext(
                connection,
            ) as captured,
        ):
            decide_all(people, Circumstances(tenant=company.tenant, purpose="marketing"))
        return len(captured)

    queries(1)
    assert queries(3000) == queries(1)


def test_what_somebody_got_is_looked_up_by_index(committed_cast: Cast, network: str) -> None:
    """Under the row-level policies, among many texts: a campaign of a million asks two thousand times."""
    company = committed_cast.clinic
    people = [f"+1303{n:07d}" for n in range(6_000)]
    with tenant_scope(company.tenant.id):
        account = company.account
        for start in range(0, len(people), 500):
            some = people[start : start + 500]
            _, ids = enqueue([Draft(one, "Hi") for one in some], Cause("campaign", MARKETING, "marketing", held=True))
            Attempt.objects.bulk_create(
                Attempt(message_id=each, provider_account=account, deadline=timezone.now(), state="accepted")
                for each in ids
            )
        refresh_statistics(Message, Attempt, Batch)
        earlier = timezone.now() - timedelta(hours=24)
        values = {"tenant": company.tenant.id, "numbers": people[:500], "purposes": ["marketing"]}
        times = {"planned_since": earlier - frequency.TOO_OLD, "changed_since": earlier, "since": earlier}
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {frequency._SENT}", values | times)
            (plan,) = cursor.fetchone()[0]
    assert "message_thread" in json.dumps(plan)
    assert plan["Plan"]["Actual Rows"] == 500
    assert plan["Plan"]["Shared Hit Blocks"] + plan["Plan"]["Shared Read Blocks"] < 500 * 12


def test_the_limit_is_shown_and_changed(client: Client, committed_cast: Cast) -> None:
    clinic = committed_cast.clinic
    sign_in(client, committed_cast.mona, clinic.tenant)
    address = reverse("frequency_edit", args=["marketing"])
    assert "No limit of yours" in text_of(client.get(reverse("compliance")))
    assert client.get(address).status_code == 200
    answer = client.post(address, {"obeys": "on", "texts": "3", "hours": "168", "counts": "on"})
    assert answer["Location"] == reverse("compliance")
    assert "At most 3 in 7 days" in text_of(client.get(reverse("compliance")))
    with tenant_scope(clinic.tenant.id):
        assert policies_in_force()["marketing"] == Policy(3, 168, counts=True, obeys=True)
        entry = AuditEntry.objects.get(action="consent.frequency_changed")
        assert (entry.before["limit"], entry.after["limit"]) == ("no limit of yours", "at most 3 in 7 days")
    with tenant_scope(committed_cast.shop.tenant.id):
        assert not PurposePolicy.objects.exists()


@pytest.mark.parametrize("changes", [{"texts": "0"}, {"texts": "101"}, {"texts": ""}, {"hours": "5"}, {"texts": "two"}])
def test_what_is_no_limit_is_refused(client: Client, committed_cast: Cast, changes: dict[str, str]) -> None:
    sign_in(client, committed_cast.alice, committed_cast.clinic.tenant)
    answer = client.post(reverse("frequency_edit", args=["marketing"]), {"texts": "3", "hours": "24", **changes})
    assert answer.status_code == 422
    with tenant_scope(committed_cast.clinic.tenant.id):
        assert not PurposePolicy.objects.exists()


def test_agents_may_not_change_it(client: Client, committed_cast: Cast) -> None:
    sign_in(client, committed_cast.bob, committed_cast.clinic.tenant)
    assert client.post(reverse("frequency_edit", args=["marketing"]), {"texts": "3", "hours": "24"}).status_code == 403
