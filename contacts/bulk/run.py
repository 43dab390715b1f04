"""Driving a bulk action to its end: in chunks, each its own transaction, resumable after the worker dies."""

import time
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from django.db import connection, models
from django.db.models import F, Q
from django.utils import timezone

from common.planner import refresh_statistics
from contacts.bulk.actions import ACTIONS, CHUNK_ROWS
from contacts.exporting.pieces import pieces, replace_pieces
from contacts.exporting.workbook import workbook_of
from contacts.models import Contact, ContactJob, ContactJobRow, ContactTag, ListMember
from contacts.selections import selected
from tenants.audit import Actor, acting, record
from tenants.scope import current_tenant_id, tenant_scope

__all__ = ["LEASE", "run_job"]

LEASE: Final = timedelta(seconds=60)
"""Longer than a chunk takes; a worker that died is replaced after it."""
MAX_TRIES: Final = 5
FREEZE_SECONDS: Final = 300
MAX_WORKBOOK_ROWS: Final = 200_000
"""Making one takes about a minute for each 50,000; CSV has no such bound."""

_Outcome = ContactJobRow.Outcome
_GIVEN_UP: Final = (
    "It did not get past person {row} in {tries} tries. Those before are done and stay so. Wait ten minutes, start it "
    "again, and tell your support if it happens again."
)
_OTHERS: Final = (
    "When it was confirmed, {expected} people were meant; when it began, there were {found}. Nobody was touched. Look "
    "at them again, and confirm again."
)


def run_job(tenant_id: UUID, job_id: UUID, *, seconds: float = float("inf")) -> bool:
    """Work on a job; True when the time was up before its end.

    Does nothing when another worker is on it or it is finished.
    """
    until = time.monotonic() + seconds
    with tenant_scope(tenant_id, durable=True):
        job = _claim(job_id)
    if job is None or (job.frozen_at is None and not _freeze(tenant_id, job)):
        return False
    actor = Actor(str(job.created_by), job.created_by_id) if job.created_by else Actor("The platform")
    with acting(actor):
        more = True
        while more and time.monotonic() < until:
            with tenant_scope(tenant_id, durable=True):
                more = _next_chunk(job_id)
        if not more and job.kind == ContactJob.Kind.EXPORT and job.parameters["format"] == "xlsx":
            _make_workbook(tenant_id, job_id)
    refresh_statistics(ContactJobRow, Contact, ContactTag, ListMember)
    if more:
        with tenant_scope(tenant_id, durable=True):
            # Free for whoever comes next.
            _running(job_id).update(leased_until=timezone.now())
    return more


def _claim(job_id: UUID) -> ContactJob | None:
    now = timezone.now()
    free = Q(status=ContactJob.Status.QUEUED) | Q(status=ContactJob.Status.RUNNING, leased_until__lte=now)
    taken = ContactJob.objects.filter(free, id=job_id).update(
        status=ContactJob.Status.RUNNING, leased_until=now + LEASE, tries=F("tries") + 1
    )
    if not taken:
        return None
    job = ContactJob.objects.select_related("created_by").get(id=job_id)
    if job.tries > MAX_TRIES:
        _fail(job, _GIVEN_UP.format(row=f"{job.rows_done + 1:,}", tries=MAX_TRIES))
        return None
    return job


def _running(job_id: UUID) -> models.QuerySet[ContactJob]:
    return ContactJob.objects.filter(id=job_id, status=ContactJob.Status.RUNNING)


def _fail(job: ContactJob, problem: str) -> None:
    _running(job.id).update(
        status=ContactJob.Status.FAILED, problem=problem, finished_at=timezone.now(), leased_until=None, query=None
    )


def _freeze(tenant_id: UUID, job: ContactJob) -> bool:
    """Write down everybody the filters show now, once; False when there is nothing to do for this worker."""
    with tenant_scope(tenant_id, durable=True):
        locked = _running(job.id).select_for_update(of=("self",)).first()
        if locked is None or locked.frozen_at is not None:
            return False
        total = _write_down(locked)
        if problem := _problem(locked, total):
            _fail(locked, problem)
            ContactJobRow.objects.filter(job=locked).delete()
            return False
        _running(job.id).update(
            rows_total=total, frozen_at=timezone.now(), query=None, leased_until=timezone.now() + LEASE, tries=0
        )
    refresh_statistics(ContactJobRow)
    return True


