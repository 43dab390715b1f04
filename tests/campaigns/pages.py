"""What the tests of the campaign pages share."""

from collections.abc import Mapping
from typing import Any

from django.utils import timezone

from campaigns.models import Campaign, CampaignRecipient
from common.lanes import MARKETING
from contacts.models import Contact, ContactList
from messaging.models import Batch, Message
from messaging.pipeline.enqueue import Cause, Draft, enqueue
from messaging.pipeline.transitions import recount
from tenants.scope import tenant_scope
from tests.cast import Company

HOSTILE = "<script>alert(1)</script>\"'{{ x }}"
NOBODYS = "01900000-0000-7000-8000-000000000000"


def composed(people: ContactList, **changes: Any) -> dict[str, Any]:
    """What the composer sends."""
    typed = {
        "name": "Spring",
        "purpose": "marketing",
        "body": "Hi {{ first_name | there }}, spring is here",
        "stop_footer": "on",
        "lists": [str(people.id)],
    }
    return {**typed, **changes}


def reload(company: Company, campaign: Campaign) -> Campaign:
    with tenant_scope(company.tenant.id):
        return Campaign.objects.get(id=campaign.id)


def sent(company: Company, campaign: Campaign, statuses: Mapping[str, str]) -> Campaign:
    """The campaign as it is after its launch, with a message in the given status for each number."""
    with tenant_scope(company.tenant.id):
        now = timezone.now()
        drafts = [
            Draft(
                number=number,
                body="Spring",
                blocked=status == Message.Status.BLOCKED,
                decision={"rule": "person_agreed"}
                if status == Message.Status.BLOCKED
                else {"rule": "all_rules_passed"},
            )
            for number, status in statuses.items()
        ]
        batch, ids = enqueue(drafts, Cause(kind="campaign", id=campaign.id, lane=MARKETING, purpose="marketing"))
        for (number, status), message_id in zip(statuses.items(), ids, strict=True):
            Message.objects.filter(id=message_id).update(status=status)
            contact = Contact.objects.get(number=number)
            CampaignRecipient.objects.create(campaign=campaign, contact=contact, number=number, message_id=message_id)
        recount([batch.id])
        Batch.objects.filter(id=batch.id).update(state=Batch.State.DONE)
        Campaign.objects.filter(id=campaign.id).update(
            status=Campaign.Status.SENDING, launched_at=now, planned_at=now, audience_count=len(statuses)
        )
    return reload(company, campaign)
