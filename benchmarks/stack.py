"""Servers and worker processes of a benchmark, and what they cost."""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = [
    "Cost",
    "costs",
    "cpu_seconds",
    "fake_twilio",
    "free_port",
    "line",
    "provider_stats",
    "resident_megabytes",
    "servers",
    "ticker",
    "workers",
]

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Cost:
    """Processor seconds of the workers and of PostgreSQL."""

    workers: float
    postgres: float

    def __sub__(self, before: "Cost") -> "Cost":
        return Cost(self.workers - before.workers, self.postgres - before.postgres)


def costs(pids: Iterable[int]) -> Cost:
    """What these processes, with their descendants, and PostgreSQL have spent so far."""
    return Cost(sum(map(cpu_seconds, pids)), cpu_seconds(int(os.environ["BENCH_POSTGRES_PID"])))


def line(name: str, unit: str, items: int, seconds: float, spent: Cost) -> dict[str, Any]:
    """A result: items a second, and milliseconds of processor time for each."""
    worker, postgres = (1000 * one / max(items, 1) for one in (spent.workers, spent.postgres))
    return {
        "name": name,
        "value": round(items / seconds, 1),
        "unit": unit,
        "cpu_ms_per_item": round(worker + postgres, 3),
        "cpu_ms_worker": round(worker, 3),
        "cpu_ms_postgres": round(postgres, 3),
    }


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def servers() -> Iterator[None]:
    """PostgreSQL (durable, as in production) and Valkey in a temporary folder; the environment points to them."""
    from smsplatform.embedded import credentials
    from smsplatform.embedded.postgres import Postgres
    from smsplatform.embedded.processes import stop_all
    from smsplatform.embedded.valkey import Valkey

    with tempfile.TemporaryDirectory(prefix="smsplatform-bench-") as folder:
        home = Path(folder)
        for name, value in credentials.make().items():
            os.environ.setdefault(name, value)
        parts = [("DATABASE_URL", Postgres.prepare(home)), ("REDIS_URL", Valkey.prepare(home))]
        processes = [part.start(home / "log") for _, part in parts]
        try:
            for (name, part), process in zip(parts, processes, strict=True):
                part.wait_until_ready(process)
                os.environ[name] = part.url
            os.environ["BENCH_POSTGRES_PID"] = str(processes[0].pid)
            yield
        finally:
            stop_all(processes)


@contextmanager
def fake_twilio(latency_ms: float) -> Iterator[str]:
    """The provider's address."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.fake_twilio", "--port", str(port), "--latency-ms", str(latency_ms)]
    )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_for(address)
        yield address
    finally:
        process.kill()
        process.wait()


@contextmanager
def ticker() -> Iterator[subprocess.Popen[bytes]]:
    """Celery's beat."""
    process = subprocess.Popen(
        [sys.executable, "-m", "celery", "-A", "smsplatform.celery", "beat", "--pidfile", "", "--loglevel", "ERROR"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@contextmanager
def workers(app: str, arguments: Sequence[str]) -> Iterator[subprocess.Popen[bytes]]:
    """A Celery worker of ``app``."""
    command = [sys.executable, "-m", "celery", "-A", app, "worker", "--loglevel", "ERROR", *arguments]
    process = subprocess.Popen(
        [*command, "--without-gossip", "--without-mingle", "--without-heartbeat"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def provider_stats(address: str) -> dict[str, Any]:
    """What reached the provider."""
    with urllib.request.urlopen(f"{address}/stats", timeout=5) as answer:
        stats: dict[str, Any] = json.load(answer)
        return stats


def cpu_seconds(pid: int) -> float:
    """Processor seconds so far of a process with all its descendants, ended ones included."""
    table = _processes()
    total, found = 0.0, [pid]
    while found:
        one = found.pop()
        if one in table:
            total += table[one][1]
            found += [child for child, (parent, _) in table.items() if parent == one]
    return total


def resident_megabytes(pid: int) -> float:
    """Memory of a process with its descendants; a page that several of them share counts once, split among them."""
    table, total, found = _processes(), 0, [pid]
    while found:
        one = found.pop()
        found += [child for child, (parent, _) in table.items() if parent == one]
        lines = Path(f"/proc/{one}/smaps_rollup").read_text().splitlines()
        total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1024


def _processes() -> dict[int, tuple[int, float]]:
    """Parent and processor seconds by process id; a process's own count includes its ended children."""
    table = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                stat = (folder / "stat").read_text()
            except OSError:
                continue
            fields = stat[stat.rindex(")") + 2 :].split()
            table[int(folder.name)] = (int(fields[1]), sum(map(int, fields[11:15])) / _TICKS)
    return table


def _wait_for(address: str) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            provider_stats(address)
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("the fake provider did not start")
