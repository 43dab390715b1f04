"""The consent ledger: what an entry costs beside a plain insert, how soon it is sealed, and how long a pack takes to verify.

The plain table has the columns of a record without the chain, as many indexes and the same wall. Both are written in turns,
round by round, so that whatever else the machine does meets both. The naive ledger has one chain for the whole tenant: each
entry locks the newest one.
"""

import base64
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from benchmarks.ledger_tables import DROP, NAIVE, PLAIN, TABLES

__all__ = ["run"]

ROUNDS: Final = int(os.environ.get("BENCH_ROUNDS", "12"))
SINGLE: Final = 150
TOGETHER: Final = 1_000
WRITERS: Final = 4
A_SECOND: Final = 500
SECONDS: Final = int(os.environ.get("BENCH_SECONDS", "30"))
EVENTS: Final = 10_000

Write = Callable[[list[Any]], None]


def run() -> Iterator[Mapping[str, Any]]:
    """Appending, sealing, verifying."""
    from django.conf import settings

    from tests.cast import make_company

    settings.LEDGER_SIGNING_KEY = base64.b64encode(b"b" * 32).decode()
    tenant = make_company("Ledger", "ledger@bench.example", "+12025550191").tenant
    with _tables():
        yield from _beside_plain(tenant.id, 1, SINGLE)
        yield from _beside_plain(tenant.id, TOGETHER, 3)
        yield from _beside_one_chain(tenant.id)
    yield _sealing(tenant.id)
    yield _verifying(tenant.id)


def _beside_plain(tenant_id: Any, at_once: int, transactions: int) -> Iterator[Mapping[str, Any]]:
    plain, ours = [], []
    for _ in range(ROUNDS):
        for write, took in ((_plain, plain), (_append, ours)):
            began = time.perf_counter()
            _transactions(tenant_id, write, at_once, transactions)
            took.append((time.perf_counter() - began) / (at_once * transactions))
    first = statistics.median(plain[1:])
    ratio = statistics.median(mine / other for mine, other in zip(ours[1:], plain[1:], strict=True))
    name = "one a transaction" if at_once == 1 else f"{at_once} a transaction"
    yield {"name": f"plain insert, {name}", "value": round(1e6 * first, 1), "unit": "µs/record"}
    value = round(1e6 * statistics.median(ours[1:]), 1)
    yield {
        "name": f"entry of the ledger, {name}",
        "value": value,
        "unit": "µs/record",
        "baseline": round(1e6 * first, 1),
        "ratio": round(ratio, 2),
    }


def _beside_one_chain(tenant_id: Any) -> Iterator[Mapping[str, Any]]:
    naive = _with_writers(tenant_id, _one_chain)
    yield {"name": f"one chain per tenant, {WRITERS} writers", "value": naive, "unit": "records/s"}
    ours = _with_writers(tenant_id, _append)
    yield {
        "name": f"a chain per number, {WRITERS} writers",
        "value": ours,
        "unit": "records/s",
        "baseline": naive,
        "ratio": round(ours / naive, 1),
    }


def _with_writers(tenant_id: Any, write: Write) -> float:
    def work() -> None:
        from django.db import connection

        _transactions(tenant_id, write, 1, 2 * SINGLE)
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(WRITERS)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return round(WRITERS * 2 * SINGLE / (time.perf_counter() - began), 1)


def _transactions(tenant_id: Any, write: Write, at_once: int, count: int) -> None:
    from tenants.scope import tenant_scope

    for _ in range(count):
        records = [_record() for _ in range(at_once)]
        with tenant_scope(tenant_id, durable=True):
            write(records)


_numbers = iter(range(3_000_000_000, 4_000_000_000))
_next = threading.Lock()


def _record(number: str = "") -> Any:
    from consent.appending import NewRecord

    if not number:
        with _next:
            number = f"+1{next(_numbers)}"
    evidence: dict[str, object] = {"page": "/f/1", "address": "192.0.2.1", "language": "en"}
    return NewRecord(number, "marketing", "opt_in", "web_form", "Yes, send me offers by text. Reply STOP.", evidence)


def _append(records: list[Any]) -> None:
    from consent.appending import append

    append(records)


def _plain(records: list[Any]) -> None:
    _write(PLAIN, records)


def _one_chain(records: list[Any]) -> None:
    _write(NAIVE, records)


