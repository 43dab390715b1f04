"""Who works on an import and how far it is."""

from datetime import timedelta
from typing import Final
from uuid import UUID

from django.db.models import F, Q
from django.db.models.functions import Least
from django.utils import timezone

from contacts.models import ContactImport

__all__ = ["LEASE", "MAX_TRIES", "begin_anew", "claim", "fail", "got_on", "hold", "renew", "waiting"]

LEASE: Final = timedelta(seconds=60)
"""Longer than a range takes; a worker that died is replaced after it."""
MAX_TRIES: Final = 5
"""So often may workers begin without getting on before the import is given up."""

_GIVEN_UP: Final = (
    "The import did not get past row {row} in {tries} tries. The file is not at fault. Wait ten minutes, and tell your "
    "support if it happens again."
)


def waiting() -> Q:
    """Imports with work that nobody does: it was not begun, or its worker died."""
    return Q(status__in=ContactImport.WORKING) & (Q(leased_until=None) | Q(leased_until__lt=timezone.now()))


def claim(import_id: UUID) -> ContactImport | None:
    """Take over the work on an import; None when there is none or another worker is on it."""
    now = timezone.now()
    taken = ContactImport.objects.filter(waiting(), id=import_id).update(
        leased_until=now + LEASE, tries=F("tries") + 1, work_began_at=now, rows_before=F("rows_done")
    )
    if not taken:
        return None
    job = ContactImport.objects.select_related("tenant").get(id=import_id)
    if job.tries > MAX_TRIES:
        fail(job, _GIVEN_UP.format(row=f"{job.rows_done + 1:,}", tries=MAX_TRIES))
        return None
    return job


def renew(job: ContactImport) -> bool:
    """Keep the work for another while; False when it is not to go on: it ended, or was stopped."""
    mine = ContactImport.objects.filter(id=job.id, status=job.status)
    return bool(mine.update(leased_until=timezone.now() + LEASE))


def got_on(job: ContactImport, *, rows: int = 0) -> None:
    """Note that so many more rows are done."""
    ContactImport.objects.filter(id=job.id, status=job.status).update(
        rows_done=Least(F("rows_done") + rows, F("rows_total")) if rows else F("rows_done"), tries=0
    )


def hold(job: ContactImport) -> ContactImport:
    """The import as it is now, locked to the end of the transaction."""
    # The tenant's row stays free: whoever inserts a row of the tenant needs it too.
    return ContactImport.objects.select_for_update(of=("self",)).select_related("tenant").get(id=job.id)


def begin_anew(job: ContactImport) -> None:
    """The next work begins at the first row."""
    job.rows_done = job.rows_before = job.tries = 0
    job.leased_until = job.work_began_at = None


def fail(job: ContactImport, problem: str) -> None:
    """The work cannot be done; ``problem`` says why and what to do."""
    ContactImport.objects.filter(id=job.id).update(
        status=ContactImport.Status.FAILED, problem=problem, finished_at=timezone.now(), leased_until=None
    )
