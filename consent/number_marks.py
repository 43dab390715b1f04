"""Numbers that cannot get texts: marked when a provider says so, cleared when the number shows life or staff try again.

A mark keeps texts back before anybody pays for them (``consent.gate.number_is_reachable``). It says nothing about the
person: their consent and their opt-outs stay as they are.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Model, Sum
from django.utils import timezone

from common.bulk import json_rows
from common.ids import uuid7
from consent.changed_numbers import Change, note_changes
from consent.models import ChangedNumber, NumberMark
from tenants import audit
from tenants.models import Tenant
from tenants.scope import current_tenant_id

__all__ = [
    "APART",
    "Failure",
    "Mark",
    "clear",
    "count_spared",
    "mark_numbers",
    "marks_among",
    "note_arrivals",
    "spared",
    "try_again",
]

APART: Final = timedelta(hours=24)
"""What needs to be said twice counts as said twice by texts that are so far apart: a carrier's bad hour is no proof."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A provider said that a number cannot get texts. ``at``: when the text of which it was said was handed over."""

    number: str
    kind: str
    code: str
    message_id: UUID
    at: datetime


@dataclass(frozen=True, slots=True)
class Mark:
    """Why a number gets no texts, as it is stored with a decision."""

    kind: str
    code: str
    since: datetime
    message_id: UUID

    def as_data(self) -> dict[str, object]:
        """For the decision."""
        return {
            "why": self.kind,
            "error_code": self.code,
            "since": self.since.isoformat(),
            "message": str(self.message_id),
        }


_COLUMNS: Final = (
    "tenant_id uuid, id uuid, number text, kind text, code text, message_id uuid, at timestamptz, once bool"
)
_MARK: Final = f"""
INSERT INTO consent_numbermark AS m
    (tenant_id, id, number, kind, code, message_id, first_at, holds_since, cleared_by, texts_spared, parts_spared)
SELECT f.tenant_id, f.id, f.number, f.kind, f.code, f.message_id, f.at, CASE WHEN f.once THEN now() END, '', 0, 0
FROM json_to_recordset(%(failures)s) AS f({_COLUMNS})
WHERE NOT EXISTS (SELECT FROM consent_numbermark c
                  WHERE c.tenant_id = f.tenant_id AND c.number = f.number AND c.cleared_at >= f.at)
ORDER BY f.number
ON CONFLICT (tenant_id, number) WHERE cleared_at IS NULL DO UPDATE
SET kind = excluded.kind, code = excluded.code, message_id = excluded.message_id,
    holds_since = coalesce(excluded.holds_since, CASE WHEN excluded.first_at >= m.first_at + %(apart)s THEN now() END)
WHERE m.holds_since IS NULL
RETURNING m.number, m.kind, m.first_at, m.holds_since
"""  # noqa: S608
"""News of texts from before the mark was cleared is old news. A mark in force keeps its first reason."""


def mark_numbers(failures: Iterable[Failure]) -> None:
    """Mark the numbers, or note the first hint; of several failures of a number the last one counts.

    A number that is out of service goes to somebody else some day: consent from before that ends with it.
    """
    newest = {failure.number: failure for failure in failures}
    if not newest:
        return
    tenant_id = current_tenant_id()
    columns = ["tenant_id", "id", "number", "kind", "code", "message_id", "at", "once"]
    rows = [
        (tenant_id, uuid7(), one.number, one.kind, one.code, one.message_id, one.at, one.kind not in _REPEATED)
        for one in newest.values()
    ]
    with connection.cursor() as cursor:
        values: dict[str, Any] = {"failures": json_rows(columns, rows), "apart": APART}
        cursor.execute(_MARK, values)
        marked = cursor.fetchall()
    gone = [(number, first_at) for number, kind, first_at, since in marked if since and kind == NumberMark.Kind.GONE]
    if gone:
        zone = Tenant.objects.get(id=tenant_id).zone
        changes = [Change(number, first_at.astimezone(zone).date(), first_at) for number, first_at in gone]
        note_changes(changes, source=ChangedNumber.Source.PROVIDER)


