"""A whole campaign, from its launch to the last text accepted, with codes in between: planning, the gate, consent and
hand-over by the product's own workers at 100 ms provider latency, beside the naive design at its best.

``BENCH_RECIPIENTS`` (100,000 unless told; a million for the figures in the docs), ``BENCH_PROCESSES`` of the marketing lane.
"""

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from typing import Any, Final

from benchmarks.dispatch import _make_naive_table, _naive
from benchmarks.stack import cpu_seconds, fake_twilio, provider_stats, resident_megabytes, ticker, workers

__all__ = ["run"]

RECIPIENTS: Final = int(os.environ.get("BENCH_RECIPIENTS", "100000"))
PROCESSES: Final = int(os.environ.get("BENCH_PROCESSES", "4"))
NAIVE_POOLS: Final = (("prefork", 32), ("prefork", 48), ("threads", 64))
LATENCY_MS: Final = 100
CODE_EVERY_SECONDS: Final = 0.1
WINDOW_SECONDS: Final = 10.0


def run() -> Iterator[Mapping[str, Any]]:
    """The naive design at its best, then the campaign with its ratio to it."""
    with fake_twilio(LATENCY_MS) as address:
        os.environ["TWILIO_API_BASE_URL"] = address
        import django

        django.setup()
        _make_naive_table()
        best = 0.0
        for pool, concurrency in NAIVE_POOLS:
            line = _naive(pool, concurrency)
            yield line
            best = max(best, line["value"])
        company = _company_with_crowd()
        line = _real(company, address)
        yield {**line, "baseline": best, "ratio": round(line["value"] / best, 1)}


