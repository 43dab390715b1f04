"""Hours in which texts may go: the law's, which the platform's admins keep, and each tenant's own."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone

from consent.purposes import Purpose
from consent.quiet_hours import FEDERAL, RECIPIENT_LOCAL, UNKNOWN, WEEKDAYS, week_from
from consent.windows import DAY, zone_named
from tenants.owned import TenantOwned

__all__ = ["HolidayCalendar", "OwnHours", "QuietHoursRule", "validate_clock", "validate_days", "validate_week"]

_LAST_DAY: Final = date.max
ALWAYS_NEEDED: Final = (FEDERAL, UNKNOWN)


def validate_week(week: object) -> None:
    """Accept {"mon": [["08:00", "21:00"]], ..., "sun": []} only: every weekday, times in order, nothing twice."""
    try:
        if not isinstance(week, Mapping) or set(week) != set(WEEKDAYS):
            raise ValueError
        for windows in week_from(week):
            edges = [edge for window in windows for edge in window]
            if edges != sorted(set(edges)) or not all(0 <= edge <= DAY for edge in edges):
                raise ValueError
    except (ValueError, TypeError, AttributeError, KeyError):
        example = 'For every weekday its hours in order, such as {"mon": [["08:00", "21:00"]], ..., "sun": []}.'
        raise ValidationError(example) from None


def validate_clock(clock: str) -> None:
    if clock != RECIPIENT_LOCAL and zone_named(clock) is None:
        raise ValidationError(f"Write {RECIPIENT_LOCAL}, or a time zone such as America/Chicago.")


def validate_days(days: object) -> None:
    try:
        if not isinstance(days, Mapping):
            raise TypeError
        for day in days:
            date.fromisoformat(day)
    except (ValueError, TypeError):
        raise ValidationError('Write days with their names, such as {"2027-07-24": "Pioneer Day"}.') from None


class HolidayCalendar(models.Model):
    """Days on which some laws allow no offers, for some years. It belongs to the platform: laws are everybody's."""

    name = models.CharField(max_length=20, unique=True)
    days = models.JSONField(validators=[validate_days])
    first_year = models.PositiveSmallIntegerField()
    last_year = models.PositiveSmallIntegerField(help_text="Of a later year no day counts as open: nobody has looked.")
    source = models.TextField()
    changed_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"{self.name} {self.first_year}-{self.last_year}"


class QuietHoursRule(models.Model):
    """The hours of one jurisdiction for some time. Belongs to the platform. A law that changes gets a new row, and the
    old one its end: what a message was decided by can be read later."""

    jurisdiction = models.CharField(max_length=6, help_text="US-FL, FR; * for countries without a row.")
    name = models.CharField(max_length=80)
    law = models.TextField()
    clock = models.CharField(
        max_length=64,
        default=RECIPIENT_LOCAL,
        validators=[validate_clock],
        help_text="recipient_local, or the time zone that the law itself names.",
    )
    week = models.JSONField("hours in which offers may go", validators=[validate_week])
    calendar = models.ForeignKey(HolidayCalendar, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    certainty = models.CharField(max_length=40)
    sources = models.TextField()
    notes = models.TextField(blank=True)
    effective_from = models.DateField(null=True, blank=True, help_text="The first day; empty: always.")
    effective_until = models.DateField(null=True, blank=True, help_text="The first day without it; empty: for ever.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["jurisdiction", "effective_from", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["jurisdiction", "effective_from"], nulls_distinct=False, name="quiet_hours_rule_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.jurisdiction} {self.name}"

    def clean(self) -> None:
        self.jurisdiction = self.jurisdiction.strip().upper()
        if self.effective_from and self.effective_from >= (self.effective_until or _LAST_DAY):
            raise ValidationError({"effective_until": "It ends before it begins."})
        if self.jurisdiction in ALWAYS_NEEDED and (self.effective_from or self.effective_until):
            raise ValidationError(
                "This row holds for everybody at any time: change its hours, and leave its dates empty."
            )


class OwnHours(TenantOwned):
    """The hours of the week in which a tenant's texts of one purpose may go, on every clock that the person may live by.

    They narrow what the law allows and never widen it. Without a row the default of the purpose holds
    (``consent.own_hours``).
    """

    purpose = models.CharField(max_length=14, choices=Purpose)
    week = models.JSONField(validators=[validate_week])
    changed_at = models.DateTimeField(auto_now=True)

    class Meta(TenantOwned.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "purpose"], name="own_hours_once")]

    @classmethod
    def of(cls, purpose: str) -> "dict[str, Any] | None":
        """The tenant's week for the purpose, if it chose one."""
        return cls.objects.filter(purpose=purpose).values_list("week", flat=True).first()

    def __str__(self) -> str:
        return f"“{self.get_purpose_display()}”"
