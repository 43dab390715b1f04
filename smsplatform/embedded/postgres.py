"""PostgreSQL as a child process on a data folder of our own.

It listens on a Unix socket only, in a folder of mode 0700: the file system is the authentication,
so `trust` admits exactly the user who owns the folder (and root). `peer` would add nothing and
would need a name map for each way of running it (see `identity`).
"""

import hashlib
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg2
from psycopg2 import extensions

from smsplatform.embedded import identity
from smsplatform.embedded.binaries import Binary, find_postgres
from smsplatform.embedded.errors import EmbeddedError
from smsplatform.embedded.leftovers import stop_leftovers
from smsplatform.embedded.linux import die_with
from smsplatform.embedded.processes import (
    POLL_SECONDS,
    Process,
    Program,
    execute,
    start,
)

PORT = 5432
SOCKET = f".s.PGSQL.{PORT}"
SUPERUSER = "postgres"
APP = "app"
SOCKET_PATH_LIMIT = 100
START_SECONDS = 60
STOP_SECONDS = 20

SETTINGS = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    # A customer file of a million rows is written at once: with PostgreSQL's defaults most of the time would go into
    # checkpoints, and into reading index pages again that had to make room.
    "shared_buffers": "512MB",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "max_parallel_workers_per_gather": "0",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    # Messages and details of failed statements carry phone numbers and bodies; the application,
    # which gets them anyway, decides what of them is written down.
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}
THROWAWAY_SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}
# Nothing of the user's PostgreSQL environment (PGPORT, PGOPTIONS, a locale) reaches the server, and
# a given time zone spares initdb the search for the system's.
ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}


@dataclass(frozen=True)
class Postgres:
    """A server on `<home>/postgres`; `throwaway` trades safety for speed, for tests."""

    home: Path
    binary: Binary
    identity: identity.Identity
    sockets: Path
    throwaway: bool = False

    @classmethod
    def prepare(cls, home: Path, *, throwaway: bool = False) -> "Postgres":
        """Find the programs and ready the folders. `home` exists and is locked by the caller.

        Raises EmbeddedError, with what to do, when this machine cannot run it.
        """
        _forget_other_servers()
        folder = home / "postgres"
        folder.mkdir(mode=0o700, exist_ok=True)
        binary = find_postgres(major=_major_of(folder / "data"))
        who = identity.choose(home=home, program=binary.path)
        sockets = _socket_folder(home, who)
        who.give(folder)
        who.give(sockets)
        stop_leftovers(folder / "data", pid_files=[sockets / SOCKET, sockets / f"{SOCKET}.lock"])
        return cls(home, binary, who, sockets, throwaway)

    @property
    def data(self) -> Path:
        return self.home / "postgres" / "data"

    @property
    def url(self) -> str:
        """Understood by libpq and by django-environ, which hands `host` on as an option."""
        return f"postgresql://{APP}@/{APP}?host={quote(str(self.sockets))}"

    def start(self, logs: Path) -> Process:
        """Start the server, on a new data folder if there is none; `wait_until_ready` follows."""
        program = Program(
            name="postgres",
            run=self._run,
            become=self.identity.become,
            stop_signal=signal.SIGINT,  # fast shutdown: open transactions are rolled back
            stop_seconds=STOP_SECONDS,
            orphan_signal=signal.SIGINT,
            essential=True,
        )
        return start(program, logs)

    def _run(self) -> None:
        if not self.data.exists():
            self._create_data_folder()
        settings = SETTINGS | {"unix_socket_directories": _quoted(self.sockets)}
        if self.throwaway:
            settings |= THROWAWAY_SETTINGS
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        execute([self.binary.path, "-D", self.data, *options], ENVIRONMENT)()

    def _create_data_folder(self) -> None:
        """Under another name until it is whole, so that a half-made one is never started."""
        unfinished = self.data.with_name("data.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        command: list[str | Path] = [
            *(self.binary.path.with_name("initdb"), "-D", unfinished, "-U", SUPERUSER),
            *("--auth=trust", "--encoding=UTF8", "--no-instructions"),
            *_locale_options(self.binary.major),
        ]
        if self.throwaway:
            command.append("--no-sync")
        supervised = os.getpid()
        initdb = subprocess.run(
            command,
            env=ENVIRONMENT,
            check=False,
            stdout=subprocess.DEVNULL,
            preexec_fn=lambda: die_with(supervised, signal.SIGKILL),
        )
        if initdb.returncode != 0:
            sys.exit(f"initdb ended with code {initdb.returncode}.")
        unfinished.rename(self.data)

    def wait_until_ready(self, process: Process) -> None:
        """Wait until it answers, then make sure of role and database."""
        deadline = time.monotonic() + START_SECONDS
        while process.poll() is None and time.monotonic() < deadline:
            try:
                connection = psycopg2.connect(host=str(self.sockets), port=PORT, user=SUPERUSER, dbname=SUPERUSER)
            except psycopg2.OperationalError:
                time.sleep(POLL_SECONDS)
                continue
            try:
                _create_role_and_database(connection, may_create_databases=self.throwaway)
            finally:
                connection.close()
            return
        raise EmbeddedError(f"PostgreSQL does not start:\n{process.tail()}")

    def remove_socket_folder(self) -> None:
        """For the end: the folder with the short name, if there is one, lies outside of `home`."""
        if self.sockets.parent != self.home:
            with suppress(OSError):
                self.sockets.rmdir()


