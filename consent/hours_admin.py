"""Platform admin: the laws about hours, kept as data, with a history of who changed what."""

import json
from typing import Any

from django.contrib import admin
from django.forms import Form
from django.http import HttpRequest

from consent.models import HolidayCalendar, QuietHoursRule
from tenants.platform_admin import ModelT, PlatformAdmin

__all__ = ["HolidayCalendarAdmin", "KeptAdmin", "QuietHoursRuleAdmin"]


class KeptAdmin(PlatformAdmin[ModelT]):
    """Rows that are added and changed, never deleted; the history of each says what was there before."""

    may_add = True
    may_change = True

    def construct_change_message(
        self,
        request: HttpRequest,
        form: Form,
        formsets: Any,
        add: bool = False,  # noqa: FBT001, FBT002 - as Django calls it
    ) -> Any:
        if add:
            return "Added: " + _as_text({name: form.cleaned_data[name] for name in form.cleaned_data})
        changed = (
            f"{name} from {_as_text(form.initial.get(name))} to {_as_text(form.cleaned_data[name])}"
            for name in form.changed_data
        )
        return "Changed " + "; ".join(changed) if form.changed_data else "Changed nothing"


def _as_text(value: object) -> str:
    return json.dumps(value, default=str, ensure_ascii=False, sort_keys=True)


@admin.register(QuietHoursRule)
class QuietHoursRuleAdmin(KeptAdmin[QuietHoursRule]):
    """When offers may go, by jurisdiction. They count from the next batch on.

    A law that changes: give its row an end, and add a row that begins on that day.
    """

    list_display = ("jurisdiction", "name", "certainty", "effective_from", "effective_until", "changed_at")
    search_by = "jurisdiction"
    ordering = ("jurisdiction", "effective_from", "id")
    fields = (
        "jurisdiction",
        "name",
        "law",
        "clock",
        "week",
        "calendar",
        "certainty",
        "sources",
        "notes",
        "effective_from",
        "effective_until",
        "changed_at",
    )
    readonly_fields = ("changed_at",)


@admin.register(HolidayCalendar)
class HolidayCalendarAdmin(KeptAdmin[HolidayCalendar]):
    """Days on which some of the rules allow no offers."""

    list_display = ("name", "first_year", "last_year", "changed_at")
    search_by = "name"
    ordering = ("name",)
    fields = ("name", "days", "first_year", "last_year", "source", "changed_at")
    readonly_fields = ("changed_at",)
