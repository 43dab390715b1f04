"""By night nothing is offered: texts wait for the morning of every place their reader may live in, and come then."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from common.lanes import CONVERSATION, MARKETING, REMINDER, TRANSACTIONAL, VERIFICATION
from consent import gate
from consent.decision import ALLOW, DEFER, Decision
from consent.ledger import OptIn, record_opt_ins
from consent.models import OwnHours, QuietHoursRule
from consent.quiet_hours import WEEKDAYS
from consent.rules_about_sending import NO_HOUR, within_quiet_hours
from consent.services import opt_out
from contacts.models import Contact
from messaging.models import Attempt, Batch, Message
from messaging.pipeline import dispatch, sweeps
from messaging.pipeline.claim import claim
from messaging.pipeline.dispatch import run_next_batch
from messaging.pipeline.enqueue import Cause, Draft, enqueue
from messaging.pipeline.gate import Candidate, Circumstances, decide_all
from messaging.services import cancel_batches, hold_batches
from tenants.scope import tenant_scope
from tests.afternoon import AFTERNOON
from tests.cast import Cast, Company
from tests.daylight import Daylight, tonight

pytestmark = pytest.mark.django_db(transaction=True)

CAPITAL, TEXAS, HOLLYWOOD, TOLL_FREE = "+12025550101", "+17135550101", "+13235550101", "+18005550101"


def queue(
    company: Company,
    numbers: Sequence[str],
    lane: str = MARKETING,
    purpose: str = "marketing",
    planned_at: datetime | None = None,
) -> UUID:
    """Texts planned at that time, which is three in the morning if nothing is said."""
    with tenant_scope(company.tenant.id):
        if purpose != "verification":
            record_opt_ins([OptIn(one, purpose, "web_form") for one in numbers], actor_id=None)
        cause = Cause(kind="campaign", lane=lane, purpose=purpose, id=company.tenant.id)
        batch, _ = enqueue([Draft(one, "Hello") for one in numbers], cause)
        Batch.objects.filter(id=batch.id).update(created_at=planned_at or tonight())
        return batch.id


def statuses(company: Company) -> dict[str, str]:
    with tenant_scope(company.tenant.id):
        return dict(Message.objects.values_list("number", "status"))


def decide(company: Company, number: str, purpose: str = "marketing") -> Decision:
    with tenant_scope(company.tenant.id):
        return decide_all([Candidate(number)], Circumstances(tenant=company.tenant, purpose=purpose))[0]


def set_hours(company: Company, purpose: str, start: str, end: str, *, without: str = "") -> None:
    with tenant_scope(company.tenant.id):
        week = {day: [] if day == without else [[start, end]] for day in WEEKDAYS}
        OwnHours.objects.update_or_create(purpose=purpose, defaults={"week": week})


def test_an_offer_waits_for_the_morning_and_goes_then(committed_cast: Cast, network: str, daylight: Daylight) -> None:
    night = tonight()
    daylight.become(night)
    planned = queue(committed_cast.clinic, [CAPITAL])
    assert run_next_batch(MARKETING)
    assert statuses(committed_cast.clinic) == {CAPITAL: "deferred"}
    morning = night.replace(hour=8)
    with tenant_scope(committed_cast.clinic.tenant.id):
        message = Message.objects.get()
        assert message.decision["rule"] == "within_quiet_hours"
        assert datetime.fromisoformat(message.decision["until"]) == morning
        assert message.decision["data"]["jurisdictions"] == ["US-DC"]
        assert not Attempt.objects.exists()
        first, later = Batch.objects.get(id=planned), Batch.objects.exclude(id=planned).get()
        assert (first.state, first.tally, first.part_count) == ("done", {}, 0)
        assert (later.state, later.tally, later.part_count) == ("queued", {"deferred": 1}, 1)
        assert morning <= later.not_before <= morning + timedelta(minutes=2)
        assert (later.cause_id, later.created_at) == (first.cause_id, first.created_at)
    assert not run_next_batch(MARKETING), "nobody looks at it before its time"
    daylight.become(morning + timedelta(minutes=1))
    assert run_next_batch(MARKETING)
    assert statuses(committed_cast.clinic) == {CAPITAL: "accepted"}


def test_without_the_rule_it_goes_out_at_night(
    committed_cast: Cast, network: str, daylight: Daylight, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What holds the text back is the rule, and nothing else."""
    monkeypatch.setattr(gate, "RULES", tuple(rule for rule in gate.RULES if rule is not within_quiet_hours))
    daylight.become(tonight())
    queue(committed_cast.clinic, [CAPITAL])
    run_next_batch(MARKETING)
    assert statuses(committed_cast.clinic) == {CAPITAL: "accepted"}


