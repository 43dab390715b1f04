"""The newest checkpoint of each day: listed, enclosed in evidence, and mailed to the owners of the business.

What was mailed lies outside the platform. Against whoever holds one nothing before it can be changed unnoticed, not even by
somebody who has the database and the signing key.
"""

from collections.abc import Mapping
from datetime import date
from typing import Final
from uuid import UUID

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from common.retries import each
from consent.models import Checkpoint, DailyCheckpoint, GivenCheckpoint
from tenants.models import Membership, OutgoingMail
from tenants.permissions import Role
from tenants.scope import all_tenants, tenant_scope
from tenants.services.mails import mail

__all__ = ["give_out", "held_by_readers", "mail_context", "mail_past_days", "note_day", "today"]

DAYS_AT_ONCE: Final = 500
CONNECTED: Final = 366
"""So many checkpoints of days, and so many that were given out, evidence connects to."""


def today() -> date:
    """The day in UTC: the log belongs to no zone."""
    return timezone.now().date()


def note_day(checkpoint: Checkpoint) -> None:
    """The checkpoint is the newest of its day."""
    DailyCheckpoint.objects.bulk_create(
        [DailyCheckpoint(day=checkpoint.created_at.date(), size=checkpoint.size)],
        update_conflicts=True,
        unique_fields=["tenant", "day"],
        update_fields=["size"],
    )


def give_out(checkpoint: Checkpoint) -> None:
    """Somebody gets the checkpoint: evidence connects to it from now on."""
    GivenCheckpoint.objects.bulk_create([GivenCheckpoint(size=checkpoint.size)], ignore_conflicts=True)


def held_by_readers() -> list[Checkpoint]:
    """The checkpoints that a reader of evidence may have, oldest first: those of the last days, and those given out."""
    days = DailyCheckpoint.objects.order_by("-day").values_list("size", flat=True)[:CONNECTED]
    given = GivenCheckpoint.objects.order_by("-size").values_list("size", flat=True)[:CONNECTED]
    return list(Checkpoint.objects.filter(size__in={*days, *given}).order_by("size"))


def mail_past_days() -> None:
    """Put the checkpoints of days that are over into the outbox, each once."""
    with all_tenants("checkpoints of past days that were not mailed"):
        waiting = DailyCheckpoint.objects.filter(mailed_at=None, day__lt=today()).order_by("day")
        due = list(waiting.values_list("tenant_id", "id")[:DAYS_AT_ONCE])
    each(due, lambda one: _mail_day(*one), doing="mail a checkpoint")


def _mail_day(tenant_id: UUID, day_id: UUID) -> None:
    with tenant_scope(tenant_id, durable=True):
        day = DailyCheckpoint.objects.select_for_update(skip_locked=True).filter(id=day_id, mailed_at=None).first()
        if day is None:
            return
        owners = Membership.objects.filter(role=Role.OWNER, is_active=True).exclude(accepted_at=None)
        for address in owners.values_list("user__email", flat=True):
            mail(kind=OutgoingMail.Kind.CHECKPOINT, address=address, about_id=day.id)
        day.mailed_at = timezone.now()
        day.save(update_fields=["mailed_at"])


def mail_context(about_id: UUID) -> Mapping[str, object] | None:
    """What the mail about a day says; None when there is no such day any more."""
    day = DailyCheckpoint.objects.filter(id=about_id).first()
    checkpoint = Checkpoint.objects.filter(size=day.size).first() if day else None
    if day is None or checkpoint is None:
        return None
    base = settings.PUBLIC_BASE_URL
    return {
        "day": day.day,
        "checkpoint": checkpoint,
        "ledger_url": base + reverse("ledger"),
        "keys_url": base + reverse("ledger_keys"),
    }
