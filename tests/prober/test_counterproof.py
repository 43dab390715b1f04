"""The prober can fail: with one filter or one policy gone, and for every kind of view that must not be written."""

from typing import Any

import pytest
from django.db import models

from contacts.models import Contact
from contacts.querysets import ContactManager, ContactQuerySet
from tests.prober.belts import MODES, drop_policy, take_off
from tests.prober.caches import cache_problems
from tests.prober.prober import Prober
from tests.prober.routes import routes
from tests.prober.world import World


def _found(world: World, *names: str) -> str:
    """What the prober reports of these routes."""
    with Prober(world, [route for route in routes() if route.name in names]) as prober:
        prober.run(prober.plan())
    return "\n".join([*prober.problems, *cache_problems(world)])


def test_it_finds_a_manager_that_forgets_the_tenant(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def everybodys(manager: ContactManager[Any]) -> "ContactQuerySet[models.Model]":
        return ContactQuerySet(manager.model, using=manager._db)

    take_off(MODES[1], monkeypatch)
    monkeypatch.setattr(ContactManager, "get_queryset", everybodys)
    # By this one Django finds the row that it saves.
    monkeypatch.setattr(Contact._base_manager, "get_queryset", lambda: ContactQuerySet(Contact))
    found = _found(world, "contacts", "contact_edit")
    assert "LEAK: " in found
    assert "ORACLE: " in found
    assert "FOREIGN WRITE: UPDATE of a row of tenant b in contacts_contact" in found


def test_it_finds_a_table_without_its_policy(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    take_off(MODES[2], monkeypatch)
    drop_policy("contacts_contactlist")
    found = _found(world, "lists", "list_rename", "list_delete")
    assert "LEAK: " in found
    assert "FOREIGN WRITE: UPDATE of a row of tenant b in contacts_contactlist" in found


def test_one_missing_belt_alone_lets_nothing_through(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other one holds: this is why there are two, and why each is probed without the other."""
    drop_policy("contacts_contactlist")
    assert _found(world, "lists", "list_rename", "list_delete") == ""


@pytest.mark.parametrize(
    ("view", "mode", "problem"),
    [
        ("undeclared", MODES[0], "declares no permission"),
        ("leaky", MODES[1], "in its body"),
        ("telling", MODES[1], "ORACLE: 200 for a foreign row, 404 for one that exists nowhere"),
        ("writing", MODES[1], "FOREIGN WRITE: UPDATE of a row of tenant b in contacts_contact"),
        ("pointing", MODES[0], "points into another tenant"),
        ("remembering", MODES[0], "in its body"),
        ("remembering", MODES[0], "The cache key"),
        ("filtering", MODES[0], "answered 500"),
        ("naming", MODES[1], "in its head"),
    ],
)
def test_it_finds_a_careless_view(
    world: World, settings: Any, monkeypatch: pytest.MonkeyPatch, view: str, mode: str, problem: str
) -> None:
    settings.ROOT_URLCONF = "tests.prober.careless"
    take_off(mode, monkeypatch)
    assert problem in _found(world, view)
