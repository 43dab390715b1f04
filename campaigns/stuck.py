"""Campaigns of the active tenant that do not move on."""

from collections.abc import Iterator

from campaigns.models import Campaign
from common.findings import Finding, stuck_rows

__all__ = ["findings"]


def findings() -> Iterator[Finding]:
    """Campaigns whose planning fails."""
    yield from stuck_rows(
        Campaign.objects.filter(Campaign.TO_PLAN, plan_failures__gt=0),
        "launched_at",
        what="Campaigns could not be prepared",
        advice="It is tried again, at the latest every five minutes. The workers' log names the cause.",
        url_name="campaigns",
    )
