"""A PostgreSQL and a Valkey for a while, in a temporary folder: for tests and benchmarks."""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from smsplatform.embedded import credentials
from smsplatform.embedded.errors import EmbeddedError
from smsplatform.embedded.lock import lock
from smsplatform.embedded.postgres import Postgres
from smsplatform.embedded.processes import stop_all
from smsplatform.embedded.valkey import Valkey

PREFIX = "smsplatform-temporary-"
ABANDONED_AFTER_SECONDS = 60


@contextmanager
def temporary_servers(*, throwaway: bool = True) -> Iterator[None]:
    """Set `DATABASE_URL` and `REDIS_URL`, for each that is not given, to a server of our own.

    `throwaway` servers write nothing safely to disk; pass False to measure what `make run` does.
    Secrets that are not given get a fresh value too.
    """
    for name, value in credentials.make().items():
        if not credentials.is_given(name):
            os.environ[name] = value
    with ExitStack() as stack:
        _remove_abandoned_folders()
        home = Path(tempfile.mkdtemp(prefix=PREFIX))
        stack.enter_context(lock(home))
        stack.callback(shutil.rmtree, home, ignore_errors=True)
        servers: dict[str, Postgres | Valkey] = {}
        if not credentials.is_given("DATABASE_URL"):
            servers["DATABASE_URL"] = postgres = Postgres.prepare(home, throwaway=throwaway)
            stack.callback(postgres.remove_socket_folder)
        if not credentials.is_given("REDIS_URL"):
            servers["REDIS_URL"] = Valkey.prepare(home, throwaway=throwaway)
        processes = [server.start(home / "log") for server in servers.values()]
        stack.callback(stop_all, processes)
        for (name, server), process in zip(servers.items(), processes, strict=True):
            server.wait_until_ready(process)
            os.environ[name] = server.url
        yield


def _remove_abandoned_folders() -> None:
    """What killed processes left; the folder of one that is alive is locked."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with suppress(OSError, EmbeddedError):
            if time.time() - folder.stat().st_mtime > ABANDONED_AFTER_SECONDS:
                with lock(folder):
                    shutil.rmtree(folder)
