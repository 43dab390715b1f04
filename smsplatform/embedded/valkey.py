"""Valkey as a child process: loopback only, a random port and password, everything on disk."""

import secrets
import socket
import time
from dataclasses import dataclass
from pathlib import Path

from smsplatform.embedded.binaries import Binary, find_valkey
from smsplatform.embedded.errors import EmbeddedError
from smsplatform.embedded.ports import LOOPBACK, free_port
from smsplatform.embedded.processes import (
    POLL_SECONDS,
    Process,
    Program,
    execute,
    start,
)

START_SECONDS = 30
DATABASES = 64
"""More than the default of 16, so that each parallel test process gets one."""


@dataclass(frozen=True)
class Valkey:
    """A server on `<home>/valkey`; `throwaway` keeps nothing on disk, for tests."""

    home: Path
    binary: Binary
    port: int
    password: str
    throwaway: bool = False

    @classmethod
    def prepare(cls, home: Path, *, throwaway: bool = False) -> "Valkey":
        """Find the program and choose port and password. Raises EmbeddedError without a program."""
        (home / "valkey").mkdir(mode=0o700, exist_ok=True)
        return cls(home, find_valkey(), free_port(), secrets.token_urlsafe(24), throwaway)

    @property
    def url(self) -> str:
        """`redis://`, because Celery knows no other name for the protocol."""
        return f"redis://:{self.password}@{LOOPBACK}:{self.port}/0"

    def start(self, logs: Path) -> Process:
        """Start the server; `wait_until_ready` follows."""
        folder = self.home / "valkey"
        configuration = folder / "valkey.conf"  # a file, because `ps` shows arguments to everybody
        configuration.touch(mode=0o600)
        configuration.write_text(self._configuration(folder))
        # Killed at once when the supervisor dies: what it has written is safe with the kernel.
        run = execute([self.binary.path, configuration], {})
        return start(Program(name="valkey", run=run, essential=True), logs)

    def wait_until_ready(self, process: Process) -> None:
        """Wait until it has loaded its data and answers."""
        deadline = time.monotonic() + START_SECONDS
        while process.poll() is None and time.monotonic() < deadline:
            if self._answers():
                return
            time.sleep(POLL_SECONDS)
        raise EmbeddedError(f"Valkey does not start:\n{process.tail()}")

    def _answers(self) -> bool:
        try:
            with socket.create_connection((LOOPBACK, self.port), timeout=1) as connection:
                connection.sendall(f"AUTH {self.password}\r\nPING\r\nQUIT\r\n".encode())
                return b"+PONG" in connection.makefile("rb").read()
        except OSError:
            return False

    def _configuration(self, folder: Path) -> str:
        return "\n".join(
            [
                f"bind {LOOPBACK}",
                f"port {self.port}",
                f"requirepass {self.password}",
                f"dir {_quoted(folder)}",
                f"databases {DATABASES}",
                f"appendonly {'no' if self.throwaway else 'yes'}",
                'save ""',
                "maxmemory-policy noeviction",
                "daemonize no",
                "",
            ]
        )


def _quoted(folder: Path) -> str:
    return '"' + str(folder).replace("\\", "\\\\").replace('"', '\\"') + '"'
