"""How fast the naive design is at its best, measured in the same run as the product."""

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from benchmarks.stack import costs, line, workers

__all__ = ["fastest", "make_table", "measure"]

SECONDS: Final = 12.0
AMOUNT: Final = 6_000
BODY: Final = "Hi Ann, our sale starts today\nReply STOP to opt out."


def make_table() -> None:
    """The naive design's own table, in the product's database."""
    from django.db import connection

    from benchmarks.naive.models import NaiveMessage
    from tenants.operations import RUNTIME_ROLE
    from tenants.ownership import as_owner

    with as_owner(), connection.schema_editor() as editor:
        if NaiveMessage._meta.db_table not in connection.introspection.table_names():
            editor.create_model(NaiveMessage)
        editor.execute(f"GRANT ALL ON naive_message TO {RUNTIME_ROLE}")
        editor.execute(f"GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO {RUNTIME_ROLE}")


def measure(pools: Sequence[tuple[str, int]]) -> Iterator[Mapping[str, Any]]:
    """One line for each kind and size of pool."""
    make_table()
    for pool, concurrency in pools:
        yield _measure(pool, concurrency)


def fastest(lines: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The best of them."""
    return max(lines, key=lambda one: float(one["value"]))


def _measure(pool: str, concurrency: int) -> dict[str, Any]:
    """As many as it manages in some seconds; the queue is never empty."""
    from benchmarks.naive.models import NaiveMessage
    from benchmarks.naive.tasks import app, send

    NaiveMessage.objects.all().delete()
    app.control.purge()
    NaiveMessage.objects.bulk_create(NaiveMessage(number=f"+1{3_000_000_000 + n}", body=BODY) for n in range(AMOUNT))
    with workers("benchmarks.naive.tasks", ["-Q", "naive", "--pool", pool, "-c", str(concurrency)]) as process:
        ids = list(NaiveMessage.objects.values_list("id", flat=True))
        for message_id in ids[:200]:
            send.delay(message_id)
        _wait_for(100)
        for message_id in ids[200:]:
            send.delay(message_id)
        done, before, began = _sent(), costs([process.pid]), time.monotonic()
        while time.monotonic() - began < SECONDS and _sent() < AMOUNT:
            time.sleep(0.1)
        seconds, sent = time.monotonic() - began, _sent() - done
        spent = costs([process.pid]) - before
    app.control.purge()
    return line(f"naive {pool} {concurrency}", "messages/s", sent, seconds, spent)


def _sent() -> int:
    from benchmarks.naive.models import NaiveMessage

    return NaiveMessage.objects.filter(status="sent").count()


def _wait_for(amount: int) -> None:
    deadline = time.monotonic() + float(os.environ.get("BENCH_START_SECONDS", "60"))
    while _sent() < amount:
        if time.monotonic() > deadline:
            raise RuntimeError("the naive workers did not start")
        time.sleep(0.05)
