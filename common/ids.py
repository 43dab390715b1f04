"""Primary keys: UUID version 7 (RFC 9562), which sort by creation time and reveal no counts."""

import secrets
import time
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from uuid_utils.compat import uuid7 as _uuid7

__all__ = ["created_at", "first_id", "id_in", "id_or_none_such", "uuid7", "uuid7_seed", "uuid7_sql"]


def uuid7() -> UUID:
    """A new time-ordered id; its first 48 bits are the Unix time in milliseconds."""
    return _uuid7()


def first_id(moment: datetime) -> UUID:
    """The lowest id that can be made at this moment or later: bounds a search by time on an index of ids."""
    milliseconds = max(0, int(moment.timestamp() * 1000))
    return UUID(int=milliseconds << 80 | 0x7 << 76 | 0b10 << 62)


def id_in(text: str | None) -> UUID | None:
    """The id that a text from outside is; None for anything else."""
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


def id_or_none_such(text: str | None) -> UUID:
    """The id that a text from outside is; for anything else one that no row has, so that a search finds nothing."""
    return id_in(text) or _NONE_SUCH


_NONE_SUCH: Final = UUID(int=0)


def created_at(value: UUID) -> datetime:
    """The UTC time that a UUIDv7 carries, to the millisecond."""
    return datetime.fromtimestamp((value.int >> 80) / 1000, tz=UTC)


def uuid7_sql(counter: str) -> str:
    """SQL for a new id of each row of a statement that has ``uuid7_seed`` among its parameters.

    ``counter`` is an expression below 2^24 that differs from row to row; the ids sort like it (RFC 9562, section 6.2,
    method 1: a counter in the bits behind the time).
    """
    digits = f"overlay(lpad(to_hex({counter}), 6, '0') placing '8' from 4 for 0)"
    return f"(%(uuid7_head)s || '7' || {digits} || %(uuid7_tail)s)::uuid"


def uuid7_seed(tail: str = "") -> dict[str, str]:
    """What the ids of one statement share: the time, and 12 hexadecimal digits at their end, random unless told."""
    return {"uuid7_head": f"{time.time_ns() // 1_000_000:012x}", "uuid7_tail": tail or secrets.token_hex(6)}