def test_each_zone_wakes_at_its_own_time(committed_cast: Cast, network: str, daylight: Daylight) -> None:
    # A Wednesday in summer, 08:30 in Washington; Texas begins at 9 (Bus. & Com. Code 301.051), as California does here.
    daylight.become(datetime(2027, 7, 14, 12, 30, tzinfo=UTC))
    queue(committed_cast.clinic, [CAPITAL, TEXAS, HOLLYWOOD], planned_at=daylight.now)
    run_next_batch(MARKETING)
    assert statuses(committed_cast.clinic) == {CAPITAL: "accepted", TEXAS: "deferred", HOLLYWOOD: "deferred"}
    with tenant_scope(committed_cast.clinic.tenant.id):
        due = Batch.objects.filter(state="queued").order_by("due_from").values_list("due_from", flat=True)
        assert [at.hour for at in due] == [14, 16]


@pytest.mark.parametrize(
    ("saturday_evening", "sunday_morning"),
    [
        # Clocks go forward: the night is an hour shorter; back: it is an hour longer.
        (datetime(2027, 3, 14, 2, tzinfo=UTC), datetime(2027, 3, 14, 12, tzinfo=UTC)),
        (datetime(2027, 11, 7, 1, tzinfo=UTC), datetime(2027, 11, 7, 13, tzinfo=UTC)),
    ],
)
def test_a_night_on_which_clocks_change(
    cast: Cast, daylight: Daylight, saturday_evening: datetime, sunday_morning: datetime
) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        record_opt_ins([OptIn(CAPITAL, "marketing", "web_form")], actor_id=None)
    daylight.become(saturday_evening)
    assert decide(cast.clinic, CAPITAL).until == sunday_morning
    daylight.become(sunday_morning - timedelta(seconds=1))
    assert decide(cast.clinic, CAPITAL).outcome == DEFER
    daylight.become(sunday_morning)
    assert decide(cast.clinic, CAPITAL).outcome == ALLOW


@pytest.mark.parametrize(
    ("lane", "purpose", "status"),
    [
        (TRANSACTIONAL, "transactional", "accepted"),
        (REMINDER, "reminder", "deferred"),
        (CONVERSATION, "support", "accepted"),
        (VERIFICATION, "verification", "accepted"),
    ],
)
def test_what_goes_by_night(
    committed_cast: Cast, network: str, daylight: Daylight, lane: str, purpose: str, status: str
) -> None:
    daylight.become(tonight())
    queue(committed_cast.clinic, [CAPITAL], lane, purpose)
    run_next_batch(lane)
    assert statuses(committed_cast.clinic) == {CAPITAL: status}


def test_a_tenants_own_hours_narrow_the_laws(cast: Cast, daylight: Daylight) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        record_opt_ins(
            [OptIn(CAPITAL, purpose, "web_form") for purpose in ("marketing", "transactional")], actor_id=None
        )
    set_hours(cast.clinic, "marketing", "00:00", "24:00")
    daylight.become(AFTERNOON.replace(hour=10))
    assert decide(cast.clinic, CAPITAL).until == AFTERNOON.replace(hour=13), "never wider than the law"
    set_hours(cast.clinic, "marketing", "10:00", "12:00", without="thu")
    daylight.become(AFTERNOON)
    friday = AFTERNOON.replace(day=20, hour=15)
    assert decide(cast.clinic, CAPITAL).until == friday
    assert decide(cast.clinic, CAPITAL, "transactional").outcome == ALLOW
    set_hours(cast.clinic, "transactional", "10:00", "12:00")
    assert decide(cast.clinic, CAPITAL, "transactional").until == friday.replace(day=19)
    assert decide(cast.shop, CAPITAL).rule == "person_agreed", "another tenant's hours are another tenant's"


