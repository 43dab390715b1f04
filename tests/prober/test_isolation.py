"""The proof that tenants never meet: every route x method x person, with every belt and with each one taken off.

docs/isolation.md explains it and how to read a failure.
"""

import random

import pytest
from django.db import connection, models

from tests.prober.asking import Actor, signed_in
from tests.prober.belts import MODES, as_database_owner, take_off
from tests.prober.caches import cache_problems
from tests.prober.prober import Prober
from tests.prober.probes import AT_LEAST
from tests.prober.world import World, make_world, owned_models

PARTS = 2
"""Each part is a test of its own, so that several processes share the work."""

ONLY_BY_OTHERS = {
    "POST business_hand_over": "needs a second owner or manager and a typed word: tests/tenants/test_closing.py",
    "POST deletion_ask": "needs the name of the business, typed: tests/tenants/test_closing.py",
    "POST deletion_cancel": "needs an account that is being closed: tests/tenants/test_closing.py",
    "POST team_leave": "the only owner cannot leave: tests/tenants/test_closing.py",
    "POST security_rule": "needs a second step of one's own: tests/tenants/test_second_step_rule.py",
}
"""What the owner of a tenant cannot do, by METHOD and route, and where it is proven instead."""

NO_CANARY = {
    "contacts_contact.language": "the code of a language",
    "contacts_contactjob.counts": "counts by words of the product",
    "tenants_membership.contact_columns": "keys of columns and fields",
    "contacts_contact.timezone": "a name of the time zone database",
    "contacts_contactimport.warnings": "signs by words of the product",
    "contacts_contactimport.encoding": "the name of an encoding",
    "contacts_contactimport.counts": "counts by words of the product",
    "contacts_contactimport.purposes": "words of the product",
    "consent_optoutquestion.language": "the code of a language",
    "consent_doubleoptin.doors": "words of the product",
    "consent_ownhours.week": "hours by weekday",
    "messaging_batch.tally": "counts by words of the product",
    "messaging_batch.cause_kind": "a word of the product",
    "messaging_partprice.currency": "the code of a currency",
    "messaging_sender.country": "a country code",
}
"""Columns of text that take no free text."""


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("mode", MODES)
def test_nobody_reaches_the_other_tenant(world: World, mode: str, part: int, monkeypatch: pytest.MonkeyPatch) -> None:
    take_off(mode, monkeypatch)
    with Prober(world) as prober:
        units = prober.plan()
        random.Random(0).shuffle(units)
        prober.run(units[part::PARTS])
    prober.problems += cache_problems(world)
    assert not prober.problems, prober.report()
    assert sum(map(len, units)) >= AT_LEAST
    assert prober.asked >= AT_LEAST // PARTS


def test_what_is_refused_to_others_works_for_the_owner(world: World) -> None:
    """The control: a page that shows its owner nothing, or a form that nobody can send, would prove nothing."""
    with Prober(world) as prober:
        prober.run(prober.controls())
    assert not prober.problems, prober.report()
    unproven = [what for what in prober.unproven() if what not in ONLY_BY_OTHERS]
    assert not unproven, (
        f"{unproven}: these never worked for the owner of their rows, so nothing is proven about them. Let the world hold a row for "
        "which they work (SHAPES and ROWS of tests/prober/shapes.py), let NAMED of tests/prober/harvest.py type what their "
        "forms need, or say in ONLY_BY_OTHERS where they are proven."
    )
    assert len({canary.rpartition("-")[0] for canary in prober.seen if canary.startswith("canary")}) >= 20


def test_every_column_of_text_holds_a_canary(world: World) -> None:
    bare = []
    with as_database_owner(), connection.cursor() as cursor:
        for model in owned_models():
            for column in model._meta.local_fields:
                if isinstance(column, models.CharField | models.TextField | models.JSONField) and not column.choices:
                    table = model._meta.db_table
                    cursor.execute(
                        f'SELECT string_agg("{column.column}"::text, \' \') FROM "{table}" WHERE tenant_id = %s',
                        [world.b.tenant.id],
                    )
                    if not world.b.canaries.found_in(cursor.fetchone()[0] or ""):
                        bare.append(f"{table}.{column.column}")
    assert set(bare) == set(NO_CANARY), "Give them a canary in tests/prober/shapes.py, or say here why they cannot."


def test_a_request_leaves_nothing_on_its_connection(transactional_db: None) -> None:
    """In turns for both tenants on one connection, each request in its own transaction, as the product runs."""
    world = make_world()
    owners = [
        Actor("owner", signed_in(side.owner, side.tenant.id), side, "owner", must_not_see=(world.other(side),))
        for side in (world.a, world.b)
    ]
    from tests.prober.routes import routes

    for route in routes():
        for owner in owners:
            if route.is_admin:
                continue
            answer = owner.ask("GET", route.url(route.own(owner.side)[0]))
            text = b"".join(answer) if answer.streaming else answer.content  # type: ignore[attr-defined]
            assert not owner.must_not_see[0].canaries.found_in(text.decode(errors="replace")), route.pattern
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT current_setting('app.tenant_id', true), current_setting('app.all_tenants', true)"
                )
                assert cursor.fetchone() in {("", ""), ("", "off"), (None, None)}, route.pattern
