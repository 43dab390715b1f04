"""What the audit log keeps of a campaign: its settings and its audience by name, never its text."""

from collections.abc import Iterable

from campaigns.models import AudienceChoice, Campaign
from tenants.audit import record

__all__ = ["audience_names", "record_draft"]


def record_draft(known: Campaign | None, campaign: Campaign) -> None:
    """A draft was written; ``known`` is how it was before, if it is not new."""
    if known is None:
        record("campaign.created", target=campaign, after=_settings(campaign))
        return
    before, after = _settings(known), _settings(campaign)
    if known.body != campaign.body:
        after["text"] = "new"
    if before != after:
        record("campaign.changed", target=campaign, before=before, after=after)


def audience_names(campaign: Campaign) -> dict[str, object]:
    """Who it is for, in words."""
    choices = list(
        AudienceChoice.objects.filter(campaign=campaign).select_related("contact_list", "tag", "contact_filter")
    )
    return {
        "everyone": campaign.everyone,
        "included": _names(choice for choice in choices if not choice.excluded),
        "excluded": _names(choice for choice in choices if choice.excluded),
    }


def _names(choices: Iterable[AudienceChoice]) -> list[str]:
    return sorted(str(choice.contact_list or choice.tag or choice.contact_filter) for choice in choices)


def _settings(campaign: Campaign) -> dict[str, object]:
    return {
        "name": campaign.name,
        "purpose": campaign.purpose,
        "stop_footer": campaign.stop_footer,
        "sender": str(campaign.sender or campaign.pool or "") or None,
    }
