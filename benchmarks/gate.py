"""What the gate costs: a campaign's planning with every rule on, beside the same planning that asks nobody, in one run.

Both write the same rows. Planned in turns, so that a machine that slows down meanwhile slows both.
"""

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from benchmarks.audience import company_with_audience, launch_campaign

__all__ = ["run"]

RECIPIENTS: Final = int(os.environ.get("BENCH_RECIPIENTS", "100000"))
TURNS: Final = (True, False, False, True)
"""Whether the gate is asked."""


def run() -> Iterator[Mapping[str, Any]]:
    """One line for each of the two, the first with the ratio."""
    company = company_with_audience(RECIPIENTS)
    _plan(company, asked=True)  # what is only done once is done
    seconds: dict[bool, float] = {True: 0.0, False: 0.0}
    for asked in TURNS:
        seconds[asked] += _plan(company, asked=asked)
    each = {asked: taken / TURNS.count(asked) for asked, taken in seconds.items()}
    yield {"name": "planning without the gate", "value": round(RECIPIENTS / each[False]), "unit": "recipients/s"}
    yield {
        "name": "planning with every rule",
        "value": round(RECIPIENTS / each[True]),
        "unit": "recipients/s",
        "seconds_with": round(each[True], 2),
        "seconds_without": round(each[False], 2),
        "ratio": round(each[True] / each[False], 3),
    }


def _plan(company: Any, *, asked: bool) -> float:
    """Seconds that it takes to plan the campaign, which is cancelled then."""
    from campaigns import launch
    from campaigns.models import Campaign
    from campaigns.services import cancel
    from consent.decision import ALLOW, Decision
    from tenants.scope import tenant_scope

    real = launch.decide_all
    if not asked:

        def unasked(candidates: Sequence[Any], circumstances: Any) -> list[Decision]:
            return [Decision(ALLOW, "") for _ in candidates]

        launch.decide_all = unasked
    try:
        campaign_id = launch_campaign(company)
        began = time.monotonic()
        launch.plan_campaign(company.tenant.id, campaign_id)
        seconds = time.monotonic() - began
    finally:
        launch.decide_all = real
    with tenant_scope(company.tenant.id):
        cancel(campaign=Campaign.objects.get(id=campaign_id))
    return seconds
