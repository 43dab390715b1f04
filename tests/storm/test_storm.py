"""A storm of a minute, and the same with one safeguard off. Big ones: ``make storm MESSAGES=20000 KILLS=300``."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.storm, pytest.mark.xdist_group("storm")]

ROOT = Path(__file__).resolve().parents[2]
OURS = ("DATABASE_URL", "REDIS_URL", "TWILIO_API_BASE_URL", "PUBLIC_BASE_URL")


def storm(*arguments: str) -> dict[str, Any]:
    """The report of a storm with processes and servers of its own."""
    environment = {name: value for name, value in os.environ.items() if name not in OURS}
    done = subprocess.run(
        [sys.executable, "-m", "tests.storm", "--seed", "7", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report


@pytest.mark.fault("F01", "F08", "F13", "F16", "F18", "F28")
def test_a_minute_of_it_loses_nothing_and_doubles_nothing() -> None:
    report = storm("--messages", "1000", "--kills", "24", "--seconds", "30")
    assert report["passed"], report
    assert report["taken"] > 500


@pytest.mark.counterproof("F01", "F04", "F18")
@pytest.mark.parametrize(
    ("guard", "found"),
    [
        ("blind_retry", "doubled"),
        ("no_index", "two_live"),
        ("no_fence", "unrecorded"),
        ("no_sweep", "lost"),
    ],
)
def test_without_a_safeguard_the_judge_finds_it(guard: str, found: str) -> None:
    report = storm("--messages", "1200", "--kills", "30", "--seconds", "30", "--guard-off", guard)
    assert report["findings"][found], report


def test_without_a_careful_sweep_the_index_alone_keeps_it_from_happening() -> None:
    report = storm("--messages", "1200", "--kills", "30", "--seconds", "30", "--guard-off", "naive_sweep")
    assert not report["findings"]["doubled"], report
    assert not report["findings"]["two_live"], report
