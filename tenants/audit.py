"""The audit log: services record what was done; who did it and from where is known from the request.

The door of each request (``tenants.access``), each command and each task says who acts with ``acting``; services only
say what they did, in the same transaction. So no service can forget the person, and none needs to know of requests.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final
from uuid import UUID

from django.db.models import Model

from tenants.models import AuditEntry

__all__ = ["THE_PRODUCT", "Actor", "acting", "current_actor", "record"]

_NAME_LENGTH: Final = 200


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a member, one of the platform's admins, or the product itself (without a user)."""

    name: str
    user_id: UUID | None = None
    address: str | None = None
    by_platform: bool = False
    session_key: str | None = None
    """The session they act in: it goes on when their acts end their others."""


THE_PRODUCT: Final = Actor("The platform")

_current: Final[ContextVar[Actor]] = ContextVar("actor", default=THE_PRODUCT)


def current_actor() -> Actor:
    """Who acts now."""
    return _current.get()


@contextmanager
def acting(actor: Actor) -> Iterator[None]:
    """Everything recorded inside was done by this actor."""
    token = _current.set(actor)
    try:
        yield
    finally:
        _current.reset(token)


def record(
    action: str,
    *,
    target: Model | None = None,
    target_name: str | None = None,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
) -> None:
    """Record an act of the current actor in the active tenant.

    Of ``before`` and ``after`` only what differs is kept. Never pass secrets, texts or phone numbers.
    """
    actor = current_actor()
    old, new = _differences(before or {}, after or {})
    name = str(target) if target_name is None and target is not None else target_name or ""
    AuditEntry.objects.create(
        action=action,
        actor_id=actor.user_id,
        actor_name=actor.name,
        by_platform=actor.by_platform,
        address=actor.address,
        target_kind=target._meta.model_name or "" if target is not None else "",
        target_id=target.pk if target is not None else None,
        target_name=name[:_NAME_LENGTH],
        before=old,
        after=new,
    )


def _differences(
    before: Mapping[str, object], after: Mapping[str, object]
) -> tuple[dict[str, object], dict[str, object]]:
    changed = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return (
        {name: _plain(before[name]) for name in changed if name in before},
        {name: _plain(after[name]) for name in changed if name in after},
    )


def _plain(value: object) -> object:
    """The value as JSON can hold it."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, UUID | Decimal | Model):
        return str(value)
    if isinstance(value, set | frozenset | tuple):
        return [_plain(each) for each in value]
    return value
