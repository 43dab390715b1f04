"""An API joins the proof by itself: its routes by the walk, its parameters and documents by its schema."""

from typing import Any

import pytest

from tests.prober.belts import MODES, take_off
from tests.prober.prober import Prober
from tests.prober.routes import routes
from tests.prober.schema import all_routes, with_schema
from tests.prober.world import CannotFill, World


def _found(world: World, *names: str) -> Prober:
    with Prober(world, [route for route in all_routes(world.a) if route.name in names]) as prober:
        prober.run([*prober.controls(), *prober.plan()])
    return prober


@pytest.fixture(autouse=True)
def _api(settings: Any) -> None:
    settings.ROOT_URLCONF = "tests.prober.api"


def test_its_parameters_and_documents_are_probed(world: World) -> None:
    prober = _found(world, "api_contacts", "api_contact", "api_bulk_change")
    assert prober.problems == []
    assert {"GET api_contacts", "GET api_contact", "POST api_bulk_change"} <= prober.worked.keys()


def test_a_bulk_act_on_a_foreign_row_is_found(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Own, foreign, own: the own ones are acted on, the foreign one is like one that does not exist."""
    take_off(MODES[1], monkeypatch)
    assert "FOREIGN WRITE: UPDATE of a row of tenant b" in "\n".join(_found(world, "api_bulk_delete").problems)


def test_a_schema_that_names_what_is_not_served_is_no_proof(world: World) -> None:
    with pytest.raises(CannotFill, match="no route serves"):
        with_schema(routes(), {"paths": {"/api/v1/nothing/": {}}}, world.a)
