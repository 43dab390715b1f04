"""The database as its owner sees it, and one on a server of its own that a test may hit."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2
from django.db import connection

from smsplatform.embedded.postgres import APP, PORT, SUPERUSER, Postgres
from smsplatform.embedded.processes import Process, stop_all

__all__ = ["Server", "own_server", "owner"]

Cursor = Any


@contextmanager
def owner() -> Iterator[Cursor]:
    """The role that owns the tables, on a connection of its own."""
    where = connection.get_connection_params()
    known = {name: where[name] for name in ("dbname", "user", "password", "host", "port") if name in where}
    other = psycopg2.connect(**known)
    try:
        other.autocommit = True
        with other.cursor() as cursor:
            yield cursor
    finally:
        other.close()


@dataclass
class Server:
    """A PostgreSQL that writes safely to disk, as the product's own."""

    postgres: Postgres
    process: Process

    def power_cut(self) -> None:
        """As ``pg_ctl stop -m immediate``: nothing is finished, nothing is written any more."""
        os.kill(self.process.pid, signal.SIGQUIT)
        assert self.process.wait(30)

    def start(self) -> None:
        """It comes back, and recovers from its log. The test's own connection was lost."""
        connection.close()
        self.process = self.postgres.start(self.postgres.home / "log")
        self.postgres.wait_until_ready(self.process)


@contextmanager
def own_server() -> Iterator[Server]:
    """The test's database, copied as it is to a server of its own; the test and its children work there meanwhile."""
    home = Path(tempfile.mkdtemp(prefix="smsplatform-own-"))
    server = Server(postgres := Postgres.prepare(home), postgres.start(home / "log"))
    usual = dict(connection.settings_dict)
    try:
        postgres.wait_until_ready(server.process)
        _copy(postgres)
        options = {**usual["OPTIONS"], "host": str(postgres.sockets)}
        connection.close()
        connection.settings_dict.update({"NAME": APP, "USER": APP, "HOST": "", "PORT": PORT, "OPTIONS": options})
        yield server
    finally:
        connection.close()
        connection.settings_dict.update(usual)
        stop_all([server.process])
        postgres.remove_socket_folder()
        shutil.rmtree(home, ignore_errors=True)


def _copy(postgres: Postgres) -> None:
    where = connection.get_connection_params()
    theirs = ["-h", str(where["host"]), "-U", SUPERUSER]
    ours = [postgres.binary.path.with_name("psql"), "-q", "-h", str(postgres.sockets), "-U", SUPERUSER]
    for dump, database in (
        (["pg_dumpall", "--roles-only", *theirs], SUPERUSER),
        (["pg_dump", *theirs, str(where["dbname"])], APP),
    ):
        program = postgres.binary.path.with_name(dump[0])
        script = subprocess.run([program, *dump[1:]], check=True, capture_output=True).stdout
        subprocess.run([*ours, database], input=script, check=True, capture_output=True)
