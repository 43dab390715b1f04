"""The prober: asks every probe inside a savepoint, looks at all that came of it, and rolls it back."""

import logging
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from django.core import mail
from django.db import Error, connection, transaction
from django.http import HttpResponseBase
from django.urls import Resolver404, resolve

from tenants.permissions import Role
from tests.prober import witness
from tests.prober.asking import Actor, actors_of
from tests.prober.harvest import Form, forms_and_links
from tests.prober.judge import Answer, body_text, judge, judge_twins
from tests.prober.probes import METHODS, Planner, Probe, Unit, thinned
from tests.prober.routes import Route
from tests.prober.schema import all_routes
from tests.prober.shapes import FORMS
from tests.prober.world import World

__all__ = ["Prober"]

_SHOWN = 20


class _Ears(logging.Handler):
    """Hears every line of the log."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@dataclass
class Prober:
    """Asks and judges. ``problems`` holds what was found, ``asked`` how many probes there were."""

    world: World
    routes: list[Route] = field(default_factory=list)
    """Those to be probed; without any, all of the product."""
    asked: int = 0
    problems: list[str] = field(default_factory=list)
    worked: Counter[str] = field(default_factory=Counter)
    """How often an owner's own request got through, by "METHOD route": what never does is not proven by a refusal."""
    takes_forms: set[str] = field(default_factory=set)
    seen: set[str] = field(default_factory=set)
    """The own canaries that were shown: in what can be seen, foreign ones would be seen too."""

    def __post_init__(self) -> None:
        self.routes = self.routes or all_routes(self.world.a)
        self.ears = _Ears()
        witness.install()
        self.actors = {side.letter: actors_of(self.world, side) for side in (self.world.a, self.world.b)}
        witness.forget()

    def __enter__(self) -> "Prober":
        logging.getLogger().addHandler(self.ears)
        return self

    def __exit__(self, *failure: object) -> None:
        logging.getLogger().removeHandler(self.ears)

    @property
    def owner(self) -> Actor:
        """The owner of the first tenant, who may do everything there."""
        return self.actors["a"][0]

    # --- Planning -----------------------------------------------------------------------------------------------

    def plan(self) -> list[Unit]:
        """All probes. Those of the first list are asked in any case: every route x method x person."""
        must: list[Unit] = []
        may: list[Unit] = []
        forms = self.forms_of(self.owner)
        for side, methods in ((self.world.a, METHODS), (self.world.b, ("GET", "POST"))):
            owner, manager, agent, viewer, *_ = actors = self.actors[side.letter]
            planner = Planner(self.world, side, self.routes, forms)
            forms = {name: [planner.swapped(form) for form in some] for name, some in forms.items()}
            deep = side is self.world.a
            if deep:
                must += planner.rows(self.actors["a"][len(Role)])
            for actor in actors if deep else (owner, manager, agent, viewer):
                must += planner.doors(actor, methods)
            must += [*planner.posts(owner, deep=deep), *planner.documents(owner)]
            may += [*planner.rows(owner), *planner.queries(owner, deep=deep)]
            for actor in (manager, agent, viewer) if deep else ():
                may += [*planner.rows(actor), *planner.queries(actor, deep=False), *planner.posts(actor, deep=False)]
        return thinned(must, may)

    def controls(self) -> list[Unit]:
        """What the owner of one tenant does with their own rows: each page, each form, and each address as a form."""
        planner = Planner(self.world, self.world.a, self.routes, self.forms_of(self.owner))
        units = [*planner.doors(self.owner, ("GET", "POST")), *planner.rows(self.owner)]
        units += [*planner.posts(self.owner, deep=False), *planner.documents(self.owner)]
        return [unit for unit in units if not unit[0].names and not unit[0].route.is_admin]

    def forms_of(self, owner: Actor) -> dict[str, list[Form]]:
        """Every form that the owner's pages show, by the route it goes to; each once for each row it is about."""
        found: dict[str, list[Form]] = {}
        for route in self.routes:
            if route.name in FORMS:
                url = route.url(route.own(owner.side)[0])
                found[route.name] = [Form(url, "POST", FORMS[route.name](owner.side))]
        seen: set[tuple[str, str]] = set()
        for route in self.routes:
            for values in [] if route.is_admin else route.own(owner.side):
                url = route.url(values)
                page = self.ask(Probe(owner, route, "GET", url, "reading its forms"))
                for form in forms_and_links(url, page.parts["body"])[0]:
                    key = (urlsplit(form.action).path, " ".join(sorted({*form.values, *form.files})))
                    if key not in seen:
                        seen.add(key)
                        found.setdefault(_route_of(form.action), []).append(form)
        return found

    # --- Asking -------------------------------------------------------------------------------------------------

    def run(self, units: Iterable[Unit]) -> None:
        """Ask and judge."""
        for unit in units:
            answers = [self.ask(probe) for probe in unit]
            for probe, answer in zip(unit, answers, strict=True):
                self.problems += [f"{probe}\n    {problem}" for problem in judge(probe, answer)]
                self._note(probe, answer)
            if len(unit) == 2:
                self.problems += [f"{unit[0]}\n    {problem}" for problem in judge_twins(*answers, unit)]
            self.asked += len(unit)

    def ask(self, probe: Probe) -> Answer:
        """Ask one probe and roll back whatever it did."""
        self.ears.lines.clear()
        mail.outbox.clear()
        before = transaction.savepoint()
        try:
            headers = {"HX-Request": "true"} if probe.htmx else {}
            response = probe.actor.ask(
                probe.method, probe.url, data=probe.body, content_type=probe.content_type, headers=headers
            )
            return self._answer(response)
        finally:
            transaction.savepoint_rollback(before)
            # Else the savepoints would stand inside each other, thousands deep.
            transaction.savepoint_commit(before)
            connection.needs_rollback = False

    def _answer(self, response: HttpResponseBase) -> Answer:
        content = b"".join(response) if response.streaming else response.content  # type: ignore[attr-defined]
        session = getattr(response.wsgi_request, "session", None)  # type: ignore[attr-defined]
        answer = Answer(
            response.status_code,
            response.headers.get("Location", ""),
            {
                "head": "\n".join(f"{name}: {value}" for name, value in response.items()) + str(response.cookies),
                "body": body_text(content),
                "session": str(getattr(session, "_session_cache", "")),
                "mails": "\n".join(str(each.message()) for each in mail.outbox),
                "log": "\n".join(self.ears.lines),
            },
        )
        answer.written = list(witness.writes())
        if answer.written:
            try:
                connection.check_constraints()
            except Error as error:
                answer.broken = str(error)
        return answer

    def _note(self, probe: Probe, answer: Answer) -> None:
        """Remember what got through: the owner's own requests, and the own canaries that pages show."""
        if probe.actor.role != Role.OWNER or probe.names:
            return
        if probe.method == "POST" and answer.status != 405:
            self.takes_forms.add(f"POST {probe.route.name}")
        self.seen |= probe.actor.side.canaries.found_in(answer.parts["body"])
        if answer.status in (200, 302) if probe.method == "GET" else answer.written or answer.status == 200:
            self.worked[f"{probe.method} {probe.route.name}"] += 1

    def unproven(self) -> list[str]:
        """ "METHOD route" of what never worked for the owner, although it is there."""
        ours = {route.name for route in self.routes if route.door and route.door.read}
        forms = {name for name in ours if f"POST {name}" in self.takes_forms}
        there = {f"GET {name}" for name in ours - forms} | {f"POST {name}" for name in forms}
        return sorted(there - self.worked.keys())

    def report(self) -> str:
        """The first problems, each kind once, for whoever has to mend them."""
        shown = list(dict.fromkeys(self.problems))
        return f"{len(self.problems)} problems in {self.asked} probes:\n" + "\n".join(shown[:_SHOWN])


def _route_of(url: str) -> str:
    try:
        found = resolve(urlsplit(url).path)
    except Resolver404:
        return ""
    return found.url_name or found.route
