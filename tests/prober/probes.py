"""The probes: every route x method x person, and every place of a request in which an id or a text can stand."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlencode
from zlib import crc32

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

from tenants.permissions import Role
from tests.prober.asking import Actor
from tests.prober.harvest import Form, Parameters, parameters_of
from tests.prober.routes import Route, kind_of
from tests.prober.swaps import MALFORMED, Swaps
from tests.prober.world import CannotFill, Side, World

__all__ = ["AT_LEAST", "METHODS", "Planner", "Probe", "Unit"]

AT_LEAST: Final = 10_000
AT_MOST: Final = 10_400
"""Beyond this the probes that only vary others are thinned out, so that the proof stays affordable as routes are added."""

METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
ADMIN_METHODS: Final = ("GET", "POST")
"""The platform's own pages, which are closed to all of these people before anything else is looked at."""
FORM: Final = "application/x-www-form-urlencoded"
_ROWS: Final = 6
_STUFFED: Final = ("tenant", "tenant_id", "tenant__id", "contact__tenant", "user", "id", "pk", "ordering")
_TO_FILTERS: Final = {"_connector": "OR 1=1) --", "_negated": "1", "tenant__isnull": "0"}
"""Look-ups that a view would pass on to the ORM if it did ``filter(**request.GET)``."""


@dataclass(frozen=True)
class Probe:
    """One request by somebody. ``about`` says in words what is tried."""

    actor: Actor
    route: Route
    method: str
    url: str
    about: str
    body: bytes = b""
    content_type: str = FORM
    htmx: bool = False
    names: tuple[str, ...] = ()
    """The ids, numbers and texts it names that the person cannot know: they may come back as an echo."""

    def __str__(self) -> str:
        return f"{self.method} {self.url[:200]} by {self.actor}: {self.about}"


Unit = tuple[Probe, ...]
"""Probes judged together: of two, one names a foreign row and one a row that exists nowhere; their answers must be equal."""