def _write(sql: str, records: list[Any]) -> None:
    from django.db import connection
    from django.utils import timezone

    from common.bulk import json_rows
    from consent.appending import COLUMNS
    from tenants.scope import current_tenant_id

    rows = [[getattr(record, name) for name in COLUMNS] for record in records]
    with connection.cursor() as cursor:
        values: dict[str, Any] = {"rows": json_rows(list(COLUMNS), rows), "tenant": current_tenant_id()}
        cursor.execute(sql, {**values, "now": timezone.now()})


class _tables:  # noqa: N801
    """The tables of the other designs, made and dropped by the owner."""

    def __enter__(self) -> None:
        self._execute(DROP + TABLES)

    def __exit__(self, *_: object) -> None:
        self._execute(DROP)

    def _execute(self, sql: str) -> None:
        from django.db import connection

        from tenants.ownership import as_owner

        with as_owner(), connection.cursor() as cursor:
            cursor.execute(sql)


_WAITED: Final = """
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY waited), percentile_cont(0.99) WITHIN GROUP (ORDER BY waited), max(waited),
       count(*)
FROM (
    SELECT extract(epoch FROM s.created_at - r.recorded_at)::float AS waited
    FROM consent_consentrecord r
    JOIN consent_ledgerleaf l ON l.tenant_id = r.tenant_id AND l.record_id = r.id
    JOIN LATERAL (SELECT c.created_at FROM consent_checkpoint c WHERE c.tenant_id = l.tenant_id AND c.size > l.position
                  ORDER BY c.size LIMIT 1) s ON true
    WHERE r.tenant_id = %s AND r.recorded_at >= %s
) waits
"""


def _sealing(tenant_id: Any) -> Mapping[str, Any]:
    """Five hundred records a second, and the sealer every second as the ticker asks for it."""
    from django.db import connection
    from django.utils import timezone

    from consent.sealer import seal_everything
    from tenants.scope import tenant_scope

    seal_everything()
    began, stop, ticks = timezone.now(), threading.Event(), []

    def ticker() -> None:
        while not stop.wait(max(0.0, 1.0 - (ticks[-1] if ticks else 0.0))):
            tick = time.perf_counter()
            seal_everything()
            ticks.append(time.perf_counter() - tick)
        connection.close()

    thread = threading.Thread(target=ticker)
    thread.start()
    due, written = time.perf_counter(), 0
    while written < A_SECOND * SECONDS:
        _transactions(tenant_id, _append, 5, 1)
        written += 5
        due += 5 / A_SECOND
        time.sleep(max(0.0, due - time.perf_counter()))
    took = (timezone.now() - began).total_seconds()
    stop.set()
    thread.join()
    seal_everything()
    with tenant_scope(tenant_id), connection.cursor() as cursor:
        cursor.execute(_WAITED, [tenant_id, began])
        half, most, worst, count = cursor.fetchone()
    return {
        "name": f"sealed after, at {count / took:.0f} records a second",
        "value": round(most, 2),
        "unit": "s (p99)",
        "p50": round(half, 2),
        "most": round(worst, 2),
        "longest_tick": round(max(ticks), 2),
    }


def _verifying(tenant_id: Any) -> Mapping[str, Any]:
    """The time of the verifier, run alone in another folder, its start included."""
    from django.conf import settings

    from consent import verifier
    from consent.evidence import evidence_pack
    from consent.notes import Signer, public_key_line
    from tenants.scope import tenant_scope

    number = "+12025550123"
    for _ in range(EVENTS // 500):
        with tenant_scope(tenant_id, durable=True):
            _append([_record(number) for _ in range(500)])
    began = time.perf_counter()
    with tenant_scope(tenant_id, durable=True):
        pack = evidence_pack(number=number)
    made = time.perf_counter() - began
    key = public_key_line(Signer.from_setting(settings.LEDGER_SIGNING_KEY).public_key)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "verifier.py").write_bytes(Path(verifier.__file__).read_bytes())
        (place / "pack.json").write_text(json.dumps(pack))
        command = [sys.executable, "-I", "verifier.py", "pack.json", "--key", key]
        times = []
        for _ in range(3):
            began = time.perf_counter()
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
            times.append(time.perf_counter() - began)
        size = (place / "pack.json").stat().st_size
    assert done.stdout.startswith("HOLDS"), done.stdout
    return {
        "name": f"a pack of {EVENTS} records verified",
        "value": round(min(times), 2),
        "unit": "s",
        "made_in": round(made, 2),
        "megabytes": round(size / 1e6, 1),
    }