def test_who_cannot_be_placed_gets_no_offers_until_their_zone_is_noted(cast: Cast, daylight: Daylight) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        record_opt_ins([OptIn(TOLL_FREE, purpose, "web_form") for purpose in ("marketing", "reminder")], actor_id=None)
    refused = decide(cast.clinic, TOLL_FREE)
    assert (refused.outcome, refused.rule, refused.data["problem"]) == ("block", "within_quiet_hours", NO_HOUR)
    assert decide(cast.clinic, TOLL_FREE, "reminder").outcome == ALLOW, "by the clock of the business"
    with tenant_scope(cast.clinic.tenant.id):
        Contact.objects.create(number=TOLL_FREE, timezone="Pacific/Honolulu", timezone_source="staff")
    daylight.become(AFTERNOON.replace(hour=17))
    assert decide(cast.clinic, TOLL_FREE).until == AFTERNOON.replace(hour=18)


def test_a_noted_zone_comes_on_top_of_the_area_codes(cast: Cast, daylight: Daylight) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        record_opt_ins([OptIn(CAPITAL, "marketing", "web_form")], actor_id=None)
        Contact.objects.create(number=CAPITAL, timezone="America/Los_Angeles", timezone_source="import")
    daylight.become(AFTERNOON.replace(hour=14))
    assert decide(cast.clinic, CAPITAL).until == AFTERNOON.replace(hour=16), "08:00 on the west coast"
    daylight.become(AFTERNOON.replace(day=19, hour=2))
    assert decide(cast.clinic, CAPITAL).outcome == DEFER, "21:00 on the east coast"


def test_stop_during_the_night_is_heeded_in_the_morning(committed_cast: Cast, network: str, daylight: Daylight) -> None:
    daylight.become(tonight())
    queue(committed_cast.clinic, [CAPITAL])
    run_next_batch(MARKETING)
    with tenant_scope(committed_cast.clinic.tenant.id):
        opt_out(number=CAPITAL, source="reply", wording="STOP")
    daylight.become(tonight(12))
    run_next_batch(MARKETING)
    assert statuses(committed_cast.clinic) == {CAPITAL: "blocked"}


def test_a_pause_and_a_cancellation_reach_those_who_are_asleep(
    committed_cast: Cast, network: str, daylight: Daylight
) -> None:
    daylight.become(tonight())
    cause = committed_cast.clinic.tenant.id
    queue(committed_cast.clinic, [CAPITAL])
    run_next_batch(MARKETING)
    with tenant_scope(committed_cast.clinic.tenant.id):
        hold_batches(cause_id=cause, held=True)
    daylight.become(tonight(12))
    assert not run_next_batch(MARKETING)
    with tenant_scope(committed_cast.clinic.tenant.id):
        assert cancel_batches(cause_id=cause) == 1
    assert statuses(committed_cast.clinic) == {CAPITAL: "cancelled"}


def test_a_worker_that_dies_while_waking_them_loses_nobody(
    committed_cast: Cast, network: str, daylight: Daylight
) -> None:
    daylight.become(tonight())
    queue(committed_cast.clinic, [CAPITAL])
    run_next_batch(MARKETING)
    daylight.become(tonight(12))
    assert claim(MARKETING, committed_cast.clinic.tenant.id)
    with tenant_scope(committed_cast.clinic.tenant.id):
        Batch.objects.filter(state="leased").update(leased_until=timezone.now() - timedelta(seconds=1))
    assert sweeps.release_expired_leases() == 1
    assert run_next_batch(MARKETING)
    assert statuses(committed_cast.clinic) == {CAPITAL: "accepted"}


