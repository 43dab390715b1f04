"""Platform admin: the laws about how often people may get offers."""

from django.contrib import admin

from consent.hours_admin import KeptAdmin
from consent.models import FrequencyLaw

__all__ = ["FrequencyLawAdmin"]


@admin.register(FrequencyLaw)
class FrequencyLawAdmin(KeptAdmin[FrequencyLaw]):
    """How many offers somebody may get, by jurisdiction. They count from the next batch on.

    A law that changes: give its row an end, and add a row that begins on that day.
    """

    list_display = ("jurisdiction", "name", "texts", "hours", "certainty", "effective_from", "effective_until")
    search_by = "jurisdiction"
    ordering = ("jurisdiction", "effective_from", "id")
    fields = (
        "jurisdiction",
        "name",
        "law",
        "texts",
        "hours",
        "certainty",
        "sources",
        "notes",
        "effective_from",
        "effective_until",
        "changed_at",
    )
    readonly_fields = ("changed_at",)
