"""Platform admin: the laws about consent that is only inferred."""

from django.contrib import admin

from consent.hours_admin import KeptAdmin
from consent.models import ImpliedConsentLaw

__all__ = ["ImpliedConsentLawAdmin"]


@admin.register(ImpliedConsentLaw)
class ImpliedConsentLawAdmin(KeptAdmin[ImpliedConsentLaw]):
    """For how long consent to offers counts that a country infers. They count from the next batch on.

    A law that changes: give its row an end, and add a row that begins on that day.
    """

    list_display = ("jurisdiction", "name", "basis", "months", "certainty", "effective_from", "effective_until")
    search_by = "jurisdiction"
    ordering = ("jurisdiction", "basis", "effective_from", "id")
    fields = (
        "jurisdiction",
        "name",
        "law",
        "basis",
        "months",
        "certainty",
        "sources",
        "notes",
        "effective_from",
        "effective_until",
        "changed_at",
    )
    readonly_fields = ("changed_at",)
