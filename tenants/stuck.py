"""Mails of the active tenant that do not go out."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from django.utils import timezone

from common.findings import Finding, stuck_rows
from tenants.models import OutgoingMail

__all__ = ["findings"]

LATE: Final = timedelta(minutes=10)


def findings() -> Iterator[Finding]:
    """Mails that are due for long."""
    yield from stuck_rows(
        OutgoingMail.objects.filter(sent_at=None, dropped_at=None, created_at__lt=timezone.now() - LATE),
        "created_at",
        what="Mails could not be sent",
        advice="They are tried again. Look whether the mail server of EMAIL_URL answers.",
    )
