"""Whatever a person changes is in the audit log: each act has words there, and each form of the dashboard leaves an entry.

A new act gets its words in ``tenants/audit_words.py``; a new address that takes a form gets a line in ``FORMS`` here,
or in ``UNRECORDED`` with the reason why it leaves no entry.
"""

import ast
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from django.test import Client
from django.urls import reverse
from django.urls.converters import IntConverter, UUIDConverter

from tenants.audit_words import GROUPS, WORDS, noun_of
from tests.architecture.forms import FORMS, UNRECORDED, Stage, member_routes, stage
from tests.architecture.test_guards import PACKAGES, ROOT
from tests.cast import Cast

EXAMPLE = """
from tenants import audit
from tenants.audit import record

record("thing.done")
audit.record("thing.kept" if kept else "thing.lost")
record(action)
"""


def recorded_actions(source: str) -> Iterator[str]:
    """The acts that a module records; one whose name is put together at run time counts as "?"."""
    tree = ast.parse(source)
    names = {alias.asname or alias.name for alias in _imported(tree, "tenants.audit") if alias.name == "record"}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and (ast.unparse(node.func) in names or ast.unparse(node.func) == "audit.record"):
            yield from _texts(node.args[0])


def _imported(tree: ast.AST, module: str) -> Iterator[ast.alias]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == module:
            yield from node.names


def _texts(argument: ast.expr) -> list[str]:
    if isinstance(argument, ast.IfExp):
        return _texts(argument.body) + _texts(argument.orelse)
    return [argument.value] if isinstance(argument, ast.Constant) and isinstance(argument.value, str) else ["?"]


def _sources() -> Iterator[Path]:
    for package in PACKAGES:
        yield from (path for path in (ROOT / package).rglob("*.py") if "migrations" not in path.parts)


def _all_actions() -> set[str]:
    return {action for path in _sources() for action in recorded_actions(path.read_text(encoding="utf-8"))}


def test_the_search_for_acts_finds_them() -> None:
    assert list(recorded_actions(EXAMPLE)) == ["thing.done", "thing.kept", "thing.lost", "?"]
    assert list(recorded_actions("from messaging.pipeline.results import record\nrecord(batch)")) == []


def test_each_recorded_act_has_words() -> None:
    assert _all_actions() - set(WORDS) == set(), "give these words in tenants/audit_words.py"


def test_no_words_are_kept_for_an_act_that_is_never_recorded() -> None:
    assert set(WORDS) - _all_actions() == set()


def test_each_act_belongs_to_a_group_of_the_filter() -> None:
    assert {noun_of(action) for action in WORDS} == set(GROUPS)


@pytest.fixture
def staged(cast: Cast, client: Client) -> Stage:
    return stage(cast, client)


ROUTES = member_routes()


@pytest.mark.parametrize("name", FORMS)
def test_each_form_leaves_an_entry(name: str, staged: Stage) -> None:
    answer, entries = staged.post(name)
    assert answer.status_code in (200, 302), answer.content[-3000:]
    assert entries, f"{name} changed something that the audit log does not tell"
    assert {entry.action for entry in entries} <= set(WORDS)
    assert {entry.actor_id for entry in entries} == {staged.cast.alice.id}


@pytest.mark.parametrize("name", [name for name in ROUTES if name not in FORMS and name not in UNRECORDED])
def test_every_other_address_takes_no_form(name: str, staged: Stage) -> None:
    address = reverse(name, kwargs={part: example(converter) for part, converter in ROUTES[name].items()})
    status = staged.client.post(address).status_code
    assert status == 405, f"{name} takes a form: give it a line in tests/architecture/forms.py"


def example(converter: object) -> UUID | str | int:
    """A part of an address that names nothing."""
    return uuid4() if isinstance(converter, UUIDConverter) else 1 if isinstance(converter, IntConverter) else "x"


def test_the_lists_name_only_what_there_is() -> None:
    assert {*FORMS, *UNRECORDED} <= set(ROUTES)
    assert not set(FORMS) & set(UNRECORDED)
