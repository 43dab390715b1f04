"""After an opt-out nothing waits any more for the number: what is queued or put off ends at once, with the reason.

The gate would refuse it anyway when its turn came. But a text that stands in the queue for a week after a STOP looks like
one that is going to be sent, to staff and to whoever asks what became of the STOP.
"""

from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

from django.db import connection
from django.db.models.functions import Now

from common.retries import each
from consent.decision import ANSWERS_TO_KEYWORDS, Decision
from consent.models import EndedPurpose, Suppression
from consent.rules_about_people import suppressed, taken_back
from messaging.models import Message
from messaging.pipeline.transitions import Change, apply_changes
from tenants.scope import all_tenants, current_tenant_id, tenant_scope

__all__ = ["withdraw_waiting"]

PAGE: Final = 500

_WAITING: Final = """
SELECT m.id, m.batch_id, s.reason FROM consent_suppression s
JOIN messaging_message m ON m.tenant_id = s.tenant_id AND m.number = s.number
JOIN messaging_batch b ON b.tenant_id = m.tenant_id AND b.id = m.batch_id
WHERE s.tenant_id = %(tenant)s AND s.id = ANY(%(ids)s::uuid[]) AND m.status = ANY(%(waiting)s)
  AND m.created_at < coalesce(s.lifted_at, 'infinity') AND b.exemption <> ALL(%(answers)s)
"""
"""Whoever came back meanwhile may get what was written since."""

_OF_ONE_PURPOSE: Final = """
SELECT m.id, m.batch_id, e.record_id::text FROM consent_endedpurpose e
JOIN messaging_message m ON m.tenant_id = e.tenant_id AND m.number = e.number
JOIN messaging_batch b ON b.tenant_id = m.tenant_id AND b.id = m.batch_id
WHERE e.tenant_id = %(tenant)s AND e.id = ANY(%(ids)s::uuid[]) AND m.status = ANY(%(waiting)s)
  AND b.purpose = e.purpose AND m.created_at < e.since AND b.exemption <> ALL(%(answers)s)
"""


def withdraw_waiting() -> int:
    """Follow up the opt-outs that nobody has followed up; returns how many there were."""
    with all_tenants("find opt-outs whose waiting texts are to end"):
        new = Suppression.objects.filter(followed_at=None).order_by().values_list("tenant_id", flat=True)
        ended = EndedPurpose.objects.order_by().values_list("tenant_id", flat=True)
        tenants = list(new.union(ended))
    followed = []

    def follow_all(tenant_id: UUID) -> None:
        while page := _follow_page(tenant_id):
            followed.append(page)

    each(tenants, follow_all, doing="end texts after opt-outs")
    return sum(followed)


def _follow_page(tenant_id: UUID) -> int:
    with tenant_scope(tenant_id, durable=True):
        unfollowed = Suppression.objects.filter(followed_at=None).order_by("id").select_for_update(skip_locked=True)
        ids = list(unfollowed.values_list("id", flat=True)[:PAGE])
        if ids:
            _end(_WAITING, ids, suppressed)
            Suppression.objects.filter(id__in=ids).update(followed_at=Now())
        ended = EndedPurpose.objects.order_by("id").select_for_update(skip_locked=True)
        purposes = list(ended.values_list("id", flat=True)[:PAGE])
        if purposes:
            _end(_OF_ONE_PURPOSE, purposes, taken_back)
            EndedPurpose.objects.filter(id__in=purposes).delete()
    return len(ids) + len(purposes)


def _end(sql: str, ids: list[UUID], refusal: Callable[[str], Decision]) -> None:
    """``refusal`` makes the decision of the third column."""
    values: dict[str, Any] = {
        "tenant": current_tenant_id(),
        "ids": ids,
        "waiting": [str(status) for status in Message.WAITING],
        "answers": sorted(ANSWERS_TO_KEYWORDS),
    }
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        rows = cursor.fetchall()
    apply_changes(
        [Change(message_id, Message.Status.BLOCKED, decision=refusal(said).as_json()) for message_id, _, said in rows],
        batch_ids=[batch_id for _, batch_id, _ in rows],
    )