def test_what_would_wait_too_long_expires_with_its_reason(
    committed_cast: Cast, network: str, daylight: Daylight
) -> None:
    daylight.become(tonight())
    queue(committed_cast.clinic, [CAPITAL], REMINDER, "reminder", tonight() - timedelta(hours=20))
    run_next_batch(REMINDER)
    with tenant_scope(committed_cast.clinic.tenant.id):
        message = Message.objects.get()
        assert (message.status, message.error_code) == ("expired", "quiet_hours")
        assert Batch.objects.get().state == "done"


def test_a_reminder_that_waited_is_not_too_old_in_the_morning(
    committed_cast: Cast, network: str, daylight: Daylight
) -> None:
    """A sender that is busy for a moment then costs it a moment, and not its life."""
    daylight.become(tonight())
    queue(committed_cast.clinic, [CAPITAL], REMINDER, "reminder")
    run_next_batch(REMINDER)
    daylight.become(tonight(12))
    with tenant_scope(committed_cast.clinic.tenant.id):
        now = timezone.now()
        Batch.objects.update(created_at=now - timedelta(hours=9), due_from=now)
        type(committed_cast.clinic.sender).objects.update(status="paused")
    run_next_batch(REMINDER)
    assert statuses(committed_cast.clinic) == {CAPITAL: "queued"}


@pytest.mark.parametrize(("minutes_left", "validity"), [(600, 4 * 3600), (30, 30 * 60 - 30), (1, None)])
def test_the_provider_may_keep_it_until_the_hours_end(
    committed_cast: Cast,
    network: str,
    daylight: Daylight,
    monkeypatch: pytest.MonkeyPatch,
    minutes_left: int,
    validity: int | None,
) -> None:
    asked: list[Any] = []
    real = dispatch.hand_over

    def seen(account: Any, requests: Any, **options: Any) -> Any:
        asked.extend(requests)
        return real(account, requests, **options)

    monkeypatch.setattr(dispatch, "hand_over", seen)
    daylight.become(tonight(21) - timedelta(minutes=minutes_left))
    queue(committed_cast.clinic, [CAPITAL])
    run_next_batch(MARKETING)
    assert [request.validity_seconds for request in asked] == ([] if validity is None else [validity])


def test_a_rule_that_an_admin_changes_counts_at_once(cast: Cast, daylight: Daylight) -> None:
    with tenant_scope(cast.clinic.tenant.id):
        record_opt_ins([OptIn(CAPITAL, "marketing", "web_form")], actor_id=None)
    before = decide(cast.clinic, CAPITAL)
    assert before.outcome == ALLOW
    QuietHoursRule.objects.create(
        jurisdiction="US-DC",
        name="District of Columbia",
        law="made up",
        week={day: [["15:00", "18:00"]] for day in WEEKDAYS},
        certainty="memory",
        sources="a test",
        effective_from=AFTERNOON.date(),
    )
    after = decide(cast.clinic, CAPITAL)
    assert after.until == AFTERNOON.replace(hour=20)
    assert after.data["hours"] != before.data["hours"], "each decision names the rules it was made by"
    daylight.become(AFTERNOON - timedelta(days=1))
    assert decide(cast.clinic, CAPITAL).outcome == ALLOW, "not in force yet"


def test_thousands_cost_as_many_queries_as_one(cast: Cast, django_assert_num_queries: Callable[..., Any]) -> None:
    def queries(count: int) -> int:
        candidates = [Candidate(f"+1{202 + n % 700}555{n:04d}") for n in range(count)]
        circumstances = Circumstances(tenant=cast.clinic.tenant, purpose="marketing")
        with tenant_scope(cast.clinic.tenant.id), CaptureQueriesContext(connection) as asked:
            decide_all(candidates, circumstances)
        return len(asked)

    queries(1)
    assert queries(3000) == queries(1)