def _problem(job: ContactJob, total: int) -> str:
    if job.expected is not None and total != job.expected:
        return _OTHERS.format(expected=f"{job.expected:,}", found=f"{total:,}")
    if job.parameters.get("format") == "xlsx" and total > MAX_WORKBOOK_ROWS:
        return f"An Excel workbook can have at most {MAX_WORKBOOK_ROWS:,} people here. Export them as CSV."
    return ""


def _write_down(job: ContactJob) -> int:
    if job.query is None:
        return ContactJobRow.objects.filter(job=job).count()
    sql, parameters = selected(job.query).order_by().values("id").query.sql_with_params()
    with connection.cursor() as cursor:
        # A million people take longer than any other statement may.
        cursor.execute("SET LOCAL statement_timeout = %s", [f"{FREEZE_SECONDS}s"])
        cursor.execute(
            f"INSERT INTO {ContactJobRow._meta.db_table} (tenant_id, job_id, contact_id, outcome) "  # noqa: S608
            f"SELECT %s, %s, chosen.id, %s FROM ({sql}) chosen ORDER BY chosen.id ON CONFLICT DO NOTHING",
            [job.tenant_id, job.id, _Outcome.WAITING.value, *parameters],
        )
        return int(cursor.rowcount)


def _next_chunk(job_id: UUID) -> bool:
    """Work on the people behind the checkpoint and move it, together or not at all; False when that was the end."""
    job = _running(job_id).select_for_update(of=("self",)).first()
    if job is None:
        return False
    ids = _chunk(job)
    if not ids:
        if job.kind != ContactJob.Kind.EXPORT or job.parameters["format"] == "csv":
            _finish(job)
        return False
    known = list(Contact.objects.filter(id__in=ids).values_list("id", flat=True))
    changed = set(ACTIONS[job.kind](job, known))
    outcomes = dict.fromkeys(ids, _Outcome.NOT_FOUND.value)
    outcomes |= {one: (_Outcome.CHANGED if one in changed else _Outcome.UNCHANGED).value for one in known}
    _write_outcomes(job, outcomes)
    job.counts = dict(Counter(job.counts) + Counter(outcomes.values()))
    job.rows_done += len(ids)
    job.reached, job.tries, job.leased_until = ids[-1], 0, timezone.now() + LEASE
    job.save(update_fields=["counts", "rows_done", "reached", "tries", "leased_until"])
    return True


def _chunk(job: ContactJob) -> Sequence[UUID]:
    rows = ContactJobRow.objects.filter(job=job)
    if job.reached is not None:
        rows = rows.filter(contact_id__gt=job.reached)
    return list(rows.order_by("contact_id").values_list("contact_id", flat=True)[: CHUNK_ROWS[job.kind]])


def _write_outcomes(job: ContactJob, outcomes: dict[UUID, str]) -> None:
    for outcome in sorted(set(outcomes.values())):
        ids = [one for one, became in outcomes.items() if became == outcome]
        with connection.cursor() as cursor:
            cursor.execute(
                f"UPDATE {ContactJobRow._meta.db_table} SET outcome = %s "  # noqa: S608
                "WHERE tenant_id = %s AND job_id = %s AND contact_id = ANY(%s::uuid[])",
                [outcome, current_tenant_id(), job.id, ids],
            )


def _make_workbook(tenant_id: UUID, job_id: UUID) -> None:
    """Make a workbook of the pieces; they are replaced, and the job ends, in one transaction."""

    def keep_lease() -> bool:
        with tenant_scope(tenant_id, durable=True):
            return bool(_running(job_id).update(leased_until=timezone.now() + LEASE))

    with workbook_of(pieces(tenant_id, job_id), keep_lease) as file:
        if file is None:
            return
        with tenant_scope(tenant_id, durable=True):
            job = _running(job_id).select_for_update(of=("self",)).first()
            if job is not None:
                replace_pieces(job, file)
                _finish(job)


def _finish(job: ContactJob) -> None:
    _running(job.id).update(
        status=ContactJob.Status.DONE, finished_at=timezone.now(), rows_total=F("rows_done"), leased_until=None
    )
    record("bulk.finished", target=job, after=job.counts)
