"""The checkpoint of each day, mailed to the owners of the business when the day is over.

What was mailed lies outside the platform. Against whoever holds one nothing before it can be changed unnoticed, not even by
somebody who has the database and the signing key.
"""

import json
from collections.abc import Mapping
from typing import Final
from uuid import UUID

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from common.retries import each
from consent.daily import give_out, today
from consent.evidence import log_of
from consent.models import Checkpoint, DailyCheckpoint
from tenants.models import Membership, OutgoingMail
from tenants.permissions import Role
from tenants.scope import all_tenants, tenant_scope
from tenants.services.mails import mail

__all__ = ["mail_context", "mail_past_days"]

DAYS_AT_ONCE: Final = 500
CONNECTED: Final = 31
"""So many checkpoints before it does a mail connect to; the page of the ledger connects to more."""


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
        give_out(Checkpoint.objects.get(size=day.size))
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
    log = json.dumps(log_of(checkpoint, most=CONNECTED), indent=1)
    return {
        "attachments": [(f"checkpoint-{day.size}.txt", checkpoint.note.encode()), ("log.json", log.encode())],
        "verifier_url": base + reverse("ledger_verifier"),
        "day": day.day,
        "checkpoint": checkpoint,
        "ledger_url": base + reverse("ledger"),
        "keys_url": base + reverse("ledger_keys"),
    }
