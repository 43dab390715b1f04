"""A campaign handed over at 100 ms provider latency: the real path beside the naive design, in one run.

Both call the same provider process over the same API and end with the provider's id in a row. The real path does
more: it decides each message again, writes an attempt before the call, and locks out opt-outs.
"""

import os
import time
from collections.abc import Iterator, Mapping
from typing import Any, Final

from benchmarks.stack import Cost, cpu_seconds, fake_twilio, provider_stats, workers

__all__ = ["run"]

MESSAGES: Final = int(os.environ.get("BENCH_MESSAGES", "100000"))
NAIVE_SECONDS: Final = 12.0
NAIVE_POOLS: Final = (("prefork", 2), ("prefork", 16), ("prefork", 32), ("prefork", 48), ("threads", 64))
REAL_PROCESSES: Final = (2, 4)
LATENCY_MS: Final = 100


def run() -> Iterator[Mapping[str, Any]]:
    """One line per set-up, the real ones with their ratio to the naive design at its best."""
    with fake_twilio(LATENCY_MS) as address:
        os.environ["TWILIO_API_BASE_URL"] = address
        import django

        django.setup()
        _make_naive_table()
        best: dict[str, Any] = {"value": 0.0}
        for pool, concurrency in NAIVE_POOLS:
            line = _naive(pool, concurrency)
            yield line
            best = max(best, line, key=lambda one: one["value"])
        company = _company()
        for processes in REAL_PROCESSES:
            line = _real(company, processes, address)
            yield {
                **line,
                "baseline": best["value"],
                "ratio": round(line["value"] / best["value"], 1),
                "cpu_ratio": round(best["cpu_ms_per_item"] / line["cpu_ms_per_item"], 1),
            }


def _make_naive_table() -> None:
    from django.db import connection

    from benchmarks.naive.models import NaiveMessage
    from tenants.operations import RUNTIME_ROLE
    from tenants.ownership import as_owner

    with as_owner(), connection.schema_editor() as editor:
        editor.create_model(NaiveMessage)
        editor.execute(f"GRANT ALL ON naive_message TO {RUNTIME_ROLE}")
        editor.execute(f"GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO {RUNTIME_ROLE}")


def _naive(pool: str, concurrency: int) -> dict[str, Any]:
    """As many as it manages in some seconds; the queue is never empty."""
    from benchmarks.naive.models import NaiveMessage
    from benchmarks.naive.tasks import app, send

    NaiveMessage.objects.all().delete()
    app.control.purge()
    amount = 6_000
    NaiveMessage.objects.bulk_create(NaiveMessage(number=_number(n), body=_BODY) for n in range(amount))
    with workers("benchmarks.naive.tasks", ["-Q", "naive", "--pool", pool, "-c", str(concurrency)]) as process:
        ids = list(NaiveMessage.objects.values_list("id", flat=True))
        for message_id in ids[:200]:
            send.delay(message_id)
        _until(lambda: NaiveMessage.objects.filter(status="sent").count() >= 100)
        for message_id in ids[200:]:
            send.delay(message_id)
        done, cost, began = _count(NaiveMessage), _cost(process.pid), time.monotonic()
        while time.monotonic() - began < NAIVE_SECONDS and _count(NaiveMessage) < amount:
            time.sleep(0.1)
        seconds, sent = time.monotonic() - began, _count(NaiveMessage) - done
        spent = _minus(_cost(process.pid), cost)
    app.control.purge()
    return _line(f"dispatch naive {pool} {concurrency}", sent, seconds, spent)


def _real(company: Any, processes: int, address: str) -> dict[str, Any]:
    """A whole campaign: planned first, then handed over by the marketing lane's workers."""
    from common.lanes import MARKETING
    from messaging.models import Batch, Message
    from messaging.tasks import dispatch
    from tenants.scope import tenant_scope

    planned = _campaign(company)
    before = provider_stats(address)["created"]
    with workers("smsplatform.celery", ["-Q", MARKETING, "--pool", "prefork", "-c", str(processes)]) as process:
        time.sleep(4.0)
        cost, began = _cost(process.pid), time.monotonic()
        left = 1
        while left:
            for _ in range(processes):
                dispatch.apply_async(args=(MARKETING,), queue=MARKETING, expires=2)
            time.sleep(0.5)
            with tenant_scope(company.tenant.id):
                left = Batch.objects.filter(cause_id=planned, state__in=["queued", "leased"]).count()
        seconds = time.monotonic() - began
        spent = _minus(_cost(process.pid), cost)
    with tenant_scope(company.tenant.id):
        accepted = Message.objects.filter(batch__cause_id=planned, status="accepted").count()
    created = provider_stats(address)["created"] - before
    line = _line(f"dispatch real prefork {processes}", accepted, seconds, spent)
    return {**line, "messages": accepted, "handed_to_provider": created}


