"""Every address of the product, walked from the URL configuration, and what may stand in each part of it."""

import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import RegexPattern, RoutePattern

from consent.models import Checkpoint
from tenants.access import declared_permission
from tenants.permissions import Permission, allowed
from tenants.scope import tenant_scope
from tests.prober.asking import Actor
from tests.prober.world import CannotFill, Side

__all__ = ["KINDS", "Door", "Route", "Slot", "routes"]

View = Callable[..., object]

KINDS: Final[dict[str, str]] = {"account_id": "messaging.provideraccount", "gone_id": "contacts.contact"}
"""Which rows an id in an address names, where the name of the parameter alone does not say."""

TEXTS: Final[dict[str, tuple[str, ...]]] = {"kind": ("simulator", "twilio")}
"""What may stand in a part of an address that takes any text."""

_PART: Final = re.compile(r"<(?:(\w+):)?(\w+)>|\(\?P<(\w+)>((?:[^()]|\([^()]*\))*)\)")
_WORDS: Final = re.compile(r"[\w-]+(\|[\w-]+)+")


@dataclass(frozen=True, slots=True)
class Slot:
    """A part of an address: its name and the regular expression that it must match."""

    name: str
    regex: str

    @property
    def takes_ids(self) -> bool:
        return "[0-9a-f]{8}-" in self.regex


@dataclass(frozen=True, slots=True)
class Door:
    """Who comes in: a declared permission (and another one for writing), or a reason why everybody does."""

    read: Permission | None = None
    write: Permission | None = None
    public: str = ""
    restricted_too: bool = False

    def opens_for(self, actor: Actor, method: str) -> bool:
        """Whether the declared permission lets this member in."""
        needed = self.read if method in ("GET", "HEAD") else self.write or self.read
        if actor.restricted and not self.restricted_too:
            return bool(self.public)
        return bool(self.public) or (needed is not None and allowed(actor.role, needed))


@dataclass(frozen=True)
class Route:
    """An address with its view. ``queries`` and ``bodies`` are what an API's schema says it takes."""

    pattern: str
    name: str
    view: View
    slots: tuple[Slot, ...] = ()
    door: Door | None = None
    queries: tuple[str, ...] = ()
    bodies: dict[str, dict[str, object]] = field(default_factory=dict)

    @property
    def is_admin(self) -> bool:
        return self.pattern.startswith("admin/")

    def url(self, values: dict[str, str]) -> str:
        """The address with these values in its parts."""
        plain = re.sub(r"\\(.)", r"\1", self.pattern)
        return "/" + _PART.sub(lambda part: values[part[2] or part[3]], plain).strip("^$")

    def own(self, side: Side) -> list[dict[str, str]]:
        """The values with which the address names rows of a tenant: one entry for each row of the first id."""
        choices = {slot.name: _own_values(self, slot, side) for slot in self.slots}
        length = max((len(values) for values in choices.values()), default=1)
        kinds = list(choices.values())
        # Two rows of one kind are two different ones.
        shift = {name: kinds[:at].count(values) for at, (name, values) in enumerate(choices.items())}
        return [
            {name: values[(n + shift[name]) % len(values)] for name, values in choices.items()} for n in range(length)
        ]


def routes() -> list[Route]:
    """All addresses of the product."""
    return list(_walk(get_resolver(), "", ()))


def _walk(resolver: URLResolver, prefix: str, slots: tuple[Slot, ...]) -> Iterator[Route]:
    for entry in resolver.url_patterns:
        pattern, found = prefix + str(entry.pattern), slots + tuple(_slots(entry.pattern))
        if isinstance(entry, URLResolver):
            yield from _walk(entry, pattern, found)
        elif isinstance(entry, URLPattern):
            yield Route(pattern, entry.name or pattern, entry.callback, found, _door(entry.callback))


def _slots(pattern: object) -> Iterator[Slot]:
    if isinstance(pattern, RoutePattern):
        for name, converter in pattern.converters.items():
            yield Slot(name, converter.regex)
    elif isinstance(pattern, RegexPattern):
        for part in _PART.finditer(str(pattern)):
            yield Slot(part[3], part[4])


def _door(view: View) -> Door | None:
    """What the view declares; the views of the Django admin and of an API carry it on their class."""
    declared = declared_permission(view) or declared_permission(getattr(view, "cls", view))
    if declared is None:
        return None
    return (
        Door(public=declared)
        if isinstance(declared, str)
        else Door(*declared, restricted_too=getattr(view, "restricted_too", False))
    )


def _own_values(route: Route, slot: Slot, side: Side) -> list[str]:
    if slot.takes_ids:
        return [str(one) for one in side.ids[kind_of(slot.name, route.view, side)]]
    if slot.name in TEXTS:
        return list(TEXTS[slot.name])
    if slot.name == "size":
        with tenant_scope(side.tenant.id):
            return [str(size) for size in Checkpoint.objects.values_list("size", flat=True)]
    if slot.name == "number":
        return [side.canaries.number(0)]
    if _WORDS.fullmatch(slot.regex):
        return slot.regex.split("|")
    return ["1"] if slot.regex == "[0-9]+" else ["nothing"]


def kind_of(name: str, view: View, side: Side) -> str:
    """The model whose rows an id called ``name`` means: "list_id" and "list" are a ContactList."""
    if name in KINDS:
        return KINDS[name]
    stem = name.removesuffix("_id").removesuffix("s").replace("_", "")
    known = vars(inspect.getmodule(inspect.unwrap(view)) or object())
    for fits in (str.__eq__, str.endswith, str.startswith):
        found = [label for label in side.ids if fits(label.partition(".")[2], stem)]
        used = [label for label in found if any(_is(value, label) for value in known.values())]
        if used or len(found) == 1:
            return (used or found)[0]
    raise CannotFill(
        f"Which rows does {name!r} of {getattr(view, '__qualname__', view)} name? Say so in KINDS of tests/prober/routes.py."
    )


def _is(value: object, label: str) -> bool:
    meta = getattr(value, "_meta", None)
    return meta is not None and getattr(meta, "label_lower", "") == label