def _real(company: Any, address: str) -> dict[str, Any]:
    from common.lanes import BACKGROUND, MARKETING, VERIFICATION

    with ExitStack() as running:
        lanes = [
            (MARKETING, "prefork", PROCESSES),
            (BACKGROUND, "threads", 2),
            (VERIFICATION, "threads", 4),
        ]
        processes = [
            running.enter_context(
                workers(
                    "smsplatform.celery",
                    ["-Q", lane, "--pool", pool, "-c", str(count), "--hostname", f"{lane}@%h"],
                )
            )
            for lane, pool, count in lanes
        ]
        running.enter_context(ticker())
        time.sleep(6.0)
        pids = [process.pid for process in processes]
        postgres = int(os.environ["BENCH_POSTGRES_PID"])
        before = sum(map(cpu_seconds, pids)), cpu_seconds(postgres), _database_megabytes()
        began = time.time()
        campaign_id = _launch(company)
        watched = _watch(company, campaign_id, pids)
        seconds = watched["ended"] - began
        spent = sum(map(cpu_seconds, pids)) - before[0], cpu_seconds(postgres) - before[1]
        stats = provider_stats(address)
        accepted = watched["accepted"]
        return {
            "name": f"campaign of {RECIPIENTS}, {PROCESSES} processes",
            "value": round(accepted / seconds, 1),
            "unit": "accepted/s from launch to last accept",
            "accepted": accepted,
            "repeated": stats["repeated"],
            "seconds": round(seconds, 1),
            "slowest_10s": watched["slowest"],
            "cpu_ms_per_item": round(1000 * sum(spent) / accepted, 3),
            "cpu_ms_worker": round(1000 * spent[0] / accepted, 3),
            "cpu_ms_postgres": round(1000 * spent[1] / accepted, 3),
            "memory_mb_at_a_quarter": watched["memory"][0],
            "memory_mb_at_the_end": watched["memory"][1],
            "database_mb_per_million": round((_database_megabytes() - before[2]) * 1e6 / accepted),
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
            accepted, finished = _progress(company, campaign_id)
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
    return {
        "codes": len(asked),
        "codes_missing": len(asked) - len(waits),
        "code_p50_ms": round(waits[len(waits) // 2]),
        "code_p99_ms": round(waits[int(len(waits) * 0.99)]),
        "code_most_ms": round(waits[-1]),
    }


def _ask_for_code(company: Any, number: str) -> None:
    from common.lanes import VERIFICATION
    from messaging.pipeline.enqueue import Cause, Draft, enqueue
    from messaging.services.waking import wake
    from tenants.scope import tenant_scope

    with tenant_scope(company.tenant.id):
        # Let through as an answer to a keyword: what is measured is the lane.
        enqueue([Draft(number, "Your code is 123456")], Cause("code", VERIFICATION, "support", exemption="help_reply"))
        wake(VERIFICATION)


def _progress(company: Any, campaign_id: Any) -> tuple[int, bool]:
    from campaigns.models import Campaign
    from messaging.models import Batch
    from tenants.scope import tenant_scope

    with tenant_scope(company.tenant.id):
        tallies = Batch.objects.filter(cause_id=campaign_id).values_list("tally", "state")
        rows = list(tallies)
        accepted = sum(tally.get("accepted", 0) for tally, _ in rows)
        planned = Campaign.objects.get(id=campaign_id).planned_at is not None
    return accepted, planned and all(state == "done" for _, state in rows)


def _launch(company: Any) -> Any:
    from campaigns.models import Campaign
    from campaigns.services import choose_audience, launch, save_draft
    from messaging.models import Sender
    from tenants.scope import tenant_scope

    with tenant_scope(company.tenant.id):
        sender = Sender.objects.get(provider_account__kind="twilio")
        campaign = Campaign(name="Bench", body="Hi {{ first_name | there }}, our sale starts today", sender=sender)
        save_draft(campaign=campaign, known_tags={"first_name"})
        choose_audience(campaign=campaign, lists=[], tags=[], everyone=True)
        launch(campaign=campaign)
    return campaign.id


_CROWD: Final = """
WITH people AS (
    SELECT gen_random_uuid() AS record, n, '+1' || (2000000000 + n)::text AS number FROM generate_series(1, %(people)s) n
), contacts AS (
    INSERT INTO contacts_contact (id, tenant_id, number, first_name, last_name, first_key, last_key, email, language,
                                  timezone, fields, created_at, updated_at)
    SELECT (lpad(to_hex(1760000000000 + n), 12, '0') || '7' || substr(md5(n::text), 1, 3) || '8'
            || substr(md5(n::text), 1, 15))::uuid,
           %(tenant)s, number, 'Ann', 'Bee', 'ann', 'bee', '', '', '', '{}', now(), now()
    FROM people
), records AS (
    INSERT INTO consent_consentrecord (id, tenant_id, number, purpose, act, source, wording, evidence, occurred_at,
                                       recorded_at)
    SELECT record, %(tenant)s, number, 'marketing', 'opt_in', 'web_form', '', '{}', now(), now() FROM people
)
INSERT INTO consent_consentstate (tenant_id, number, purpose, act, since, record_id)
SELECT %(tenant)s, number, 'marketing', 'opt_in', now(), record FROM people
"""


def _company_with_crowd() -> Any:
    from django.db import connection

    from common.planner import refresh_statistics
    from consent.models import ConsentRecord, ConsentState
    from contacts.models import Contact
    from messaging.models import Sender
    from messaging.services import add_provider_account, add_sender
    from tenants.scope import tenant_scope
    from tests.cast import make_company

    company = make_company("Bench", "bench@bench.example", "+12025550190")
    with tenant_scope(company.tenant.id):
        secrets = {"account_sid": "AC" + "a" * 32, "auth_token": "t" * 32}
        account = add_provider_account(kind="twilio", name="Twilio", credentials=secrets)
        sender = add_sender(tenant=company.tenant, account=account, value="+12025550180", kind="long_code")
        # Its carriers' pace would be what is measured.
        Sender.objects.filter(id=sender.id).update(parts_per_second=100_000)
        with connection.cursor() as cursor:
            cursor.execute(_CROWD, {"tenant": company.tenant.id, "people": RECIPIENTS})
    refresh_statistics(Contact, ConsentRecord, ConsentState)
    return company


def _database_megabytes() -> float:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        return float(cursor.fetchone()[0]) / 1e6
