"""Laws about hours are data: a platform admin changes them, a change counts at once, and its history can be read."""

import json
from datetime import UTC, date, datetime

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from consent.carried_rules import store_carried_rules
from consent.models import HolidayCalendar, QuietHoursRule
from consent.quiet_hours import WEEKDAYS, carried, is_allowed
from consent.quiet_table import table_in_force
from tests.platform_admin import ada
from tests.web import text_of

pytestmark = pytest.mark.django_db

NOON = datetime(2027, 1, 13, 18, tzinfo=UTC)
CHICAGO = {"zones": ["America/Chicago"], "jurisdictions": ["US-IL"]}


@pytest.fixture(autouse=True)
def _stored() -> None:
    """As the migration left it; a test that empties the database may have run before."""
    store_carried_rules(HolidayCalendar, QuietHoursRule)


def post(client: Client, rule: QuietHoursRule, **changes: object) -> int:
    fields = ("jurisdiction", "name", "law", "clock", "certainty", "sources", "notes")
    form = {name: getattr(rule, name) for name in fields} | {"week": json.dumps(rule.week)} | changes
    return client.post(reverse("admin:consent_quiethoursrule_change", args=[rule.pk]), form).status_code


def test_the_stored_rules_are_those_that_the_project_carries() -> None:
    stored, known = table_in_force(), carried()
    assert set(stored.rules) == set(known.rules)
    for code, (rule,) in known.rules.items():
        (same,) = stored.rules[code]
        assert (same.clock, same.hours.week, same.hours.holidays, same.hours.years) == (
            rule.clock,
            rule.hours.week,
            rule.hours.holidays,
            rule.hours.years,
        )


def test_storing_them_again_touches_nothing_that_was_changed() -> None:
    QuietHoursRule.objects.filter(jurisdiction="US-IL").update(name="Changed")
    assert store_carried_rules(HolidayCalendar, QuietHoursRule) == 0
    assert QuietHoursRule.objects.get(jurisdiction="US-IL").name == "Changed"


def test_a_change_counts_at_once_and_stands_in_the_history(client: Client) -> None:
    ada(client)
    before = table_in_force()
    assert is_allowed(NOON, **CHICAGO, table=before)
    rule = QuietHoursRule.objects.get(jurisdiction="US-IL")
    assert post(client, rule, week=json.dumps({day: [["14:00", "20:00"]] for day in WEEKDAYS})) == 302
    after = table_in_force()
    assert after.version != before.version
    assert not is_allowed(NOON, **CHICAGO, table=after)
    history = text_of(client.get(reverse("admin:consent_quiethoursrule_history", args=[rule.pk])))
    assert "09:00" in history
    assert "14:00" in history
    assert "ada@platform.example" in history


def test_a_law_has_a_first_and_a_last_day() -> None:
    rule = QuietHoursRule.objects.get(jurisdiction="US-IL")
    rule.effective_until = date(2027, 1, 13)
    rule.save()
    week = {day: [["14:00", "20:00"]] for day in WEEKDAYS}
    QuietHoursRule.objects.create(
        jurisdiction="US-IL", name="Illinois", law="new", week=week, certainty="memory", sources="-",
        effective_from=date(2027, 1, 13),
    )  # fmt: skip
    assert is_allowed(NOON.replace(day=12), **CHICAGO, table=table_in_force())
    assert not is_allowed(NOON, **CHICAGO, table=table_in_force())


@pytest.mark.parametrize(
    "changes",
    [
        {"week": "{}"},
        {"week": json.dumps({day: [["21:00", "08:00"]] for day in WEEKDAYS})},
        {"week": json.dumps({day: [["08:00", "25:00"]] for day in WEEKDAYS})},
        {"week": json.dumps(dict.fromkeys(WEEKDAYS, "09:00"))},
        {"clock": "Mars/Olympus"},
        {"effective_from": "2027-02-01", "effective_until": "2027-01-01"},
    ],
)
def test_what_is_no_rule_is_refused(client: Client, changes: dict[str, str]) -> None:
    ada(client)
    rule = QuietHoursRule.objects.get(jurisdiction="US-IL")
    assert post(client, rule, **changes) == 200
    known = QuietHoursRule.objects.get(pk=rule.pk)
    assert (known.week, known.clock, known.effective_from) == (rule.week, rule.clock, None)


def test_the_row_that_holds_for_everybody_never_ends() -> None:
    federal = QuietHoursRule.objects.get(jurisdiction="US")
    federal.effective_until = date(2027, 1, 1)
    with pytest.raises(ValidationError):
        federal.full_clean()


def test_without_any_row_those_that_the_project_carries_hold() -> None:
    QuietHoursRule.objects.all().delete()
    HolidayCalendar.objects.all().delete()
    assert table_in_force() is carried()
