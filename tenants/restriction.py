"""Members who see only the conversations assigned to them.

The door of the request names such a member here, and from then on the scoped managers leave out what is not theirs: a
query that forgets the restriction cannot exist. A model says what that means for its rows with ``seen_by``. Views are
closed to these members unless they say otherwise (``tenants.access``).
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final, cast
from uuid import UUID

from django.conf import settings
from django.db.models import Model, QuerySet
from django.utils.module_loading import import_string

__all__ = ["numbers_assigned_to", "restricted_to", "restricting"]

_member: Final[ContextVar[UUID | None]] = ContextVar("restricted_to", default=None)


def restricted_to() -> UUID | None:
    """The member (membership id) whose assigned conversations are all that may be seen; None without a restriction."""
    return _member.get()


@contextmanager
def restricting(member_id: UUID | None) -> Iterator[None]:
    """Everything read inside is what this member may see; None lifts the restriction."""
    token = _member.set(member_id)
    try:
        yield
    finally:
        _member.reset(token)


def numbers_assigned_to(member_id: UUID) -> QuerySet[Model, Any]:
    """The numbers of the member's assigned conversations, as a subquery; answered by the app that has conversations."""
    answer = cast("Callable[[UUID], QuerySet[Model, Any]]", import_string(settings.ASSIGNED_NUMBERS))
    return answer(member_id)