def _company() -> Any:
    from tests.cast import make_company

    return make_company("Bench", "bench@bench.example", "+12025550190")


def _campaign(company: Any) -> Any:
    from campaigns.launch import plan_campaign
    from campaigns.models import Campaign
    from campaigns.services import choose_audience, launch, save_draft
    from common.bulk import insert_rows
    from common.ids import uuid7
    from consent.ledger import OptIn, record_opt_ins
    from contacts.models import Contact
    from messaging.models import ProviderAccount, Sender
    from messaging.services import add_provider_account, add_sender
    from tenants.scope import tenant_scope

    tenant_id = company.tenant.id
    with tenant_scope(tenant_id):
        if not ProviderAccount.objects.filter(kind="twilio").exists():
            account = add_provider_account(
                kind="twilio", name="Twilio", credentials={"account_sid": "AC" + "a" * 32, "auth_token": "t" * 32}
            )
            add_sender(tenant=company.tenant, account=account, value="+12025550180", kind="long_code")
            # What is measured is the platform, and not what a carrier allows.
            Sender.objects.filter(provider_account=account).update(parts_per_second=100_000)
    for start in range(0, MESSAGES, 5_000):
        with tenant_scope(tenant_id):
            if Contact.objects.count() >= MESSAGES:
                break
            numbers = [_number(n) for n in range(start, min(start + 5_000, MESSAGES))]
            columns = {"id": "uuid", "tenant_id": "uuid", "number": "text", "first_name": "text", "last_name": "text",
                       "first_key": "text", "last_key": "text", "email": "text", "language": "text", "timezone": "text",
                       "fields": "jsonb", "created_at": "timestamptz", "updated_at": "timestamptz"}  # fmt: skip
            now = "2026-11-22T00:00:00Z"
            rows = [(uuid7(), tenant_id, one, "Ann", "Bee", "ann", "bee", "", "", "", {}, now, now) for one in numbers]
            insert_rows(Contact._meta.db_table, columns, rows)
            record_opt_ins([OptIn(one, "marketing", "web_form") for one in numbers], actor_id=None)
    with tenant_scope(tenant_id):
        sender = Sender.objects.get(provider_account__kind="twilio")
        campaign = Campaign(name="Bench", body="Hi {{ first_name | there }}, our sale starts today", sender=sender)
        save_draft(campaign=campaign, known_tags={"first_name"})
        choose_audience(campaign=campaign, lists=[], tags=[], everyone=True)
        launch(campaign=campaign)
    plan_campaign(tenant_id, campaign.id)
    return campaign.id


_BODY: Final = "Hi Ann, our sale starts today\nReply STOP to opt out."


def _number(n: int) -> str:
    return f"+1{2_000_000_000 + n}"


def _count(model: Any) -> int:
    return int(model.objects.filter(status="sent").count())


def _until(done: Any) -> None:
    deadline = time.monotonic() + 60
    while not done():
        if time.monotonic() > deadline:
            raise RuntimeError("the naive workers did not start")
        time.sleep(0.05)


def _cost(pid: int) -> Cost:
    return Cost(cpu_seconds(pid), cpu_seconds(int(os.environ["BENCH_POSTGRES_PID"])))


def _minus(after: Cost, before: Cost) -> Cost:
    return Cost(after.workers - before.workers, after.postgres - before.postgres)


def _line(name: str, items: int, seconds: float, spent: Cost) -> dict[str, Any]:
    return {
        "name": name,
        "value": round(items / seconds, 1),
        "unit": "messages/s",
        "cpu_ms_per_item": round(spent.per_item(max(items, 1)), 3),
        "cpu_ms_worker": round(1000 * spent.workers / max(items, 1), 3),
        "cpu_ms_postgres": round(1000 * spent.postgres / max(items, 1), 3),
    }
