"""Every row of the table of faults has a test, and the documentation names it."""

import re
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FAULTS = [f"F{n:02d}" for n in range(1, 30)]
"""F30 and F31 are of parts that are not there yet."""
_MARK = re.compile(r"\bfault\(([^)]*)\)")
_ROWS = re.compile(r'\bfault="(F\d\d)"')


def _tests() -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for path in (ROOT / "tests").rglob("test_*.py"):
        text = path.read_text()
        names = [name for mark in _MARK.findall(text) for name in re.findall(r'"(F\d\d)"', mark)]
        for name in (*names, *_ROWS.findall(text)):
            found[name].add(str(path.relative_to(ROOT)))
    return found


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_has_a_test_that_the_documentation_names(fault: str) -> None:
    files = _tests()[fault]
    assert files
    rows = [line for line in (ROOT / "docs/reliability.md").read_text().splitlines() if line.startswith(f"| {fault} ")]
    assert len(rows) == 1
    assert all(file.removeprefix("tests/") in rows[0] for file in files), files
