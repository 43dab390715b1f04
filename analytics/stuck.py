"""All that does not move on in the active tenant."""

from campaigns import stuck as campaigns_stuck
from common.findings import Finding
from consent import stuck as consent_stuck
from contacts import stuck as contacts_stuck
from messaging import stuck as messaging_stuck
from tenants import stuck as tenants_stuck

__all__ = ["everything_stuck"]


def everything_stuck() -> list[Finding]:
    """What the apps find, the gravest first."""
    apps = (messaging_stuck, consent_stuck, campaigns_stuck, contacts_stuck, tenants_stuck)
    return [finding for app in apps for finding in app.findings()]
