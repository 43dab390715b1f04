"""Hints lapse by the broker's clock; the ticker goes by one that nobody sets."""

import time
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from celery import current_app
from celery.schedules import schedule
from django.core.cache import cache

from messaging.tasks import HEARTBEAT_KEY, beat_heartbeat
from smsplatform.schedule import SCHEDULE, Ticker, intervals


@pytest.mark.parametrize(("age", "done"), [(-5.0, True), (5.0, False)])
def test_a_hint_that_waited_too_long_is_not_carried_out(age: float, done: bool) -> None:
    beat_heartbeat.push_request(headers={"lapses_at": time.time() - age})
    beat_heartbeat()
    beat_heartbeat.pop_request()
    assert (cache.get(HEARTBEAT_KEY) is not None) is done


def test_without_the_broker_nothing_lapses(settings: Any) -> None:
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/0"}}
    beat_heartbeat.push_request(headers={"lapses_at": 1.0})
    assert not beat_heartbeat._has_lapsed()
    beat_heartbeat.pop_request()


@pytest.mark.parametrize("steady", [True, False])
def test_a_ticker_whose_clock_is_set_back_goes_on(steady: bool) -> None:
    """By the machine's clock (counter-proof) it would not tick for an hour."""
    entry = Ticker(current_app).schedule["wake-lanes"]
    if not steady:
        entry.schedule = schedule(timedelta(seconds=1), app=current_app)
    entry = entry._next_instance(entry.default_now())
    with time_machine.travel(time.time() - 3600, tick=True):
        wait = entry.is_due().next
    assert (wait <= 1) is steady


def test_intervals_are_those_of_the_schedule() -> None:
    assert intervals()["messaging.sweep"] == 5.0
    assert len(intervals()) == len(SCHEDULE)
