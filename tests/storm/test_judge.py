"""The judge of a storm finds each kind of trouble, and nothing where there is none."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from tests.storm.judge import Facts, compare
from tests.storm.plan import Options, draw
from tests.storm.wires import MODES

TENANT, TEXT, OTHER, TRY, NEXT = (UUID(int=n) for n in range(1, 6))
NOW = datetime(2026, 11, 22, tzinfo=UTC)
ANN = "+12025550101"
SENT = ("sent", "", TENANT, ANN, "")

GOOD = Facts(
    taken=[TRY],
    texts={TEXT},
    stops={(TENANT, ANN): NOW + timedelta(seconds=1)},
    messages={TEXT: SENT},
    attempts={TRY: (TEXT, "accepted", NOW)},
    suppressed={(TENANT, ANN)},
)


STOPPED = replace(GOOD, stops={(TENANT, ANN): NOW - timedelta(minutes=1)})


def message(status: str, code: str = "", exemption: str = "") -> dict[UUID, Any]:
    return {TEXT: (status, code, TENANT, ANN, exemption)}


def test_nothing_is_found_where_nothing_is_wrong() -> None:
    assert compare(GOOD).passed
    assert compare(replace(GOOD, messages=message("sent", exemption="opt_out_confirmation"), stops={})).passed
    assert compare(replace(STOPPED, returns={ANN: [NOW - timedelta(seconds=30)]})).passed, (
        "who came back is texted again"
    )


@pytest.mark.parametrize(
    ("kind", "facts"),
    [
        ("lost", replace(GOOD, texts={TEXT, OTHER})),
        ("lost", replace(GOOD, forgotten={OTHER})),
        *[("lost", replace(GOOD, messages=message(status))) for status in ("queued", "submitting", "unknown")],
        ("stops_lost", replace(GOOD, suppressed=set())),
        ("never_taken", replace(GOOD, taken=[])),
        ("doubled", replace(GOOD, taken=[TRY, TRY])),
        ("doubled", replace(GOOD, taken=[TRY, NEXT], attempts={**GOOD.attempts, NEXT: (TEXT, "rejected", NOW)})),
        ("two_live", replace(GOOD, attempts={**GOOD.attempts, NEXT: (TEXT, "unknown", NOW)})),
        ("phantom", replace(GOOD, taken=[TRY, NEXT])),
        *[("unrecorded", replace(GOOD, attempts={TRY: (TEXT, state, NOW)})) for state in ("absent", "rejected")],
        ("unrecorded", replace(GOOD, messages=message("failed", "never_arrived"))),
        ("unrecorded", replace(GOOD, messages=message("cancelled"))),
        ("after_stop", STOPPED),
        ("after_stop", replace(STOPPED, returns={ANN: [NOW + timedelta(seconds=1)], "+12025550102": [NOW]})),
    ],
)
def test_each_kind_of_trouble_is_found(kind: str, facts: Facts) -> None:
    assert compare(facts).findings[kind]


def test_a_seed_is_a_storm() -> None:
    options = Options(kills=300, seconds=600.0, seed=7)
    plan = draw(options, ["web", "worker-marketing-1", "beat-1"])
    assert plan == draw(options, ["web", "worker-marketing-1", "beat-1"])
    assert plan != draw(replace(options, seed=8), ["web", "worker-marketing-1", "beat-1"])
    assert [sum(blow.what == what for blow in plan) for what in ("postgres", "flush", "valkey")] == [15, 5, 5]
    assert sum(blow.what in MODES for blow in plan) == 30
    assert len(plan) == 355
