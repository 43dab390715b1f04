"""A campaign planned, and handed over at some latencies of the provider: the real path beside the naive design, in one run.

Both call the same provider process over the same API and end with the provider's id in a row. The real path does
more: it decides each message again, writes an attempt before the call, and locks out opt-outs.
"""

import os
import time
from collections.abc import Iterator, Mapping
from typing import Any, Final

from benchmarks.stack import costs, fake_twilio, line, provider_stats, workers

__all__ = ["run"]

MESSAGES: Final = int(os.environ.get("BENCH_MESSAGES", "100000"))
NAIVE_POOLS: Final = (("prefork", 2), ("prefork", 16), ("prefork", 32), ("prefork", 48), ("threads", 64))
REAL_PROCESSES: Final = (2, 4)
LATENCIES_MS: Final = (100, 50, 0)
"""The naive design is measured at the first one."""


def run() -> Iterator[Mapping[str, Any]]:
    """One line per set-up, the real ones at the first latency with their ratio to the naive design at its best."""
    from benchmarks.audience import company_with_audience
    from benchmarks.naive.measure import fastest, measure

    baseline: list[Mapping[str, Any]] = []
    company = None
    for latency in LATENCIES_MS:
        with fake_twilio(latency) as address:
            os.environ["TWILIO_API_BASE_URL"] = address
            if not baseline:
                for naive in measure(NAIVE_POOLS):
                    baseline.append(naive)
                    yield naive
            company = company or company_with_audience(MESSAGES)
            if latency == LATENCIES_MS[0]:
                yield _fan_out(company)
            for processes in REAL_PROCESSES if latency == LATENCIES_MS[0] else REAL_PROCESSES[-1:]:
                real = _hand_over(company, processes, address, latency)
                yield real | (_ratios(real, fastest(baseline)) if latency == LATENCIES_MS[0] else {})


def _ratios(real: Mapping[str, Any], best: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "baseline": best["value"],
        "ratio": round(real["value"] / best["value"], 1),
        "cpu_ratio": round(best["cpu_ms_per_item"] / real["cpu_ms_per_item"], 1),
    }


def _fan_out(company: Any) -> dict[str, Any]:
    """Planning alone: each recipient decided on and written with its message, by one process; nobody hands it over."""
    from benchmarks.audience import launch_campaign
    from campaigns.launch import plan_campaign
    from campaigns.models import Campaign
    from campaigns.services import cancel
    from tenants.scope import tenant_scope

    campaign_id = launch_campaign(company)
    before, began = costs([os.getpid()]), time.monotonic()
    plan_campaign(company.tenant.id, campaign_id)
    seconds, spent = time.monotonic() - began, costs([os.getpid()]) - before
    with tenant_scope(company.tenant.id):
        cancel(campaign=Campaign.objects.get(id=campaign_id))
    return line("fan-out, one process", "recipients/s", MESSAGES, seconds, spent)


def _hand_over(company: Any, processes: int, address: str, latency: int) -> dict[str, Any]:
    """A campaign that is planned already, handed over by the marketing lane's workers."""
    from benchmarks.audience import launch_campaign
    from campaigns.launch import plan_campaign
    from common.lanes import MARKETING
    from messaging.models import Batch, Message
    from messaging.tasks import dispatch
    from tenants.scope import tenant_scope

    campaign_id = launch_campaign(company)
    plan_campaign(company.tenant.id, campaign_id)
    before = provider_stats(address)["created"]
    with workers("smsplatform.celery", ["-Q", MARKETING, "--pool", "prefork", "-c", str(processes)]) as process:
        time.sleep(4.0)
        cost, began = costs([process.pid]), time.monotonic()
        left = 1
        while left:
            for _ in range(processes):
                dispatch.apply_async(args=(MARKETING,), queue=MARKETING, expires=2)
            time.sleep(0.5)
            with tenant_scope(company.tenant.id):
                left = Batch.objects.filter(cause_id=campaign_id, state__in=["queued", "leased"]).count()
        seconds = time.monotonic() - began
        spent = costs([process.pid]) - cost
    with tenant_scope(company.tenant.id):
        accepted = Message.objects.filter(batch__cause_id=campaign_id, status="accepted").count()
    measured = line(f"dispatch prefork {processes}, {latency} ms", "messages/s", accepted, seconds, spent)
    return {**measured, "messages": accepted, "handed_to_provider": provider_stats(address)["created"] - before}
