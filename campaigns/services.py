"""What can be done with campaigns."""

from collections.abc import Collection
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from campaigns.models import AudienceChoice, Campaign
from campaigns.recipients import audience_of
from campaigns.tasks import plan
from common.tasks import enqueue_on_commit
from consent.purposes import Purpose
from contacts.audience import members
from contacts.models import ContactList, Tag
from messaging.merge_tags import problems
from messaging.services import cancel_batches, hold_batches
from messaging.services.sending import MAX_BODY

__all__ = ["cancel", "choose_audience", "launch", "pause", "resume", "save_draft", "schedule", "unschedule"]


def save_draft(*, campaign: Campaign, known_tags: Collection[str]) -> Campaign:
    """Create or change a draft; raises ``ValidationError`` by field."""
    _require(campaign, Campaign.Status.DRAFT)
    campaign.name = campaign.name.strip()
    if campaign.purpose != Purpose.MARKETING:
        campaign.stop_footer = False
    found = problems(campaign.body, known_tags)
    if found:
        raise ValidationError({"body": found})
    _require_sendable_length(campaign)
    written = {"name", "purpose", "body", "stop_footer"}
    campaign.clean_fields(exclude={field.name for field in Campaign._meta.fields} - written)
    campaign.save()
    return campaign


@transaction.atomic
def choose_audience(
    *,
    campaign: Campaign,
    lists: Collection[ContactList],
    tags: Collection[Tag],
    excluded_lists: Collection[ContactList] = (),
    excluded_tags: Collection[Tag] = (),
    everyone: bool = False,
) -> None:
    """Say who a draft is for."""
    _require(campaign, Campaign.Status.DRAFT)
    both = {one.id for one in (*lists, *tags)} & {one.id for one in (*excluded_lists, *excluded_tags)}
    if both:
        raise ValidationError("A list or tag cannot be included and excluded at once.")
    campaign.everyone = everyone
    campaign.save(update_fields=["everyone"])
    AudienceChoice.objects.filter(campaign=campaign).delete()
    choices = [AudienceChoice(campaign=campaign, contact_list=one, excluded=True) for one in excluded_lists]
    choices += [AudienceChoice(campaign=campaign, tag=one, excluded=True) for one in excluded_tags]
    if not everyone:
        choices += [AudienceChoice(campaign=campaign, contact_list=one) for one in lists]
        choices += [AudienceChoice(campaign=campaign, tag=one) for one in tags]
    AudienceChoice.objects.bulk_create(choices)


def schedule(*, campaign: Campaign, at: datetime) -> None:
    """Launch a draft at a later time."""
    _require(campaign, Campaign.Status.DRAFT)
    _require_complete(campaign)
    if at <= timezone.now():
        raise ValidationError({"scheduled_at": "Choose a time in the future, or send it now."})
    campaign.status = Campaign.Status.SCHEDULED
    campaign.scheduled_at = at
    campaign.save(update_fields=["status", "scheduled_at"])


def unschedule(*, campaign: Campaign) -> None:
    """Make a scheduled campaign a draft again."""
    changed = Campaign.objects.filter(id=campaign.id, status=Campaign.Status.SCHEDULED).update(
        status=Campaign.Status.DRAFT, scheduled_at=None
    )
    if not changed:
        raise ValidationError("It has started already.")
    campaign.refresh_from_db()


def launch(*, campaign: Campaign) -> None:
    """Start now: from here on the audience is frozen, and each member gets a recorded outcome."""
    _require(campaign, Campaign.Status.DRAFT, Campaign.Status.SCHEDULED)
    _require_complete(campaign)
    started = Campaign.objects.filter(
        id=campaign.id, status__in=[Campaign.Status.DRAFT, Campaign.Status.SCHEDULED]
    ).update(status=Campaign.Status.LAUNCHING, launched_at=timezone.now())
    if not started:
        raise ValidationError("It has started already.")
    campaign.refresh_from_db()
    enqueue_on_commit(plan, str(campaign.tenant_id), str(campaign.id))


def pause(*, campaign: Campaign) -> None:
    """Hold everything that has not been handed over yet; what is under way arrives."""
    _move(campaign, [Campaign.Status.LAUNCHING, Campaign.Status.SENDING], Campaign.Status.PAUSED)
    hold_batches(cause_id=campaign.id, held=True)


def resume(*, campaign: Campaign) -> None:
    """Go on with a paused campaign."""
    next_status = Campaign.Status.SENDING if campaign.planned_at else Campaign.Status.LAUNCHING
    _move(campaign, [Campaign.Status.PAUSED], next_status)
    hold_batches(cause_id=campaign.id, held=False)
    if next_status == Campaign.Status.LAUNCHING:
        enqueue_on_commit(plan, str(campaign.tenant_id), str(campaign.id))


def cancel(*, campaign: Campaign) -> None:
    """End a campaign: whatever has not been handed over will never be."""
    _move(
        campaign,
        [Campaign.Status.SCHEDULED, Campaign.Status.LAUNCHING, Campaign.Status.SENDING, Campaign.Status.PAUSED],
        Campaign.Status.CANCELLED,
    )
    Campaign.objects.filter(id=campaign.id).update(finished_at=timezone.now())
    hold_batches(cause_id=campaign.id, held=True)
    cancel_batches(cause_id=campaign.id)


def _move(campaign: Campaign, from_statuses: Collection[str], status: str) -> None:
    moved = Campaign.objects.filter(id=campaign.id, status__in=from_statuses).update(status=status)
    if not moved:
        campaign.refresh_from_db()
        raise ValidationError(f"This is not possible while the campaign is {campaign.get_status_display().lower()}.")
    campaign.refresh_from_db()


def _require(campaign: Campaign, *statuses: str) -> None:
    if campaign.status not in statuses:
        raise ValidationError(f"This is not possible while the campaign is {campaign.get_status_display().lower()}.")


def _require_complete(campaign: Campaign) -> None:
    if not campaign.body.strip():
        raise ValidationError({"body": "Write the text first."})
    _require_sendable_length(campaign)
    if not members(audience_of(campaign)).exists():
        raise ValidationError("Nobody is in the audience. Choose a list or a tag with contacts in it.")


def _require_sendable_length(campaign: Campaign) -> None:
    if len(campaign.text) > MAX_BODY:
        raise ValidationError({"body": f"The text is longer than {MAX_BODY} characters."})
