"""What `make` says when the machine lacks something. Works on a copy, so that nothing is installed."""

import shutil
import subprocess
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]

if shutil.which("make") is None:
    pytest.skip("make is not installed", allow_module_level=True)


def make(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    shutil.copy(PROJECT / "Makefile", folder)
    return subprocess.run(
        ["make", "-C", str(folder), *arguments], capture_output=True, text=True, check=False, timeout=60
    )


def python(folder: Path, script: str) -> str:
    path = folder / "some python"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return f"PYTHON={path}"


def test_help_is_the_default_and_names_the_commands(tmp_path: Path) -> None:
    answer = make(tmp_path)
    assert answer.returncode == 0
    for command in ("setup", "run", "test"):
        assert f"\n  {command} " in answer.stdout


def test_an_old_python_is_refused(tmp_path: Path) -> None:
    answer = make(tmp_path, ".venv/.created", python(tmp_path, "exit 1"))
    assert answer.returncode != 0
    assert "is no Python 3.11 or newer" in answer.stdout


def test_no_python_at_all_is_told_with_what_to_install(tmp_path: Path) -> None:
    answer = make(tmp_path, ".venv/.created", "PYTHON=")
    assert answer.returncode != 0
    assert "apt install python3 python3-venv" in answer.stdout


def test_a_python_without_venv_is_told_with_what_to_install(tmp_path: Path) -> None:
    answer = make(tmp_path, ".venv/.created", python(tmp_path, 'case "$2" in *ensurepip*) exit 1;; esac'))
    assert answer.returncode != 0
    assert "apt install python3-venv" in answer.stdout
    assert not (tmp_path / ".venv").exists()
