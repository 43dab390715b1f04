"""Imports and bulk actions of the active tenant that do not move on."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from django.utils import timezone

from common.findings import Finding, stuck_rows
from contacts.models import ContactImport, ContactJob

__all__ = ["findings"]

LEFT: Final = timedelta(minutes=5)
ADVICE: Final = "They are resumed within a minute of a worker being free. Look whether the background worker and the ticker (beat) run."


def findings() -> Iterator[Finding]:
    """Work whose worker died and that nobody took up again."""
    before = timezone.now() - LEFT
    at_work = (ContactImport.Status.CHECKING, ContactImport.Status.IMPORTING, ContactImport.Status.UNDOING)
    yield from stuck_rows(
        ContactImport.objects.filter(status__in=at_work, leased_until__lt=before),
        "leased_until",
        what="Imports stand still",
        advice=ADVICE,
        url_name="imports",
    )
    yield from stuck_rows(
        ContactJob.objects.filter(status=ContactJob.Status.RUNNING, leased_until__lt=before),
        "leased_until",
        what="Actions on many contacts stand still",
        advice=ADVICE,
        url_name="contacts",
    )
