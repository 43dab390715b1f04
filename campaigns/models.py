"""Campaigns: one text to an audience, frozen at launch, with a recorded outcome per recipient."""

from typing import Final

from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone

from consent.purposes import Purpose
from contacts.models import Contact, ContactFilter, ContactList, Tag
from messaging.first_texts import as_first
from messaging.footers import final_text
from messaging.models import Message, Sender, SenderPool
from tenants.owned import TenantForeignKey, TenantOwned

__all__ = ["AudienceChoice", "Campaign", "CampaignRecipient"]


class Campaign(TenantOwned):
    """draft <-> scheduled; both -> launching -> sending -> completed; launching and sending <-> paused; all but a draft
    and what is completed -> cancelled."""

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        SCHEDULED = "scheduled", "Scheduled"
        LAUNCHING = "launching", "Starting"
        SENDING = "sending", "Sending"
        PAUSED = "paused", "Paused"
        COMPLETED = "completed", "Completed"
        CANCELLED = "cancelled", "Cancelled"

    RUNNING: Final = (Status.LAUNCHING, Status.SENDING, Status.PAUSED)
    TO_PLAN: Final = models.Q(status=Status.LAUNCHING) | models.Q(
        status=Status.CANCELLED, launched_at__isnull=False, planned_at=None
    )
    """A worker is to give each recipient a message; after a cancellation one that says so."""

    name = models.CharField(max_length=120)
    purpose = models.CharField(
        max_length=14,
        choices=[(purpose.value, purpose.label) for purpose in (Purpose.MARKETING, Purpose.TRANSACTIONAL)],
        default=Purpose.MARKETING,
    )
    body = models.TextField("text", max_length=1600, blank=True)
    stop_footer = models.BooleanField("end with “Reply STOP to opt out”", default=True)
    sender = TenantForeignKey(Sender, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    pool = TenantForeignKey(SenderPool, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    """Where the sender is chosen from for each person, when no one sender is named."""
    everyone = models.BooleanField("all contacts", default=False)
    status = models.CharField(max_length=10, choices=Status, default=Status.DRAFT)
    scheduled_at = models.DateTimeField(null=True, blank=True)
    spread_hours = models.PositiveSmallIntegerField(default=0)
    """So long it takes at least; 0: as fast as the number may."""
    emergency_reason = models.CharField(max_length=300, blank=True, default="", db_default="")
    """Why it goes past hours and limits (``consent.decision.EMERGENCY``); empty: it keeps to them."""
    launched_at = models.DateTimeField(null=True)
    planned_at = models.DateTimeField(null=True)
    """When every recipient of the frozen audience had its message."""
    plan_failures = models.PositiveSmallIntegerField(default=0)
    """How often in a row planning failed; the campaign's page says so."""
    plan_again_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    audience_count = models.PositiveIntegerField(default=0)
    reply_count = models.PositiveIntegerField(default=0)
    opt_out_count = models.PositiveIntegerField(default=0)
    created_by = models.ForeignKey(
        "tenants.User", on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta(TenantOwned.Meta):
        indexes = [
            models.Index(fields=["tenant", "-created_at"], name="campaign_newest"),
            models.Index(
                fields=["status", "scheduled_at"],
                condition=models.Q(status__in=["scheduled", "launching", "sending"]),
                name="campaign_at_work",
            ),
            models.Index(
                fields=["launched_at"],
                condition=models.Q(status="cancelled", launched_at__isnull=False, planned_at=None),
                name="campaign_cancelled_early",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def waits_for_planning(self) -> bool:
        """The same as ``TO_PLAN``, for one that is read already."""
        cancelled_early = self.status == self.Status.CANCELLED and self.launched_at and not self.planned_at
        return self.status == self.Status.LAUNCHING or bool(cancelled_early)

    @property
    def text(self) -> str:
        """The whole text with the footer, before the merge tags are filled."""
        return final_text(self.body, footer=self.stop_footer, one_way=self.is_one_way)

    @property
    def is_one_way(self) -> bool:
        """Whether nobody can answer its sender."""
        return self.sender is not None and self.sender.is_one_way

    @property
    def first_text(self) -> str:
        """The same for somebody who never got a text of the tenant."""
        return as_first(self.text, self.tenant.brand_name, one_way=self.is_one_way)


class AudienceChoice(TenantOwned):
    """A list, a tag or a filter that a campaign includes or excludes."""

    campaign = TenantForeignKey(Campaign, on_delete=models.CASCADE, related_name="+")
    contact_list = TenantForeignKey(ContactList, on_delete=models.CASCADE, null=True, related_name="+")
    tag = TenantForeignKey(Tag, on_delete=models.CASCADE, null=True, related_name="+")
    contact_filter = TenantForeignKey(ContactFilter, on_delete=models.CASCADE, null=True, related_name="+")
    excluded = models.BooleanField(default=False)

    class Meta(TenantOwned.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "campaign", "contact_list", "tag", "contact_filter"],
                nulls_distinct=False,
                name="audience_choice_once",
            ),
            models.CheckConstraint(
                condition=models.Q(contact_list__isnull=False, tag=None, contact_filter=None)
                | models.Q(contact_list=None, tag__isnull=False, contact_filter=None)
                | models.Q(contact_list=None, tag=None, contact_filter__isnull=False),
                name="audience_choice_one_thing",
            ),
        ]

    def __str__(self) -> str:
        return (
            f"{'without' if self.excluded else 'with'} {self.contact_list_id or self.tag_id or self.contact_filter_id}"
        )

    def clean(self) -> None:
        if sum(map(bool, (self.contact_list_id, self.tag_id, self.contact_filter_id))) != 1:
            raise ValidationError("Choose a list, a tag or a filter.")


class CampaignRecipient(TenantOwned):
    """One person of the frozen audience. The message says what happened to them and why."""

    campaign = TenantForeignKey(Campaign, on_delete=models.CASCADE, related_name="+")
    contact = TenantForeignKey(Contact, on_delete=models.SET_NULL, null=True, related_name="+")
    number = models.CharField(max_length=16)
    message = TenantForeignKey(Message, on_delete=models.PROTECT, null=True, related_name="+")
    """Empty until planned; a recipient is planned exactly once."""
    replied_at = models.DateTimeField(null=True)
    opted_out_at = models.DateTimeField(null=True)

    class Meta(TenantOwned.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant", "campaign", "contact"], name="campaign_recipient_once")
        ]
        indexes = [
            models.Index(
                fields=["tenant", "campaign", "id"], condition=models.Q(message=None), name="recipient_to_plan"
            ),
            models.Index(fields=["tenant", "campaign", "number"], name="recipient_number"),
            models.Index(fields=["tenant", "message"], name="recipient_message"),
        ]

    def __str__(self) -> str:
        return str(self.campaign_id)
