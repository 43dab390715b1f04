"""Stage 1, enqueue: texts become message rows, in the transaction of their cause."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from common.bulk import insert_rows
from common.clock import database_now
from common.ids import uuid7
from consent.number_marks import count_spared
from consent.rules_about_people import number_is_reachable
from messaging.models import Batch, Message
from messaging.pipeline.transitions import recount
from messaging.text import measure
from tenants.scope import current_tenant_id

__all__ = ["MAX_BATCH", "Cause", "Draft", "enqueue"]

MAX_BATCH: Final = 500


@dataclass(frozen=True, slots=True)
class Cause:
    """What makes the messages, and the promises that go with it."""

    kind: str
    lane: str
    purpose: str
    id: UUID | None = None
    sender_id: UUID | None = None
    pool_id: UUID | None = None
    exemption: str = ""
    held: bool = False
    not_before: datetime | None = None
    due_from: datetime | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """One message to be; ``blocked`` ones are recorded with their decision and go no further, ``deferred`` ones wait
    until their batch is due."""

    number: str
    body: str
    contact_id: UUID | None = None
    blocked: bool = False
    deferred_until: datetime | None = None
    decision: Mapping[str, object] = field(default_factory=dict)
    in_reply_to_id: UUID | None = None
    written_by_id: UUID | None = None
    id: UUID = field(default_factory=uuid7)

    @property
    def status(self) -> str:
        """The status that its message begins with."""
        if self.blocked:
            return Message.Status.BLOCKED.value
        return Message.Status.DEFERRED.value if self.deferred_until else Message.Status.QUEUED.value


_COLUMNS: Final = {
    "id": "uuid",
    "tenant_id": "uuid",
    "batch_id": "uuid",
    "number": "text",
    "contact_id": "uuid",
    "body": "text",
    "encoding": "text",
    "part_count": "smallint",
    "status": "text",
    "error_code": "text",
    "decision": "jsonb",
    "in_reply_to_id": "uuid",
    "written_by_id": "uuid",
    "created_at": "timestamptz",
    "status_at": "timestamptz",
}


def enqueue(drafts: Sequence[Draft], cause: Cause) -> tuple[Batch, list[UUID]]:
    """Write up to 500 messages as one batch and return it with the messages' ids, in the drafts' order.

    The caller wakes the lane when its transaction commits.
    """
    if len(drafts) > MAX_BATCH:
        raise ValueError(f"a batch holds at most {MAX_BATCH} messages")
    now = database_now()
    anything_to_send = any(not draft.blocked for draft in drafts)
    batch = Batch.objects.create(
        lane=cause.lane,
        purpose=cause.purpose,
        state=Batch.State.QUEUED if anything_to_send else Batch.State.DONE,
        held=cause.held,
        cause_kind=cause.kind,
        cause_id=cause.id,
        sender_id=cause.sender_id,
        pool_id=cause.pool_id,
        exemption=cause.exemption,
        not_before=max(now, cause.not_before or now),
        due_from=cause.due_from,
        created_at=now,
    )
    ids = [draft.id for draft in drafts]
    # As text: they are in every row.
    tenant_id, batch_id, written = str(current_tenant_id()), str(batch.id), now.isoformat()
    rows = []
    kept_back = []
    for message_id, draft in zip(ids, drafts, strict=True):
        text = measure(draft.body)
        if not draft.blocked:
            batch.part_count += text.part_count
        elif draft.decision.get("rule") == number_is_reachable.__name__:
            kept_back.append((draft.number, text.part_count))
        rows.append(
            (
                message_id,
                tenant_id,
                batch_id,
                draft.number,
                draft.contact_id,
                draft.body,
                text.encoding,
                text.part_count,
                draft.status,
                "",
                draft.decision,
                draft.in_reply_to_id,
                draft.written_by_id,
                written,
                written,
            )
        )
    count_spared(kept_back)
    insert_rows(Message._meta.db_table, _COLUMNS, rows)
    batch.save(update_fields=["part_count"])
    recount([batch.id])
    return batch, ids
