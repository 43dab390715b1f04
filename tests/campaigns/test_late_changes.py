"""Two people, two clicks, or a person and a worker at once: the first one wins, the second is told."""

from collections.abc import Callable
from datetime import timedelta
from itertools import product
from threading import Barrier, Thread

import pytest
from django.db import connection
from django.utils import timezone

from campaigns import services
from campaigns.models import Campaign
from campaigns.recipients import audience_of
from tenants.scope import tenant_scope
from tests.campaigns.conftest import NUMBERS, make_draft, make_list
from tests.campaigns.pages import reload
from tests.cast import Cast

NOW = timezone.now()

LATE: dict[str, Callable[[Campaign], object]] = {
    "save": lambda stale: services.save_draft(campaign=stale, known_tags={"first_name"}),
    "choose": lambda stale: services.choose_audience(campaign=stale, lists=[], tags=[], everyone=True),
    "schedule": lambda stale: services.schedule(campaign=stale, at=timezone.now() + timedelta(hours=1)),
    "launch": lambda stale: services.launch(campaign=stale),
    "unschedule": lambda stale: services.unschedule(campaign=stale),
    "pause": lambda stale: services.pause(campaign=stale),
    "resume": lambda stale: services.resume(campaign=stale),
    "cancel": lambda stale: services.cancel(campaign=stale),
}
ALLOWED = {
    "save": {"draft"},
    "choose": {"draft"},
    "schedule": {"draft"},
    "launch": {"draft", "scheduled"},
    "unschedule": {"scheduled"},
    "pause": {"launching", "sending"},
    "resume": {"paused"},
    "cancel": {"scheduled", "launching", "sending", "paused"},
}


@pytest.mark.parametrize("action", LATE)
def test_only_the_status_in_the_database_counts(cast: Cast, draft: Campaign, action: str) -> None:
    """Whatever somebody's page showed: what may be done depends on what the campaign is now, and nothing else is lost."""
    with tenant_scope(cast.clinic.tenant.id):
        for became, shown in product(Campaign.Status.values, repeat=2):
            stored = {"status": became, "audience_count": 6, "launched_at": NOW, "planned_at": NOW, "name": "Spring"}
            Campaign.objects.filter(id=draft.id).update(**stored)
            stale = Campaign(**{**_values(draft), "status": shown, "name": "Late", "audience_count": 0})
            stale._state.adding = False
            audience = audience_of(draft)
            if became in ALLOWED[action]:
                LATE[action](stale)
                now = Campaign.objects.get(id=draft.id)
                assert (now.status == became) is (action in ("save", "choose"))
                assert now.name == ("Late" if action == "save" else "Spring")
                assert now.audience_count == 6
                assert action != "resume" or now.status == "sending", "it had been planned"
            else:
                with pytest.raises(services.MovedOn):
                    LATE[action](stale)
                assert _values(Campaign.objects.get(id=draft.id)).items() >= stored.items()
                assert audience_of(draft) == audience


def _values(campaign: Campaign) -> dict[str, object]:
    return {field.attname: getattr(campaign, field.attname) for field in Campaign._meta.fields}


def at_once(count: int, work: Callable[[], object]) -> list[object]:
    """What each of so many threads got that do the same at the same time: a result or an error."""
    barrier, answers = Barrier(count), []

    def run() -> None:
        barrier.wait()
        try:
            answers.append(work())
        except services.MovedOn as error:
            answers.append(error)
        finally:
            connection.close()

    threads = [Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("action", ["launch", "schedule"])
def test_of_many_clicks_at_once_one_counts(committed_cast: Cast, action: str) -> None:
    clinic = committed_cast.clinic
    campaign = make_draft(clinic, make_list(clinic, NUMBERS))

    def click() -> object:
        with tenant_scope(clinic.tenant.id):
            mine = Campaign.objects.get(id=campaign.id)
            assert mine.status in ("draft", "launching", "scheduled")
            LATE[action](mine)
            return mine.launched_at or mine.scheduled_at

    answers = at_once(4, click)
    refused = [answer for answer in answers if isinstance(answer, services.MovedOn)]
    (counted,) = [answer for answer in answers if answer not in refused]
    assert len(refused) == 3
    assert {message for error in refused for message in error.messages} == {
        f"This campaign was {'started' if action == 'launch' else 'scheduled'} meanwhile."
    }
    found = reload(clinic, campaign)
    assert (found.launched_at or found.scheduled_at) == counted


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("attempt", range(3))
def test_a_change_is_saved_before_the_launch_or_not_at_all(committed_cast: Cast, attempt: int) -> None:
    clinic = committed_cast.clinic
    campaign = make_draft(clinic, make_list(clinic, NUMBERS))
    barrier = Barrier(2)

    def launch_or_change() -> str:
        with tenant_scope(clinic.tenant.id):
            mine = Campaign.objects.get(id=campaign.id)
            if barrier.wait() == 0:
                services.launch(campaign=mine)
                return "launched"
            mine.body = "New"
            services.save_draft(campaign=mine, known_tags=())
            services.choose_audience(campaign=mine, lists=[], tags=[], everyone=True)
            return "saved"

    answers = at_once(2, launch_or_change)
    assert "launched" in answers
    found = reload(clinic, campaign)
    assert found.status == "launching"
    assert (found.body == "New", found.everyone) == (("saved" in answers),) * 2
