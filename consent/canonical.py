"""What the ledger's hashes are computed over: the texts of its entries, and the commitments to personal data.

The product writes these in SQL (``consent.appending``, the generated column ``leaf``); here they are said once more, in
Python, for whoever checks them. The two are compared by the tests, and by ``manage.py verify_ledger`` row by row.
"""

import json
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

__all__ = [
    "HEAD_BITS",
    "details_commitment",
    "entry_text",
    "head_bucket",
    "head_text",
    "heads_text",
    "microseconds",
    "subject_of",
]

HEAD_BITS: Final = 12
"""Subjects are kept in 2^12 buckets by their first bits: one that changes costs the hashes of its bucket only."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def microseconds(moment: datetime) -> int:
    """Unix time in microseconds: the same from every library and every time zone."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def subject_of(*, salt: bytes, number: str) -> bytes:
    """The pseudonym of a number: without the salt nobody can find out which number it is."""
    return sha256(b"subject/1" + salt + number.encode()).digest()


def details_commitment(*, salt: bytes, record_id: UUID, wording: str, evidence: str) -> bytes:
    """Binds a record to what it says of a person; each part has a fixed length, so none can be moved into another."""
    parts = (sha256(wording.encode()).digest(), sha256(evidence.encode()).digest())
    return sha256(b"details/1" + salt + record_id.bytes + b"".join(parts)).digest()


def _text(values: dict[str, Any]) -> str:
    return json.dumps(values, separators=(",", ":"), sort_keys=True)


def entry_text(
    *,
    log: UUID,
    record_id: UUID,
    act: str,
    purpose: str,
    source: str,
    actor: UUID | None,
    occurred_at: datetime,
    recorded_at: datetime,
    subject: bytes,
    n: int,
    prev: bytes,
    details: bytes,
) -> str:
    """An entry of the ledger: JSON in ASCII, keys sorted, no blanks."""
    return _text(
        {
            "act": act,
            "actor": str(actor) if actor else None,
            "at": microseconds(occurred_at),
            "details": details.hex(),
            "id": str(record_id),
            "log": str(log),
            "n": n,
            "prev": prev.hex(),
            "purpose": purpose,
            "recorded": microseconds(recorded_at),
            "source": source,
            "subject": subject.hex(),
            "v": 1,
        }
    )


def head_text(*, subject: bytes, n: int, leaf: bytes) -> str:
    """How far a subject's chain goes: a leaf of the tree of heads."""
    return _text({"leaf": leaf.hex(), "n": n, "subject": subject.hex()})


def heads_text(*, log: UUID, root: bytes, position: int, at: datetime) -> str:
    """The last entry before each checkpoint: where every chain ends, so that no newest entry can be left out."""
    return _text(
        {"act": "heads", "at": microseconds(at), "log": str(log), "position": position, "root": root.hex(), "v": 1}
    )


def head_bucket(subject: bytes) -> int:
    """The bucket of a subject in the tree of heads."""
    return int.from_bytes(subject[:2], "big") >> 16 - HEAD_BITS
