"""A whole campaign, from its launch to the last text accepted, with codes in between: planning, the gate, consent and
hand-over by the product's own workers at 100 ms provider latency, beside the naive design at its best.

``BENCH_RECIPIENTS`` (100,000 unless told; a million for the figures in the docs), ``BENCH_PROCESSES`` of the marketing lane.
"""

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any, Final

from benchmarks.audience import company_with_audience, launch_campaign
from benchmarks.naive.measure import fastest, measure
from benchmarks.stack import costs, fake_twilio, line, provider_stats, resident_megabytes, ticker, workers

__all__ = ["floor", "progress", "run"]

RECIPIENTS: Final = int(os.environ.get("BENCH_RECIPIENTS", "100000"))
PROCESSES: Final = int(os.environ.get("BENCH_PROCESSES", "4"))
NAIVE_POOLS: Final = (("prefork", 32), ("prefork", 48), ("threads", 64))
LATENCY_MS: Final = 100
CODE_EVERY_SECONDS: Final = 0.1
WINDOW_SECONDS: Final = 10.0


def run() -> Iterator[Mapping[str, Any]]:
    """The naive design at its best, then the campaign with its ratio to it."""
    baseline = []
    with fake_twilio(LATENCY_MS) as address:
        os.environ["TWILIO_API_BASE_URL"] = address
        for naive in measure(NAIVE_POOLS):
            baseline.append(naive)
            yield naive
    # Another provider, that remembers nobody: whoever gets two texts from it got two of this campaign.
    with fake_twilio(LATENCY_MS) as address:
        os.environ["TWILIO_API_BASE_URL"] = address
        company = company_with_audience(RECIPIENTS)
        real, best = _real(company, address), fastest(baseline)["value"]
        yield {**real, "baseline": best, "ratio": round(real["value"] / best, 1)}


@contextmanager
def floor(processes: int) -> Iterator[list[int]]:
    """The workers and the ticker that a campaign needs, with so many processes for its lane; their process ids."""
    from common.lanes import BACKGROUND, MARKETING, VERIFICATION

    lanes = [(MARKETING, "prefork", processes), (BACKGROUND, "threads", 2), (VERIFICATION, "threads", 4)]
    with ExitStack() as running:
        started = [
            running.enter_context(
                workers(
                    "smsplatform.celery", ["-Q", lane, "--pool", pool, "-c", str(count), "--hostname", f"{lane}@%h"]
                )
            )
            for lane, pool, count in lanes
        ]
        running.enter_context(ticker())
        time.sleep(6.0)
        yield [process.pid for process in started]


def _real(company: Any, address: str) -> dict[str, Any]:
    with floor(PROCESSES) as pids:
        before, database = costs(pids), _database_megabytes()
        began = time.time()
        campaign_id = launch_campaign(company)
        watched = _watch(company, campaign_id, pids)
        seconds = watched["ended"] - began
        spent = costs(pids) - before
        stats = provider_stats(address)
        accepted = watched["accepted"]
        name = f"campaign of {RECIPIENTS}, {PROCESSES} processes"
        return {
            **line(name, "accepted/s from launch to last accept", accepted, seconds, spent),
            "accepted": accepted,
            "repeated": stats["repeated"],
            "seconds": round(seconds, 1),
            "slowest_10s": watched["slowest"],
            "memory_mb_at_a_quarter": watched["memory"][0],
            "memory_mb_at_the_end": watched["memory"][1],
            "database_mb_per_million": round((_database_megabytes() - database) * 1e6 / accepted),
            **_waits(stats["probes"], watched["asked"]),
        }


def _watch(company: Any, campaign_id: Any, pids: list[int]) -> dict[str, Any]:
    """Ask for a code ten times a second until the campaign is handed over."""
    asked: dict[str, float] = {}
    memory: list[float] = []
    marks: list[tuple[float, int]] = [(time.time(), 0)]
    accepted, finished = 0, False
    while not finished:
        number = f"+1999{len(asked):07d}"
        asked[number] = time.time()
        _ask_for_code(company, number)
        if time.time() - marks[-1][0] >= 1.0:
            accepted, finished = progress(company, campaign_id)
            marks.append((time.time(), accepted))
            if not memory and accepted > RECIPIENTS / 4:
                memory.append(round(sum(map(resident_megabytes, pids))))
        time.sleep(CODE_EVERY_SECONDS)
    memory.append(round(sum(map(resident_megabytes, pids))))
    time.sleep(1.0)
    return {
        "accepted": accepted,
        "ended": marks[-1][0],
        "asked": asked,
        "memory": [memory[0], memory[-1]],
        "slowest": _slowest(marks),
    }


def _slowest(marks: list[tuple[float, int]]) -> float:
    """Texts a second in the slowest ten seconds between the first accepted text and the last."""
    busy = [mark for mark in marks if 0 < mark[1] < marks[-1][1]]
    rates = [
        (later[1] - earlier[1]) / (later[0] - earlier[0])
        for n, earlier in enumerate(busy)
        for later in busy[n + 1 :]
        if WINDOW_SECONDS <= later[0] - earlier[0] < WINDOW_SECONDS + 2
    ]
    return round(min(rates), 1) if rates else 0.0


def _waits(came: Mapping[str, float], asked: Mapping[str, float]) -> dict[str, Any]:
    """Milliseconds from the request for a code to its call at the provider."""
    waits = sorted(1000 * (came[number] - at) for number, at in asked.items() if number in came)
    if not waits:
        raise RuntimeError("no code arrived at the provider")
    return {
        "codes": len(asked),
        "codes_missing": len(asked) - len(waits),
        "code_p50_ms": round(waits[len(waits) // 2]),
        "code_p99_ms": round(waits[int(len(waits) * 0.99)]),
        "code_most_ms": round(waits[-1]),
    }


def _ask_for_code(company: Any, number: str) -> None:
    from common.lanes import VERIFICATION
    from messaging.models import Sender
    from messaging.pipeline.enqueue import Cause, Draft, enqueue
    from messaging.services.waking import wake
    from tenants.scope import tenant_scope

    with tenant_scope(company.tenant.id):
        # Let through as an answer to a keyword: what is measured is the lane.
        sender = Sender.objects.get(provider_account__kind="twilio")
        cause = Cause("code", VERIFICATION, "support", exemption="help_reply", sender_id=sender.id)
        enqueue([Draft(number, "Your code is 123456")], cause)
        wake(VERIFICATION)


def progress(company: Any, campaign_id: Any) -> tuple[int, bool]:
    """How many texts were accepted, and whether all have ended."""
    from campaigns.models import Campaign
    from messaging.models import Batch
    from tenants.scope import tenant_scope

    with tenant_scope(company.tenant.id):
        tallies = Batch.objects.filter(cause_id=campaign_id).values_list("tally", "state")
        rows = list(tallies)
        accepted = sum(tally.get("accepted", 0) for tally, _ in rows)
        planned = Campaign.objects.get(id=campaign_id).planned_at is not None
    return accepted, planned and all(state == "done" for _, state in rows)


def _database_megabytes() -> float:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        return float(cursor.fetchone()[0]) / 1e6
