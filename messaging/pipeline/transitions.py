"""The one place where a message changes its status.

A change is a conditional update against the transition table, so that late, repeated and reordered news cannot move
a message backwards and a final status stays. In the same transaction the tallies of the batches are recounted from
their messages: figures on pages are read from there and cannot drift.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db import connection

from common.bulk import json_rows
from messaging.models import Message
from tenants.scope import current_tenant_id

__all__ = ["FINAL", "TRANSITIONS", "Change", "apply_changes", "lock_batches", "recount"]

_S = Message.Status

_TAKEN: Final = frozenset({_S.ACCEPTED, _S.SENT, _S.DELIVERED, _S.UNDELIVERED, _S.FAILED})
_ANSWERS: Final = _TAKEN | {_S.QUEUED, _S.EXPIRED}
"""What can become of a text that was offered: back to the queue or out of time when it was not taken."""

TRANSITIONS: Final[Mapping[str, frozenset[str]]] = {
    # A receipt may prove that a text which waits for another try was taken at the first: then it must not go again.
    _S.QUEUED: _TAKEN | {_S.SUBMITTING, _S.BLOCKED, _S.DEFERRED, _S.CANCELLED, _S.EXPIRED},
    _S.DEFERRED: frozenset({_S.QUEUED, _S.BLOCKED, _S.CANCELLED, _S.EXPIRED}),
    _S.SUBMITTING: _ANSWERS | {_S.UNKNOWN},
    _S.UNKNOWN: _ANSWERS | {_S.UNCONFIRMED},
    _S.ACCEPTED: frozenset({_S.SENT, _S.DELIVERED, _S.UNDELIVERED, _S.FAILED}),
    _S.SENT: frozenset({_S.DELIVERED, _S.UNDELIVERED, _S.FAILED}),
}

FINAL: Final = frozenset(status.value for status in _S if status not in TRANSITIONS)
"""Statuses that nothing changes any more."""

_ALLOWED: Final = ", ".join(
    f"('{before.value}', '{after}')"  # type: ignore[attr-defined]
    for before, afters in TRANSITIONS.items()
    for after in sorted(str(getattr(after, "value", after)) for after in afters)
)

_CHANGE: Final = f"""
UPDATE messaging_message m
SET status = c.status, status_at = now(), error_code = c.error_code,
    decision = coalesce(c.decision, m.decision), sender_id = coalesce(c.sender_id, m.sender_id)
FROM json_to_recordset(%(changes)s)
     AS c(tenant_id uuid, id uuid, status text, error_code text, decision jsonb, sender_id uuid)
WHERE m.tenant_id = c.tenant_id AND m.id = c.id AND (m.status, c.status) IN (VALUES {_ALLOWED})
RETURNING m.id
"""  # noqa: S608 - the values are our own constants

_RECOUNT: Final = """
UPDATE messaging_batch b SET tally = coalesce(
    (SELECT jsonb_object_agg(status, n) FROM (
        SELECT m.status, count(*) AS n FROM messaging_message m
        WHERE m.tenant_id = b.tenant_id AND m.batch_id = b.id GROUP BY m.status) counted),
    '{}')
WHERE b.tenant_id = %(tenant)s AND b.id = ANY(%(batches)s::uuid[])
"""


@dataclass(frozen=True, slots=True)
class Change:
    """A message's new status. ``decision`` and ``sender_id`` are set by the hand-over only."""

    message_id: UUID
    status: str
    error_code: str = ""
    decision: Mapping[str, object] | None = None
    sender_id: UUID | None = None


def apply_changes(changes: Sequence[Change], *, batch_ids: Iterable[UUID]) -> set[UUID]:
    """Move messages of the active tenant; returns the ids of those that did move.

    ``batch_ids`` are the batches of these messages; they are locked first, always in the order of their ids.
    """
    if not changes:
        return set()
    batches = lock_batches(batch_ids)
    # As text: it is in every row.
    tenant_id = str(current_tenant_id())
    columns = ["tenant_id", "id", "status", "error_code", "decision", "sender_id"]
    rows = [(tenant_id, c.message_id, str(c.status), c.error_code, c.decision, c.sender_id) for c in changes]
    with connection.cursor() as cursor:
        cursor.execute(_CHANGE, {"changes": json_rows(columns, rows)})
        moved = {row[0] for row in cursor.fetchall()}
    recount(batches)
    return moved


def lock_batches(batch_ids: Iterable[UUID]) -> list[UUID]:
    """Lock batches in the order of their ids, so that two workers never wait for each other."""
    wanted = sorted(set(batch_ids))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM messaging_batch WHERE tenant_id = %s AND id = ANY(%s::uuid[]) ORDER BY id FOR UPDATE",
            [current_tenant_id(), wanted],
        )
        return [row[0] for row in cursor.fetchall()]


def recount(batch_ids: Sequence[UUID]) -> None:
    """Count the messages of locked batches by status."""
    with connection.cursor() as cursor:
        cursor.execute(_RECOUNT, {"tenant": current_tenant_id(), "batches": list(batch_ids)})
