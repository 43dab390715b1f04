"""The limits of a tenant in trial, for the gate: asked for a whole batch, counted where texts are handed over."""

from collections.abc import Collection
from datetime import date
from zoneinfo import ZoneInfo

from django.db.models import F, Q
from django.utils.timezone import now

from tenants.models import Tenant, TrialDay, TrialNumber

__all__ = ["count_texts", "reachable_in_trial", "texts_left"]


def reachable_in_trial(numbers: Collection[str]) -> frozenset[str]:
    """Those of the numbers that a tenant in trial may text: guests' and confirmed ones of its members."""
    own = Q(confirmed_at__isnull=False, member__is_active=True)
    allowed = TrialNumber.objects.filter(Q(member=None) | own, number__in=list(numbers))
    return frozenset(allowed.values_list("number", flat=True))


def texts_left(tenant: Tenant, *, lock: bool) -> int:
    """How many texts the tenant may still hand over today.

    ``lock`` keeps everybody else from counting until this transaction ends, so that two batches cannot share the rest.
    """
    if lock:
        TrialDay.objects.bulk_create([TrialDay(day=_today(tenant))], ignore_conflicts=True)
    days = TrialDay.objects.select_for_update() if lock else TrialDay.objects
    used = days.filter(day=_today(tenant)).values_list("text_count", flat=True).first() or 0
    return max(0, tenant.trial_texts_per_day - used)


def count_texts(tenant: Tenant, number: int) -> None:
    """So many more texts are handed over today."""
    TrialDay.objects.filter(day=_today(tenant)).update(text_count=F("text_count") + number)


def _today(tenant: Tenant) -> date:
    return now().astimezone(ZoneInfo(tenant.timezone)).date()
