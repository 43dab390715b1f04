"""Consent records of the active tenant that are not in its log: nothing proves yet that they are not changed."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from django.utils import timezone

from common.findings import Finding, stuck_rows
from consent.models import PendingSeal

__all__ = ["findings"]

SEALED_WITHIN: Final = timedelta(seconds=60)


def findings() -> Iterator[Finding]:
    """The sealer comes every second."""
    yield from stuck_rows(
        PendingSeal.objects.filter(created_at__lt=timezone.now() - SEALED_WITHIN),
        "created_at",
        what="Consent records are not sealed",
        advice="Look whether the background worker and the ticker (beat) run, and whether LEDGER_SIGNING_KEY is set.",
    )
