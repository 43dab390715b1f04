"""Primary keys: UUID version 7 (RFC 9562), which sort by creation time and reveal no counts."""

from datetime import UTC, datetime
from uuid import UUID

from uuid_utils.compat import uuid7 as _uuid7

__all__ = ["created_at", "uuid7"]


def uuid7() -> UUID:
    """A new time-ordered id; its first 48 bits are the Unix time in milliseconds."""
    return _uuid7()


def created_at(value: UUID) -> datetime:
    """The UTC time that a UUIDv7 carries, to the millisecond."""
    return datetime.fromtimestamp((value.int >> 80) / 1000, tz=UTC)