@dataclass
class Planner:
    """Makes the probes of one side of the world."""

    world: World
    side: Side
    routes: Sequence[Route]
    forms: dict[str, list[Form]]
    """By the name of the route that they are sent to; as the owner's pages show them."""

    def __post_init__(self) -> None:
        self.swaps = Swaps(self.world, self.side)
        self.other = self.world.other(self.side)

    # --- Each route x method x person ---------------------------------------------------------------------------

    def doors(self, actor: Actor, methods: Iterable[str]) -> Iterator[Unit]:
        """Each route with each method: its own rows for reading, and another tenant's rows for everything."""
        for route in self.routes:
            for method in methods if not route.is_admin else ADMIN_METHODS:
                yield from self._door(actor, route, method)

    def _door(self, actor: Actor, route: Route, method: str) -> Iterator[Unit]:
        values = route.own(self.side)[0]
        own = route.url(values)
        if not self.swaps.named_in(own):
            yield (Probe(actor, route, method, own, "as it is"),)
            return
        if not actor.role:
            # To them every row of this tenant is a foreign one.
            yield (Probe(actor, route, method, own, "a row of the tenant"),)
            return
        if method == "GET":
            yield (Probe(actor, route, method, own, "own row"),)
        twins = self._twins(Probe(actor, route, method, own, "a row in the path"))
        yield twins if method in ("GET", "POST") else twins[:1]

    def _twins(self, own: Probe, where: str = "") -> Unit:
        """The probe with foreign ids, and with ids that exist nowhere; only those equal to ``where``, if given."""
        foreign, nobodys = self.swaps.to_foreign, self.swaps.to_nobodys
        if where:
            foreign, nobodys = _only(where, self.swaps.foreign), _only(where, self.swaps.nobodys)
        return self._changed(own, foreign, "foreign"), self._changed(own, nobodys, "made up")

    def _changed(self, own: Probe, change: Callable[[str], str], how: str) -> Probe:
        body = change(own.body.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")
        url = change(own.url)
        names = tuple(change(one) for one in self.swaps.named_in(f"{own.url} {own.body!r}"))
        return replace(own, url=url, body=body, about=f"{own.about} ({how})", names=(*own.names, *names))

    def swapped(self, form: Form) -> Form:
        """The same form as the other tenant's page shows it."""

        def swapped(values: dict[str, list[str]]) -> dict[str, list[str]]:
            return {name: [self.swaps.to_foreign(value) for value in some] for name, some in values.items()}

        action = self.swaps.to_foreign(form.action)
        return Form(action, form.method, swapped(form.values), swapped(form.ticks), form.files)

    # --- Rows ---------------------------------------------------------------------------------------------------

    def rows(self, actor: Actor) -> Iterator[Unit]:
        """Every own row of each page, the other tenant's, and addresses that hold no id at all."""
        for route in self.routes:
            for values in route.own(self.side)[1:_ROWS]:
                own = Probe(actor, route, "GET", route.url(values), "another own row")
                yield (own,)
                yield self._twins(replace(own, about="another row in the path"))
            if route.slots:
                for n, text in enumerate(("not-an-id", "0", "%00", "..%2f..%2fetc")):
                    values = {slot.name: text for slot in route.slots}
                    yield (Probe(actor, route, "GET", route.url(values), f"malformed path {n}"),)

    # --- Addresses with a question mark --------------------------------------------------------------------------

    def queries(self, actor: Actor, *, deep: bool) -> Iterator[Unit]:
        """Each parameter that a view reads, with another tenant's id, text and number in it."""
        for route in self.routes:
            own = route.url(route.own(self.side)[0])
            probe = Probe(actor, route, "GET", own, "")
            read = _queries(route)
            for name, words in read.items():
                yield from self._parameter(probe, name, deep=deep)
                for word in sorted(words):
                    asked = replace(probe, url=f"{own}?{urlencode({name: word})}", htmx=True, about=f"?{name}={word}")
                    yield self._twins(asked) if self.swaps.named_in(own) else (asked,)
            if deep:
                yield self._stuffed_query(probe)
                yield (replace(probe, url=f"{own}?{urlencode(_TO_FILTERS)}", about="look-ups of the ORM"),)
                yield (
                    replace(
                        probe, url=f"{own}?{urlencode(dict.fromkeys(read, '(' + 'a' * 20_000 + '!'))}", about="long"
                    ),
                )

    def _parameter(self, probe: Probe, name: str, *, deep: bool) -> Iterator[Unit]:
        for what, own in self._values_for(probe.route, name)[: None if deep else 1]:
            asked = replace(probe, url=f"{probe.url}?{urlencode({name: own}, safe='+')}", about=f"{what} in ?{name}")
            yield self._twins(asked, own)
        if deep:
            yield self._texts(probe, name)
            for n, value in enumerate(MALFORMED):
                yield (replace(probe, url=f"{probe.url}?{urlencode({name: value})}", about=f"malformed ?{name} {n}"),)

    def _values_for(self, route: Route, name: str) -> list[tuple[str, str]]:
        """Own values of a parameter: an id of the kind that its name says (else a contact's), and a number."""
        try:
            kind = kind_of(name, route.view, self.side)
        except CannotFill:
            kind = "contacts.contact"
        return [("an id", str(self.side.id(kind, 0))), ("a number", self.side.canaries.number(0))]

    def _texts(self, probe: Probe, name: str) -> Unit:
        """A name that only the other tenant has, and one that nobody has: a filter must not tell them apart."""
        theirs = self.other.texts["contacts_contact.first_name"][0]
        nobodys = "".join("z" if char.isalpha() else char for char in theirs)
        return tuple(
            replace(probe, url=f"{probe.url}?{urlencode({name: text})}", about=f"a text in ?{name}", names=(text,))
            for text in (theirs, nobodys)
        )

    def _stuffed_query(self, probe: Probe) -> Unit:
        stuffed = urlencode(dict.fromkeys(_STUFFED, str(self.side.tenant.id)))
        return self._twins(
            replace(probe, url=f"{probe.url}?{stuffed}", about="the tenant in parameters"), str(self.side.tenant.id)
        )

    # --- Forms --------------------------------------------------------------------------------------------------

    def posts(self, actor: Actor, *, deep: bool) -> Iterator[Unit]:
        """Each form as it is (the control that it can be sent at all), then with foreign ids in each place."""
        for route in self.routes:
            for n, form in enumerate(self.forms.get(route.name, ())):
                for values in self._fillings(form):
                    probe = self._post(actor, route, form, values)
                    if actor.role == Role.OWNER or not n:
                        yield (probe,)
                    for own in self.swaps.named_in(f"{form.action} {values}") if n < _ROWS else ():
                        yield self._twins(replace(probe, about="an id in the form"), own)
                if n < _ROWS:
                    yield from self._variants(self._post(actor, route, form, form.values), form, deep=deep)

    def _fillings(self, form: Form) -> list[dict[str, list[str]]]:
        """The form as it stands, and with one thing more ticked, in each place where something can be."""
        ticked = [{**form.values, name: options[:1]} for name, options in form.ticks.items()]
        return [form.values, *(values for values in ticked if values != form.values)]

    def _variants(self, probe: Probe, form: Form, *, deep: bool) -> Iterator[Unit]:
        if deep:
            both = {**form.ticks, **form.values}
            for name in [name for name, values in both.items() if self.swaps.named_in(str(values))]:
                for n, value in enumerate(MALFORMED[:3]):
                    changed = self._post(probe.actor, probe.route, form, {**form.values, name: [value]})
                    yield (replace(changed, about=f"malformed {name} {n}"),)
            yield self._stuffed_form(probe, form)
        read = parameters_of(probe.route.view).form
        for name in sorted(read.keys() - form.values.keys()):
            kind = self._values_for(probe.route, name)[0][1]
            changed = self._post(probe.actor, probe.route, form, {**form.values, name: [kind]})
            yield self._twins(replace(changed, about=f"an id in {name}"), kind)

    def _stuffed_form(self, probe: Probe, form: Form) -> Unit:
        tenant = str(self.side.tenant.id)
        stuffed = {name: [tenant] for name in _STUFFED if name not in form.values}
        changed = self._post(probe.actor, probe.route, form, {**form.values, **stuffed})
        return self._twins(replace(changed, about="the tenant in the form"), tenant)

    def _post(self, actor: Actor, route: Route, form: Form, values: dict[str, list[str]]) -> Probe:
        if form.method == "GET":
            query = f"?{urlencode(values, doseq=True)}" if values else ""
            return Probe(actor, route, "GET", form.action.partition("?")[0] + query, "a search form")
        if form.files:
            body, content_type = self._with_file(form, values), MULTIPART_CONTENT
        else:
            body, content_type = urlencode(values, doseq=True, safe="+@:").replace("+1", "%2B1").encode(), FORM
        return Probe(actor, route, form.method, form.action, "a form", body, content_type)

    def _with_file(self, form: Form, values: dict[str, list[str]]) -> bytes:
        """A contact file that also names columns which are none of a person's business."""
        rows = f"phone,first name,tenant_id,list_id,id\n{self.side.canaries.number(70)},Eve,{self.side.tenant.id},"
        rows += f"{self.side.id('contacts.contactlist', 0)},{self.side.id('contacts.contact', 0)}\n"
        name = f"..{self.side.id('contacts.contactimport', 0)}.csv"
        files = {each: SimpleUploadedFile(name, rows.encode(), "text/csv") for each in form.files}
        return encode_multipart(BOUNDARY, {**values, **files})

    # --- Bodies of an API ---------------------------------------------------------------------------------------

    def documents(self, actor: Actor) -> Iterator[Unit]:
        """What the schema of an API says an operation takes: as it is, and with foreign ids."""
        for route in self.routes:
            for method, body in route.bodies.items():
                url = route.url(route.own(self.side)[0])
                sent = json.dumps(body).encode()
                probe = Probe(actor, route, method, url, "a document", sent, "application/json")
                yield (probe,)
                for own in self.swaps.named_in(f"{url} {sent!r}"):
                    yield self._twins(replace(probe, about="an id in the document"), own)


def _only(where: str, table: dict[str, str]) -> Callable[[str], str]:
    return lambda text: text.replace(where, table[where]).replace(
        where.replace("+", "%2B"), table[where].replace("+", "%2B")
    )


def _queries(route: Route) -> dict[str, set[str]]:
    read: Parameters = parameters_of(route.view)
    return {**read.query, **{name: set() for name in route.queries}}


def thinned(must: list[Unit], may: list[Unit]) -> list[Unit]:
    """All that must be asked, and of the rest as much as there is room for: the same ones in each run."""
    room = AT_MOST - sum(map(len, must))
    wanted = sum(map(len, may))
    if wanted <= room:
        return must + may
    keep = max(room, 0) / wanted
    return must + [
        unit for unit in may if crc32(str(unit[0].about + unit[0].route.pattern).encode()) % 1000 < 1000 * keep
    ]
