"""Recipients of two contacts that become one."""

from django.db.models import Exists, OuterRef

from campaigns.models import Campaign, CampaignRecipient
from contacts.merging import Merger

__all__ = ["move_recipients"]


def move_recipients(merger: Merger) -> None:
    """Campaigns that reached the contact that goes reached the one that stays.

    Where both were recipients, each row stays as it was; one without a message yet is told apart when it is planned.
    """
    rows = CampaignRecipient.objects.filter(
        campaign_id__in=Campaign.objects.values("id"), number__in=list(merger.numbers), contact_id=merger.gone_id
    )
    both = CampaignRecipient.objects.filter(campaign_id=OuterRef("campaign_id"), contact_id=merger.kept_id)
    rows.exclude(Exists(both)).update(contact_id=merger.kept_id)
