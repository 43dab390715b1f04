"""Ada, who runs the platform, at work in the platform admin."""

from allauth.mfa.models import Authenticator
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from consent.models import FrequencyLaw, HolidayCalendar, ImpliedConsentLaw, QuietHoursRule
from consent.quiet_hours import WEEKDAYS
from tenants.models import Tenant, User
from tests.cast import PASSWORD
from tests.web import confirm

__all__ = ["ada", "laws", "work_on"]


def ada(client: Client) -> User:
    """The client as a platform admin with a second step, who signed in just now."""
    user = User.objects.filter(email="ada@platform.example").first() or User.objects.create_user(
        "ada@platform.example", PASSWORD, name="Ada", is_staff=True
    )
    Authenticator.objects.get_or_create(user=user, type=Authenticator.Type.TOTP, defaults={"data": {"secret": ""}})
    client.force_login(user)
    confirm(client, user)
    return user


def work_on(client: Client, tenant: Tenant) -> None:
    """Choose the tenant whose data the lists show."""
    answer = client.post(reverse("admin:tenants_tenant_work", args=[tenant.id]))
    assert answer.status_code == 302


def laws() -> dict[str, Model]:
    """One row of what the platform knows about hours, frequency and implied consent."""
    calendar = HolidayCalendar.objects.create(
        name="Test", days={"2027-07-24": "Pioneer Day"}, first_year=2027, last_year=2027, source="a test"
    )
    week = {day: [["09:00", "20:00"]] for day in WEEKDAYS}
    rule = QuietHoursRule.objects.create(
        jurisdiction="US-XX",
        name="Nowhere",
        law="made up",
        week=week,
        calendar=calendar,
        certainty="memory",
        sources="-",
    )
    limit = FrequencyLaw.objects.create(
        jurisdiction="US-XX", name="Nowhere", law="none", texts=3, certainty="memory", sources="a test"
    )
    window = ImpliedConsentLaw.objects.create(
        jurisdiction="XX", name="Nowhere", law="none", basis="inquiry", months=3, certainty="memory", sources="a test"
    )
    return {
        "quiethoursrule": rule,
        "holidaycalendar": calendar,
        "frequencylaw": limit,
        "impliedconsentlaw": window,
    }