def _major_of(data: Path) -> int | None:
    try:
        return int((data / "PG_VERSION").read_text())
    except FileNotFoundError:
        return None


def _locale_options(major: int) -> list[str]:
    if major < 17:  # has no locale provider of its own
        return ["--locale=C.UTF-8"]
    return ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]


def _forget_other_servers() -> None:
    """PGPORT, PGHOSTADDR, PGOPTIONS and the like would lead our connections somewhere else."""
    for name in [name for name in os.environ if name.startswith("PG") and name != "PG_BIN"]:
        del os.environ[name]


def _socket_folder(home: Path, who: identity.Identity) -> Path:
    """`<home>/run`, or a folder with a short name: a socket's path has little room.

    Nor may the path have a comma, which would make it several hosts to libpq.
    """
    folder = home / "run"
    if len(os.fsencode(folder / SOCKET)) <= SOCKET_PATH_LIMIT and "," not in str(folder):
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder
    digest = hashlib.sha256(os.fsencode(home)).hexdigest()[:12]
    folder = Path(tempfile.gettempdir(), f"smsplatform-{os.geteuid()}-{digest}")
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        found = folder.lstat()
        # Anybody may write to the folder above; somebody else could have been first.
        if not stat.S_ISDIR(found.st_mode) or found.st_uid not in {os.geteuid(), who.uid}:
            raise EmbeddedError(f"{folder} belongs to somebody else. Remove it or set TMPDIR.") from None
        folder.chmod(0o700)
    return folder


def _quoted(folder: Path) -> str:
    """As one element of a list setting, whatever characters the path has."""
    return '"' + str(folder).replace('"', '""') + '"'


def _create_role_and_database(connection: extensions.connection, *, may_create_databases: bool) -> None:
    """The role `app`, who owns the database `app` and makes the runtime role by migration."""
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [APP])
        if cursor.fetchone() is None:
            cursor.execute(f"CREATE ROLE {APP} LOGIN")
        createdb = "CREATEDB" if may_create_databases else "NOCREATEDB"
        cursor.execute(f"ALTER ROLE {APP} LOGIN NOSUPERUSER CREATEROLE BYPASSRLS {createdb}")
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [APP])
        if cursor.fetchone() is None:
            cursor.execute(f"CREATE DATABASE {APP} OWNER {APP}")
