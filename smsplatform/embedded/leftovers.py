"""PostgreSQL servers that a killed supervisor left on a data folder."""

import os
import signal
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from smsplatform.embedded.errors import EmbeddedError
from smsplatform.embedded.linux import IS_LINUX
from smsplatform.embedded.processes import POLL_SECONDS

SHUTDOWN_SECONDS = 20


def stop_leftovers(data: Path, *, pid_files: Sequence[Path] = ()) -> None:
    """End servers of an earlier run on this data folder; remove its pid file and those named.

    Only to be called with the lock held. After a `kill -9` a server may still be writing its last
    checkpoint, and a pid file may name a process that has nothing to do with it by now (or, where
    nobody reaps, a dead one), which PostgreSQL itself would take for a running server.
    """
    if not IS_LINUX:
        return  # PostgreSQL's own judgement of its pid files has to do
    running = servers_on(data)
    for sent, seconds in ((signal.SIGINT, SHUTDOWN_SECONDS), (signal.SIGKILL, 5)):
        for pid in running:
            with suppress(ProcessLookupError):
                os.kill(pid, sent)
        deadline = time.monotonic() + seconds
        while running and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
            running = servers_on(data)
    if running:
        raise EmbeddedError(f"PostgreSQL (process {running[0]}) still uses {data} and does not end.")
    for path in (data / "postmaster.pid", *pid_files):
        path.unlink(missing_ok=True)


def servers_on(data: Path) -> list[int]:
    """Ids of the PostgreSQL processes that work in this data folder; Linux only."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            if (entry / "comm").read_text().strip() == "postgres" and (Path(os.readlink(entry / "cwd")) == data):
                found.append(int(entry.name))
        except OSError:  # it has ended, or it is somebody else's
            continue
    return sorted(found)
