"""Outgoing messages, the batches they are handed over in, the attempts, and what the provider tells later.

State of a message::

    queued -> submitting -> accepted -> sent -> delivered
      |  ^        |   \\         ^    \\-----\\--> undelivered | failed
      |  |        |    \\-> unknown -> unconfirmed
      |  +--------+ refused, may be tried again; or never arrived, and may be offered once more
      |           +-> failed
      +-> blocked | cancelled | expired
      +-> deferred -> queued: it is night where they are; decided again when they wake up

The lease of the architecture's ``leased`` state is held by the batch, as one row for all its messages.
"""

from datetime import datetime
from typing import Final

from django.db import models
from django.utils import timezone

from common.lanes import SENDING_LANES
from consent.purposes import Purpose
from contacts.models import Contact
from messaging.models.inbound import InboundMessage
from messaging.models.sender import ProviderAccount, Sender, SenderPool
from tenants.owned import TenantForeignKey, TenantOwned

__all__ = ["Attempt", "Batch", "DeliveryReceipt", "Message"]


class Batch(TenantOwned):
    """Up to 500 messages of one tenant, lane and cause, planned together and handed over together.

    queued -> leased -> done; back to queued when some of its messages may be tried again.
    """

    class State(models.TextChoices):
        QUEUED = "queued", "Queued"
        LEASED = "leased", "Being handed over"
        DONE = "done", "Done"
        CANCELLED = "cancelled", "Cancelled"

    lane = models.CharField(max_length=14, choices=[(lane, lane) for lane in SENDING_LANES])
    purpose = models.CharField(max_length=14, choices=Purpose)
    state = models.CharField(max_length=10, choices=State, default=State.QUEUED)
    held = models.BooleanField(default=False)
    """Paused by its cause; what is held is not handed over."""
    cause_kind = models.CharField(max_length=20)
    """What made it: "campaign", "reply", "auto_reply"."""
    cause_id = models.UUIDField(null=True)
    sender = TenantForeignKey(Sender, on_delete=models.PROTECT, null=True, related_name="+")
    """The sender asked for, or chosen from the pool; without one the route chooses."""
    pool = TenantForeignKey(SenderPool, on_delete=models.PROTECT, null=True, related_name="+")
    """The pool whose other senders may carry it when this one cannot; null: nobody else may."""
    away_since = models.DateTimeField(null=True)
    """When its sender was first found unable to carry it; null: it was able, the last time."""
    exemption = models.CharField(max_length=24, blank=True)
    """Set for answers to a keyword, which the gate lets through (``consent.gate.ANSWERS_TO_KEYWORDS``)."""
    not_before = models.DateTimeField(default=timezone.now)
    due_from = models.DateTimeField(null=True)
    """From when on its texts may go, where that is not when they were planned: when their people wake up."""
    leased_until = models.DateTimeField(null=True)
    failures = models.PositiveSmallIntegerField(default=0, db_default=0)
    """How often it could not be prepared."""
    lease = models.UUIDField(null=True)
    """Names the holder of the lease: a worker that lost it finds another value here."""
    tally = models.JSONField(default=dict)
    """Messages by status, recounted in each transaction that changes one, so that pages never count messages."""
    part_count = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta(TenantOwned.Meta):
        indexes = [
            models.Index(
                fields=["lane", "tenant", "not_before", "id"],
                condition=models.Q(state="queued", held=False),
                name="batch_due",
            ),
            models.Index(fields=["leased_until"], condition=models.Q(state="leased"), name="batch_leased"),
            models.Index(fields=["tenant", "cause_id"], name="batch_cause"),
            models.Index(fields=["tenant", "created_at"], name="batch_created"),
            models.Index(fields=["tenant", "purpose", "created_at"], name="batch_purpose"),
        ]

    def __str__(self) -> str:
        return f"{self.lane} batch of {self.cause_kind}"


