"""Two tenants with rows of the same shapes in every table, each column of text with its own canary.

The tables are filled by introspection, so that a new one is part of the proof on the day it is made. A table that
cannot be filled fails with the name of what to add to ``tests.prober.shapes``.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from typing import Any, Final
from uuid import UUID

from django.apps import apps
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db import Error, models
from django.utils import timezone

from common.ids import uuid7
from consent.sealing import lock_log, seal
from tenants.models import Membership, Tenant, User, UserSession
from tenants.owned import TenantOwned
from tenants.permissions import Role
from tenants.scope import tenant_scope
from tenants.services import add_member, create_tenant
from tests.prober.canaries import Canaries
from tests.prober.shapes import MADE_BY, NOT_FILLED, ROWS, SHAPES

__all__ = ["RESTRICTED", "CannotFill", "Side", "World", "make_world", "owned_models"]

_USUAL_ROWS: Final = 3
_TELL_STATES: Final = ("status", "state", "outcome")


class CannotFill(AssertionError):
    """The world has no rows for a table; says what a developer has to add."""


RESTRICTED: Final = "restricted agent"
"""An agent who sees only the conversations that are assigned to them."""


@dataclass
class Side:
    """One of the two tenants, its people, and the ids of its rows by model ("contacts.contact")."""

    canaries: Canaries
    tenant: Tenant
    people: dict[str, User]
    ids: dict[str, list[UUID]] = field(default_factory=dict)
    texts: dict[str, list[str]] = field(default_factory=dict)
    """The canaries by column ("contacts_contact.first_name"), in the order of the rows."""

    @property
    def letter(self) -> str:
        return self.canaries.letter

    @property
    def owner(self) -> User:
        return self.people[Role.OWNER]

    def id(self, label: str, n: int) -> UUID:
        """The id of the n-th row of a model, counted round; known before the row is made."""
        return self.ids[label][n % len(self.ids[label])]

    def text(self, model: type[models.Model], column: str, at_most: int | None = None) -> str:
        """A new canary for a column."""
        made = self.canaries.text(model._meta.db_table, column, at_most=at_most)
        self.texts.setdefault(f"{model._meta.db_table}.{column}", []).append(made)
        return made


@dataclass(frozen=True)
class World:
    """Both tenants."""

    a: Side
    b: Side

    def other(self, side: Side) -> Side:
        """The tenant that must not be seen."""
        return self.b if side is self.a else self.a


def owned_models() -> list[type[TenantOwned]]:
    """Every tenant-owned model, those that are pointed to first."""
    waiting = [model for model in apps.get_models() if issubclass(model, TenantOwned)]
    done: list[type[TenantOwned]] = []
    while waiting:
        ready = [model for model in waiting if not _needs(model).difference(done)]
        done += ready
        waiting = [model for model in waiting if model not in ready]
        if waiting and not ready:
            raise CannotFill(f"These tables need each other, so none can be filled first: {waiting}")
    return done


def _needs(model: type[TenantOwned]) -> set[type[models.Model]]:
    """The owned models whose rows must be there before: others are pointed to only if they are."""
    targets = {each.related_model for each in model._meta.local_fields if each.is_relation and not each.null}
    return {target for target in targets if issubclass(target, TenantOwned) and target is not model}


def make_world() -> World:
    """Both tenants with everything in them."""
    sides = [_make_side(letter) for letter in ("a", "b")]
    for side in sides:
        with tenant_scope(side.tenant.id):
            for model in owned_models():
                _fill(side, model)
            lock_log()
            seal()
    return World(*sides)


def _make_side(letter: str) -> Side:
    canaries = Canaries(letter)
    text = canaries.text
    tenant, owner = create_tenant(
        name=text("tenant", "name", at_most=50),
        owner_email=f"{text('user', 'email', at_most=40)}@mail.example",
        brand_name=text("tenant", "brand_name", at_most=50),
        help_contact=f"{text('tenant', 'help_contact', at_most=60)}@mail.example".lower(),
        in_trial=True,
    )
    people = {Role.OWNER.value: owner}
    with tenant_scope(tenant.id):
        for role in (Role.MANAGER, Role.AGENT, Role.VIEWER):
            people[role.value] = add_member(email=f"{text('user', 'email', at_most=40)}@mail.example", role=role).user
        watched = add_member(email=f"{text('user', 'email', at_most=40)}@mail.example", role=Role.AGENT)
        Membership.objects.filter(id=watched.id).update(only_assigned=True)
        people[RESTRICTED] = watched.user
        gone = add_member(email=f"{text('user', 'email', at_most=40)}@mail.example", role=Role.AGENT)
        Membership.objects.filter(id=gone.id).update(is_active=False)
        members = dict(Membership.objects.values_list("id", "user_id"))
        Membership.objects.update(accepted_at=timezone.now())
    for user in people.values():
        user.name = text("user", "name", at_most=100)
        user.save()
    canaries.own([tenant.id, *members, *members.values()])
    side = Side(canaries, tenant, people)
    side.ids["tenants.membership"] = [one for one, user in members.items() if user != owner.id]
    for model in owned_models():
        if model._meta.label_lower not in NOT_FILLED:
            side.ids[model._meta.label_lower] = [uuid7() for _ in range(_rows_of(model))]
            canaries.own(side.ids[model._meta.label_lower])
    _sign_in_once(side)
    return side


def _sign_in_once(side: Side) -> None:
    """A browser in which the owner is signed in; it belongs to the person, not to the tenant."""
    session = Session.objects.create(
        session_key=side.canaries.text("session", "key", at_most=40),
        session_data=SessionStore().encode({}),
        expire_date=timezone.now() + timedelta(hours=1),
    )
    address, agent = side.canaries.address(9), side.text(UserSession, "user_agent", 200)
    seen = UserSession.objects.create(session=session, user=side.owner, address=address, user_agent=agent)
    side.ids["tenants.usersession"] = [seen.id]
    side.canaries.own([seen.id])


def _rows_of(model: type[TenantOwned]) -> int:
    """A row for each status, so that every page has something to show."""
    if model._meta.label_lower in ROWS:
        return ROWS[model._meta.label_lower]
    if any(getattr(rule, "fields", ()) == ("tenant",) for rule in model._meta.constraints):
        return 1
    states = [len(each.choices or ()) for each in model._meta.local_fields if each.name in _TELL_STATES]
    return max([_USUAL_ROWS, *states])


def _fill(side: Side, model: type[TenantOwned]) -> None:
    label = model._meta.label_lower
    if label in NOT_FILLED:
        return
    for n in range(len(side.ids[label])):
        try:
            MADE_BY.get(label, partial(_create, model))(dict(_values(side, model, n)))
        except (Error, TypeError, ValueError, LookupError) as error:
            raise CannotFill(
                f"Row {n} of {label} cannot be made: {error}\nSay what its columns must hold in SHAPES "
                f'of tests/prober/shapes.py, with keys such as "{label}.column".'
            ) from error


def _create(model: type[TenantOwned], values: dict[str, object]) -> None:
    model._base_manager.create(**values)


def _values(side: Side, model: type[TenantOwned], n: int) -> Iterator[tuple[str, object]]:
    label = model._meta.label_lower
    for column in model._meta.local_fields:
        shape = SHAPES.get(f"{label}.{column.name}")
        if column.name in ("tenant", "pk") or column.generated:
            continue
        if shape is not None:
            yield column.attname, shape(side, n)
        elif column.name == "id":
            yield "id", side.id(label, n)
        elif column.is_relation:
            yield column.attname, _pointed_to(side, column, n)
        elif not column.null or isinstance(column, (*_TEXTS, models.JSONField, models.GenericIPAddressField)):
            yield column.attname, _value(side, model, column, n)


def _pointed_to(side: Side, column: "models.Field[Any, Any]", n: int) -> object:
    target = column.related_model
    if issubclass(target, User):
        return list(side.people.values())[n % len(side.people)].id
    label = target._meta.label_lower
    if label in side.ids and not (column.null and target is column.model):
        return side.id(label, n)
    if column.null:
        return None
    raise CannotFill(f"{column} points to {label}, of which the world has no rows.")


_TEXTS: Final = (models.CharField, models.TextField)
Maker = Callable[[Side, type[TenantOwned], "models.Field[Any, Any]", int], object]
_MAKERS: Final[dict[type[Any], Maker]] = {
    models.BooleanField: lambda side, model, column, n: bool(column.get_default()),
    models.IntegerField: lambda side, model, column, n: n + 1,
    models.DateTimeField: lambda side, model, column, n: timezone.now() - timedelta(minutes=n + 1),
    models.DateField: lambda side, model, column, n: date.today() - timedelta(days=n),  # noqa: DTZ011
    models.DurationField: lambda side, model, column, n: timedelta(minutes=n + 1),
    models.DecimalField: lambda side, model, column, n: Decimal(n + 1),
    models.FloatField: lambda side, model, column, n: float(n + 1),
    models.GenericIPAddressField: lambda side, model, column, n: side.canaries.address(n + 1),
    models.UUIDField: lambda side, model, column, n: uuid7(),
    models.BinaryField: lambda side, model, column, n: side.text(model, column.name).encode(),
}


def _value(side: Side, model: type[TenantOwned], column: "models.Field[Any, Any]", n: int) -> object:
    if column.choices:
        values = [value for value, _ in column.flatchoices]
        return values[n % len(values)]
    if isinstance(column, models.JSONField):
        return _document(side, model, column)
    if isinstance(column, _TEXTS):
        return _text(side, model, column, n)
    for kind, make in _MAKERS.items():
        if isinstance(column, kind):
            return make(side, model, column, n)
    raise CannotFill(f"{column} is a {type(column).__name__}: add it to _MAKERS of tests/prober/world.py.")


def _document(side: Side, model: type[TenantOwned], column: "models.Field[Any, Any]") -> object:
    """A JSON value of the same kind as the column's default."""
    canary = side.text(model, column.name)
    return [canary] if column.get_default() == [] else {side.text(model, "key", 40): canary}


def _text(side: Side, model: type[TenantOwned], column: "models.Field[Any, Any]", n: int) -> str:
    if column.name in ("number", "phone"):
        return side.canaries.number(n % _USUAL_ROWS)
    if column.name == "email":
        return f"{side.text(model, 'email', 60)}@mail.example".lower()
    return side.text(model, column.name, column.max_length)
