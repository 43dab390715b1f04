"""Who a campaign is for: its audience while it is a draft, its frozen recipients after launch."""

import json
from hashlib import sha256
from typing import Final

from django.db import connection

from campaigns.models import AudienceChoice, Campaign, CampaignRecipient
from contacts.audience import Audience, members
from contacts.models import ContactFilter

__all__ = ["audience_of", "campaigns_using", "freeze", "version_of"]

FREEZE_SECONDS: Final = 300


def audience_of(campaign: Campaign) -> Audience:
    """The lists, tags and filters chosen for a campaign."""
    choices = list(AudienceChoice.objects.filter(campaign=campaign))
    return Audience(
        everyone=campaign.everyone,
        lists=[choice.contact_list_id for choice in choices if choice.contact_list_id and not choice.excluded],
        tags=[choice.tag_id for choice in choices if choice.tag_id and not choice.excluded],
        excluded_lists=[choice.contact_list_id for choice in choices if choice.contact_list_id and choice.excluded],
        excluded_tags=[choice.tag_id for choice in choices if choice.tag_id and choice.excluded],
        filters=[one.contact_filter_id for one in choices if one.contact_filter_id and not one.excluded],
        excluded_filters=[one.contact_filter_id for one in choices if one.contact_filter_id and one.excluded],
    )


def version_of(campaign: Campaign) -> str:
    """What a draft says and to whom, in short: it is another one after any change."""
    chosen = audience_of(campaign)
    parts = (chosen.lists, chosen.tags, chosen.excluded_lists, chosen.excluded_tags)
    ids = [sorted(map(str, part)) for part in (*parts, chosen.filters, chosen.excluded_filters)]
    used = ContactFilter.objects.filter(id__in=[*chosen.filters, *chosen.excluded_filters]).order_by("id")
    rules = [json.dumps(kept.rule, sort_keys=True) for kept in used]
    sent_from = f"{campaign.sender_id} {campaign.pool_id}"
    said = (campaign.text, campaign.purpose, sent_from, chosen.everyone, ids, rules)
    return sha256(repr(said).encode()).hexdigest()[:32]


def campaigns_using(kept: ContactFilter) -> list[str]:
    """The names of the campaigns that are still to be launched with the filter."""
    waiting = (Campaign.Status.DRAFT, Campaign.Status.SCHEDULED)
    used = AudienceChoice.objects.filter(contact_filter=kept).values("campaign_id")
    return list(
        Campaign.objects.filter(id__in=used, status__in=waiting).order_by("name").values_list("name", flat=True)
    )


def freeze(campaign: Campaign) -> int:
    """Write down every member of the audience, once; again changes nothing. Returns how many there are.

    In a transaction of its own, and on fresh statistics (``common.planner``): it is one statement over many rows.
    """
    chosen = members(audience_of(campaign)).order_by("id").values("id", "number")
    sql, parameters = chosen.query.sql_with_params()
    with connection.cursor() as cursor:
        # A million people take longer than any other statement may.
        cursor.execute("SET LOCAL statement_timeout = %s", [f"{FREEZE_SECONDS}s"])
        cursor.execute(
            f"INSERT INTO {CampaignRecipient._meta.db_table} (id, tenant_id, campaign_id, contact_id, number) "  # noqa: S608
            f"SELECT gen_random_uuid(), %s, %s, chosen.id, chosen.number FROM ({sql}) chosen "
            "ON CONFLICT DO NOTHING",
            [campaign.tenant_id, campaign.id, *parameters],
        )
        cursor.execute(
            f"SELECT count(*) FROM {CampaignRecipient._meta.db_table} WHERE tenant_id = %s AND campaign_id = %s",  # noqa: S608
            [campaign.tenant_id, campaign.id],
        )
        (count,) = cursor.fetchone()
        # Checked here rather than at commit, when the campaign's row is locked and its buttons would wait.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        return int(count)
