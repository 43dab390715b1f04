"""Who got the very same words a short time ago: the facts for the gate's rule about duplicates.

What counts is a text of the same purpose and another cause, to the same number. When a text is planned, those that still
wait count, too; when it is handed over only those that went do, or of two that wait for each other none would go.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import md5
from typing import Any, Final
from uuid import UUID

from django.db import connection

from messaging.models import Message
from tenants.scope import current_tenant_id

__all__ = ["repeats_among"]

_Status = Message.Status
_WENT: Final = (
    _Status.SUBMITTING,
    _Status.ACCEPTED,
    _Status.SENT,
    _Status.DELIVERED,
    _Status.UNDELIVERED,
    _Status.UNKNOWN,
    _Status.UNCONFIRMED,
)

_ANY: Final = """
SELECT EXISTS (SELECT FROM messaging_batch WHERE tenant_id = %(tenant)s AND purpose = %(purpose)s
               AND created_at > %(since)s AND (cause_id IS NULL OR cause_id IS DISTINCT FROM %(cause)s)
               AND tally ?| %(statuses)s)
"""
_SAME: Final = """
SELECT m.number, md5(m.body), m.id, m.created_at
FROM messaging_message m
JOIN messaging_batch b ON b.tenant_id = m.tenant_id AND b.id = m.batch_id
WHERE m.tenant_id = %(tenant)s AND m.number = ANY(%(numbers)s::text[]) AND m.created_at > %(since)s
  AND m.status = ANY(%(statuses)s) AND b.purpose = %(purpose)s AND m.body <> ''
  AND (b.cause_id IS NULL OR b.cause_id IS DISTINCT FROM %(cause)s) AND md5(m.body) = ANY(%(digests)s::text[])
ORDER BY m.created_at
"""


def repeats_among(
    bodies: Mapping[str, str], *, purpose: str, hours: int, cause_id: UUID | None, at: datetime, handing_over: bool
) -> dict[str, dict[str, object]]:
    """Of these texts, by number, those that repeat one of the last ``hours``, as stored with the decision: one query
    while the tenant sends nothing else of the purpose, two otherwise."""
    if not hours:
        return {}
    digests = {number: _digest(body) for number, body in bodies.items() if body}
    values: dict[str, Any] = {
        "tenant": current_tenant_id(),
        "purpose": purpose,
        "cause": cause_id,
        "since": at - timedelta(hours=hours),
        "statuses": [status.value for status in ([*_WENT] if handing_over else [*_WENT, *Message.WAITING])],
    }
    with connection.cursor() as cursor:
        cursor.execute(_ANY, values)
        if not (digests and cursor.fetchone()[0]):
            return {}
        cursor.execute(_SAME, {**values, "numbers": list(digests), "digests": sorted(set(digests.values()))})
        rows = cursor.fetchall()
    return {
        number: {"message": str(message_id), "sent": when.isoformat(), "hours": hours}
        for number, digest, message_id, when in rows
        if digests[number] == digest
    }


def _digest(body: str) -> str:
    """As PostgreSQL's ``md5``: it finds equal texts, and protects nothing."""
    return md5(body.encode(), usedforsecurity=False).hexdigest()