_REPEATED: Final = frozenset(NumberMark.AFTER_REPEATS)


def marks_among(numbers: Collection[str]) -> dict[str, Mark]:
    """The marks in force of these numbers, in one query."""
    rows = NumberMark.objects.filter(number__among=list(numbers), cleared_at=None, holds_since__isnull=False)
    return {row.number: Mark(row.kind, row.code, row.holds_since or row.first_at, row.message_id) for row in rows}


def clear(*, number: str, by: str) -> bool:
    """The number shows life: whatever was said of it before is over. Returns whether anything was."""
    return bool(_open().filter(number=number).update(cleared_at=timezone.now(), cleared_by=by))


@transaction.atomic
def try_again(*, number: str, about: Model | None = None) -> bool:
    """Staff want to text the number again; returns False when nothing kept it from that."""
    mark = _open().filter(number=number, holds_since__isnull=False).first()
    if mark is None or not clear(number=number, by=NumberMark.Ended.STAFF):
        return False
    before = {"why": mark.kind, "error_code": mark.code}
    audit.record("number.tried_again", target=about or mark, target_name="", before=before)
    return True


_ARRIVED: Final = """
UPDATE consent_numbermark m SET cleared_at = a.at, cleared_by = 'delivered'
FROM (SELECT tenant_id, number, max(at) AS at
      FROM json_to_recordset(%s) AS r(tenant_id uuid, number text, at timestamptz) GROUP BY 1, 2) a
WHERE m.tenant_id = a.tenant_id AND m.number = a.number AND m.cleared_at IS NULL AND m.first_at < a.at
"""


def note_arrivals(arrivals: Sequence[tuple[str, datetime]]) -> None:
    """Texts to these numbers, handed over at these times, arrived: what was said of earlier ones is over."""
    if arrivals and _open().exists():
        tenant_id = current_tenant_id()
        rows = [(tenant_id, number, at) for number, at in sorted(arrivals)]
        with connection.cursor() as cursor:
            cursor.execute(_ARRIVED, [json_rows(["tenant_id", "number", "at"], rows)])


_SPARED: Final = """
WITH spared AS (
    SELECT s.tenant_id, s.number, count(*) AS texts, sum(s.parts) AS parts
    FROM json_to_recordset(%s) AS s(tenant_id uuid, number text, parts int) GROUP BY 1, 2
), locked AS MATERIALIZED (
    SELECT m.tenant_id, m.id, spared.texts, spared.parts FROM consent_numbermark m
    JOIN spared ON spared.tenant_id = m.tenant_id AND spared.number = m.number
    WHERE m.cleared_at IS NULL ORDER BY m.number FOR UPDATE OF m
)
UPDATE consent_numbermark m SET texts_spared = texts_spared + l.texts, parts_spared = parts_spared + l.parts
FROM locked l WHERE m.tenant_id = l.tenant_id AND m.id = l.id
"""
"""Locked in the order of the numbers: two batches never wait for each other."""


def count_spared(kept_back: Sequence[tuple[str, int]]) -> None:
    """Count texts that a mark kept back, as number and parts, in the transaction that refuses them."""
    if kept_back:
        tenant_id = current_tenant_id()
        rows = [(tenant_id, number, parts) for number, parts in kept_back]
        with connection.cursor() as cursor:
            cursor.execute(_SPARED, [json_rows(["tenant_id", "number", "parts"], rows)])


def spared() -> tuple[int, int]:
    """Texts and parts that marks have kept back, all in all: a sum over the marked numbers alone."""
    rows = NumberMark.objects.filter(parts_spared__gt=0).order_by()
    found: dict[str, Any] = rows.aggregate(texts=Sum("texts_spared"), parts=Sum("parts_spared"))
    return found["texts"] or 0, found["parts"] or 0


def _open() -> Any:
    return NumberMark.objects.filter(cleared_at=None)
