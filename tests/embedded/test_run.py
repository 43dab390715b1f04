"""`make run`'s command with the real product: starts, serves, survives kills, leaves nothing."""

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from smsplatform.embedded.leftovers import servers_on
from smsplatform.embedded.ports import free_port

PROJECT = Path(__file__).resolve().parents[2]
Ends = Callable[[int], bool]

pytestmark = [
    pytest.mark.journey,
    pytest.mark.skipif(sys.platform != "linux", reason="follows processes through /proc"),
]


class Run:
    """One start of the product; `told` is what it showed until it was ready (or ended)."""

    def __init__(self, home: Path, port: int) -> None:
        given = (
            "DATABASE_URL",
            "REDIS_URL",
            "SECRET_KEY",
            "FIELD_ENCRYPTION_KEYS",
            "LEDGER_SIGNING_KEY",
            "SIMULATOR_SECRET",
        )
        self.process = subprocess.Popen(
            [sys.executable, "-m", "smsplatform.embedded", "run", "--port", str(port), "--home", str(home)],
            cwd=PROJECT,
            env={name: value for name, value in os.environ.items() if name not in given},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.told = ""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.told += line
            if line.startswith("Ctrl-C"):
                break

    def end(self, sent: signal.Signals) -> int:
        self.process.send_signal(sent)
        self.process.communicate(timeout=60)
        return self.process.returncode

    def descendants(self) -> list[int]:
        children: dict[int, list[int]] = {}
        for entry in Path("/proc").glob("[0-9]*/stat"):
            try:
                parent = int(entry.read_text().rpartition(")")[2].split()[1])
            except OSError:  # it has ended meanwhile
                continue
            children.setdefault(parent, []).append(int(entry.parent.name))
        found, waiting = [], [self.process.pid]
        while waiting:
            below = children.get(waiting.pop(), [])
            found += below
            waiting += below
        return found


@pytest.fixture
def run(home: Path) -> Iterator[Callable[[], Run]]:
    runs: list[Run] = []
    port = free_port()

    def run() -> Run:
        runs.append(Run(home, port))
        return runs[-1]

    yield run
    for each in runs:
        if each.process.poll() is None:
            each.end(signal.SIGTERM)


def get(run: Run, path: str) -> tuple[int, str]:
    address = re.search(r"http://127\.0\.0\.1:\d+", run.told)
    assert address, run.told
    with urllib.request.urlopen(address[0] + path, timeout=20) as response:
        return response.status, response.read().decode()


def test_it_runs_survives_a_kill_and_leaves_nothing(run: Callable[[], Run], home: Path, ends: Ends) -> None:
    first = run()
    assert get(first, "/livez")[0] == 200
    status, answer = get(first, "/readyz")
    assert (status, json.loads(answer)["ready"]) == (200, True)
    assert json.loads((home / "demo.json").read_text())["password"] in first.told
    assert str(home / "mail") in first.told
    assert "Sending due task" not in (home / "log" / "beat.log").read_text()
    everybody = first.descendants()
    assert len(everybody) > 15

    second = run()
    assert second.process.wait(60) == 1
    assert f"in use by process {first.process.pid}" in second.told

    command = subprocess.run(
        [sys.executable, "manage.py", "showmigrations", "--plan"],
        cwd=PROJECT,
        env={"PATH": os.environ["PATH"], "SMSPLATFORM_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert command.returncode == 0, command.stderr
    assert "[ ]" not in command.stdout

    assert first.end(signal.SIGKILL) == -signal.SIGKILL
    assert all(ends(pid) for pid in everybody)

    third = run()
    assert "Ready after" in third.told
    everybody = third.descendants()
    assert third.end(signal.SIGINT) == 0
    assert all(ends(pid) for pid in everybody)
    assert servers_on(home / "postgres" / "data") == []
    assert not (home / "environment").exists()


def test_the_end_of_the_database_ends_the_run(run: Callable[[], Run], home: Path, ends: Ends) -> None:
    running = run()
    everybody = running.descendants()
    postmaster = int((home / "postgres" / "data" / "postmaster.pid").read_text().splitlines()[0])
    os.kill(postmaster, signal.SIGKILL)
    told, _ = running.process.communicate(timeout=60)
    assert running.process.returncode == 1
    assert "postgres was killed by SIGKILL" in told
    assert all(ends(pid) for pid in everybody)
