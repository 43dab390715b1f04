"""Every row of the table of faults has a test and a counter-proof, and the documentation names them."""

import re
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FAULTS = [f"F{n:02d}" for n in range(1, 30)]
"""F30 and F31 are of parts that are not there yet."""
_MARK = re.compile(r"\bfault\(([^)]*)\)")
_ROWS = re.compile(r'\bfault="(F\d\d)"')
_PROOF = re.compile(r"\bcounterproof\(([^)]*)\)")
_PROOFS = re.compile(r'\bProof\(\s*fault="(F\d\d)"')


def _marked(marks: re.Pattern[str], rows: re.Pattern[str]) -> dict[str, set[str]]:
    """The files in which each fault is marked, below ``tests``."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in (ROOT / "tests").rglob("test_*.py"):
        text = path.read_text()
        names = [name for mark in marks.findall(text) for name in re.findall(r'"(F\d\d)"', mark)]
        for name in (*names, *rows.findall(text)):
            found[name].add(str(path.relative_to(ROOT / "tests")))
    return found


def _row(fault: str) -> list[str]:
    """Fault, what happens, what must hold, tests, where the guard is taken off."""
    lines = (ROOT / "docs/reliability.md").read_text().splitlines()
    (row,) = [line for line in lines if line.startswith(f"| {fault} ")]
    return [cell.strip() for cell in row.strip("|").split("|")]


def _files(cell: str) -> set[str]:
    return set(re.findall(r"`([\w/]+\.py)`", cell))


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_has_a_test_that_the_documentation_names(fault: str) -> None:
    files = _marked(_MARK, _ROWS)[fault]
    assert files
    assert files <= _files(_row(fault)[3])


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_has_a_counterproof_that_the_documentation_names(fault: str) -> None:
    """A guard that was never seen to matter may not be what holds."""
    files = _marked(_PROOF, _PROOFS)[fault]
    assert files
    assert files == _files(_row(fault)[4])
