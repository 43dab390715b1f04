"""Settings: a tenant's own hours as a week, changed by those who may, recorded, and stricter than the law only."""

import pytest
from django.test import Client
from django.urls import reverse

from consent.models import OwnHours
from consent.own_hours import week_in_force
from consent.quiet_hours import WEEKDAYS
from tenants.models import AuditEntry
from tenants.scope import tenant_scope
from tests.cast import Cast
from tests.web import sign_in, text_of

pytestmark = pytest.mark.django_db


def typed(start: str = "10:00", end: str = "18:00", **changes: str) -> dict[str, str]:
    week = {f"{day}_from": start for day in WEEKDAYS} | {f"{day}_until": end for day in WEEKDAYS}
    return {**week, "sun_from": "", "sun_until": "", **changes}


def test_the_week_is_shown_and_changed(client: Client, cast: Cast) -> None:
    sign_in(client, cast.mona, cast.clinic.tenant)
    page = text_of(client.get(reverse("compliance")))
    assert "08:00-20:30" in page
    assert "Any hour that the law allows" in page
    assert client.get(reverse("own_hours_edit", args=["marketing"])).status_code == 200
    answer = client.post(reverse("own_hours_edit", args=["marketing"]), typed())
    assert answer["Location"] == reverse("compliance")
    with tenant_scope(cast.clinic.tenant.id):
        week = week_in_force("marketing")
        assert (week["mon"], week["sun"]) == ([["10:00", "18:00"]], [])
        entry = AuditEntry.objects.get(action="consent.hours_changed")
        assert (entry.actor_name, entry.before["mon"], entry.after["mon"], entry.after["sun"]) == (
            "Mona",
            "any hour",
            "10:00-18:00",
            "no texts",
        )
    assert "10:00-18:00" in text_of(client.get(reverse("compliance")))
    with tenant_scope(cast.shop.tenant.id):
        assert not OwnHours.objects.exists()


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"mon_until": ""}, "Choose both times of Monday"),
        ({"mon_from": "19:00"}, "It ends before it begins"),
        ({"mon_from": "25:00"}, "Select a valid choice"),
        ({f"{day}_{end}": "" for day in WEEKDAYS for end in ("from", "until")}, "nothing would ever go"),
    ],
)
def test_what_is_no_week_is_refused(client: Client, cast: Cast, changes: dict[str, str], problem: str) -> None:
    sign_in(client, cast.alice, cast.clinic.tenant)
    answer = client.post(reverse("own_hours_edit", args=["reminder"]), typed(**changes))
    assert answer.status_code == 422
    assert problem in text_of(answer)
    with tenant_scope(cast.clinic.tenant.id):
        assert not OwnHours.objects.exists()


def test_agents_may_not_and_codes_have_no_hours(client: Client, cast: Cast) -> None:
    sign_in(client, cast.bob, cast.clinic.tenant)
    assert client.post(reverse("own_hours_edit", args=["marketing"]), typed()).status_code == 403
    assert reverse("own_hours_edit", args=["marketing"]) not in text_of(client.get(reverse("compliance")))
    sign_in(client, cast.alice, cast.clinic.tenant)
    assert (
        client.post(
            reverse("own_hours_edit", args=["reminder"]).replace("reminder", "verification"), typed()
        ).status_code
        == 404
    )
