"""Primary keys: UUID version 7 (RFC 9562), which sort by creation time and reveal no counts."""

from datetime import UTC, datetime
from uuid import UUID

from uuid_utils.compat import uuid7 as _uuid7

__all__ = ["created_at", "first_id", "uuid7"]


def uuid7() -> UUID:
    """A new time-ordered id; its first 48 bits are the Unix time in milliseconds."""
    return _uuid7()


def first_id(moment: datetime) -> UUID:
    """The lowest id that can be made at this moment or later: bounds a search by time on an index of ids."""
    milliseconds = max(0, int(moment.timestamp() * 1000))
    return UUID(int=milliseconds << 80 | 0x7 << 76 | 0b10 << 62)


def created_at(value: UUID) -> datetime:
    """The UTC time that a UUIDv7 carries, to the millisecond."""
    return datetime.fromtimestamp((value.int >> 80) / 1000, tz=UTC)
