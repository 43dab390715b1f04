"""Platform admin: a tenant's consent ledger, to look at."""

from django.contrib import admin

from consent.frequency_admin import FrequencyLawAdmin
from consent.hours_admin import HolidayCalendarAdmin, QuietHoursRuleAdmin
from consent.models import ConsentRecord, PossibleOptOut, Suppression
from consent.validity_admin import ImpliedConsentLawAdmin
from tenants.platform_admin import TenantDataAdmin, masked_number, masked_text

__all__ = [
    "ConsentRecordAdmin",
    "FrequencyLawAdmin",
    "HolidayCalendarAdmin",
    "ImpliedConsentLawAdmin",
    "PossibleOptOutAdmin",
    "QuietHoursRuleAdmin",
    "SuppressionAdmin",
]


@admin.register(ConsentRecord)
class ConsentRecordAdmin(TenantDataAdmin[ConsentRecord]):
    """Entries of the ledger."""

    masked_number = masked_number()
    masked_wording = masked_text("wording")
    list_display = ("recorded_at", "masked_number", "act", "purpose", "source", "occurred_at")
    search_by = "number"
    fields = ("masked_number", "act", "purpose", "source", "masked_wording", "occurred_at", "recorded_at")
    reveals = ("number", "wording", "evidence")


@admin.register(Suppression)
class SuppressionAdmin(TenantDataAdmin[Suppression]):
    """Numbers that must not be texted."""

    masked_number = masked_number()
    list_display = ("since", "masked_number", "reason", "lifted_at")
    search_by = "number"
    fields = ("masked_number", "reason", "since", "lifted_at", "record_id")
    reveals = ("number",)


@admin.register(PossibleOptOut)
class PossibleOptOutAdmin(TenantDataAdmin[PossibleOptOut]):
    """Texts that may have asked to stop."""

    masked_number = masked_number()
    masked_wording = masked_text("wording")
    list_display = ("raised_at", "masked_number", "settled_at")
    search_by = "number"
    fields = ("masked_number", "masked_wording", "raised_at", "settled_at")
    reveals = ("number", "wording", "evidence")