class Message(TenantOwned):
    """One text to one number, and what became of it and why."""

    class Status(models.TextChoices):
        QUEUED = "queued", "Queued"
        DEFERRED = "deferred", "Waits"
        SUBMITTING = "submitting", "Being handed over"
        ACCEPTED = "accepted", "Accepted by the provider"
        SENT = "sent", "Sent"
        DELIVERED = "delivered", "Delivered"
        UNDELIVERED = "undelivered", "Undelivered"
        FAILED = "failed", "Failed"
        UNKNOWN = "unknown", "Not known yet"
        UNCONFIRMED = "unconfirmed", "Never confirmed"
        BLOCKED = "blocked", "Not sent"
        CANCELLED = "cancelled", "Cancelled"
        EXPIRED = "expired", "Expired"

    WAITING: Final = (Status.QUEUED, Status.DEFERRED)
    """Not offered to any provider at the moment, and may be."""

    batch = TenantForeignKey(Batch, on_delete=models.PROTECT, related_name="+")
    number = models.CharField(max_length=16)
    contact = TenantForeignKey(Contact, on_delete=models.SET_NULL, null=True, related_name="+")
    sender = TenantForeignKey(Sender, on_delete=models.PROTECT, null=True, related_name="+")
    """The sender that carried it; set when it is handed over."""
    body = models.TextField()
    encoding = models.CharField(max_length=5)
    part_count = models.PositiveSmallIntegerField()
    status = models.CharField(max_length=12, choices=Status, default=Status.QUEUED)
    error_code = models.CharField(max_length=24, blank=True)
    decision = models.JSONField(default=dict)
    """The gate's last decision, with the data it rests on."""
    in_reply_to = TenantForeignKey(InboundMessage, on_delete=models.PROTECT, null=True, related_name="+")
    written_by = models.ForeignKey(
        "tenants.User", on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    created_at = models.DateTimeField(default=timezone.now)
    status_at = models.DateTimeField(default=timezone.now)

    class Meta(TenantOwned.Meta):
        indexes = [
            models.Index(fields=["tenant", "batch"], name="message_batch"),
            models.Index(fields=["tenant", "number", "created_at"], name="message_thread"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "in_reply_to"],
                condition=models.Q(written_by=None, in_reply_to__isnull=False),
                name="message_one_auto_reply",
            )
        ]

    def __str__(self) -> str:
        return f"{self.status} message"

    @property
    def waits_until(self) -> datetime | None:
        """When a deferred one is decided again."""
        until = self.decision.get("until")
        return datetime.fromisoformat(until) if until and self.status == self.Status.DEFERRED else None


class Attempt(TenantOwned):
    """One try to hand a message to a provider.

    submitting -> accepted | rejected | unknown | absent; unknown -> accepted | absent. A message has at most one
    attempt that may have reached the provider: the partial unique index is the invariant behind "nothing twice".
    """

    class State(models.TextChoices):
        SUBMITTING = "submitting", "Being handed over"
        ACCEPTED = "accepted", "Accepted"
        REJECTED = "rejected", "Refused"
        UNKNOWN = "unknown", "Not known"
        ABSENT = "absent", "Proven not to have arrived"

    LIVE: Final = (State.SUBMITTING, State.UNKNOWN, State.ACCEPTED)

    message = TenantForeignKey(Message, on_delete=models.PROTECT, related_name="+")
    n = models.PositiveSmallIntegerField(default=1)
    state = models.CharField(max_length=10, choices=State, default=State.SUBMITTING)
    provider_account = TenantForeignKey(ProviderAccount, on_delete=models.PROTECT, related_name="+")
    provider_message_id = models.CharField(max_length=64, blank=True)
    error_code = models.CharField(max_length=24, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    deadline = models.DateTimeField()
    """After it a call that has not answered counts as unknown."""
    resolved_at = models.DateTimeField(null=True)
    asked_at = models.DateTimeField(null=True)
    """When the provider was last asked about it, while it was in doubt."""

    class Meta(TenantOwned.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "message"],
                condition=models.Q(state__in=["submitting", "unknown", "accepted"]),
                name="attempt_one_live",
            )
        ]
        indexes = [
            models.Index(fields=["tenant", "message", "n"], name="attempt_message"),
            models.Index(
                fields=["deadline"], condition=models.Q(state__in=["submitting", "unknown"]), name="attempt_in_doubt"
            ),
        ]

    def __str__(self) -> str:
        return f"attempt {self.n}: {self.state}"


class DeliveryReceipt(TenantOwned):
    """What the provider told about an attempt, as it came; applied to the message by the receipt stage."""

    provider_account = TenantForeignKey(ProviderAccount, on_delete=models.PROTECT, related_name="+")
    attempt_id = models.UUIDField(null=True)
    """From the callback's signed address; may name an attempt that is not known here."""
    provider_message_id = models.CharField(max_length=64)
    provider_status = models.CharField(max_length=24)
    """The provider's own word."""
    status = models.CharField(max_length=12, blank=True)
    """The message status it means, or empty for a word that is not known."""
    number_opted_out = models.BooleanField(default=False)
    stops = models.CharField(max_length=8, blank=True)
    """What cannot send any more, as ``messaging.providers.base.Stops``."""
    error_code = models.CharField(max_length=24, blank=True)
    payload = models.JSONField(default=dict)
    received_at = models.DateTimeField(default=timezone.now)
    applied_at = models.DateTimeField(null=True)

    class Meta(TenantOwned.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "provider_account", "provider_message_id", "provider_status", "error_code"],
                name="receipt_once",
            )
        ]
        indexes = [
            models.Index(fields=["tenant", "id"], condition=models.Q(applied_at=None), name="receipt_to_apply"),
        ]

    def __str__(self) -> str:
        return self.provider_status
