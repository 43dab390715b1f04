"""PostgreSQL and Valkey for real, as `make run` runs them."""

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import environ
import psycopg2
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from smsplatform.embedded.leftovers import servers_on
from smsplatform.embedded.postgres import Postgres
from smsplatform.embedded.processes import Process, stop_all
from smsplatform.embedded.valkey import Valkey

Ends = Callable[[int], bool]
KilledSupervisor = Callable[[Callable[[], list[Process]]], list[int]]


@pytest.fixture
def started() -> Iterator[list[Process]]:
    """Processes put into this list are stopped after the test."""
    processes: list[Process] = []
    yield processes
    stop_all(processes)


def start_postgres(home: Path, started: list[Process], *, throwaway: bool = True) -> Postgres:
    server = Postgres.prepare(home, throwaway=throwaway)
    started.append(server.start(home / "log"))
    server.wait_until_ready(started[-1])
    return server


def start_valkey(home: Path, started: list[Process]) -> Valkey:
    server = Valkey.prepare(home)
    started.append(server.start(home / "log"))
    server.wait_until_ready(started[-1])
    return server


def query(server: Postgres, statement: str) -> tuple[object, ...] | None:
    connection = psycopg2.connect(server.url)
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchone() if cursor.description else None
    finally:
        connection.close()


def test_postgres_is_private_and_the_application_is_no_superuser(home: Path, started: list[Process]) -> None:
    server = start_postgres(home, started)
    assert query(
        server,
        "SELECT rolname, rolsuper, rolbypassrls, rolcreaterole, pg_get_userbyid(datdba), datname, "
        "pg_encoding_to_char(encoding), current_setting('listen_addresses') "
        "FROM pg_roles, pg_database WHERE rolname = current_user AND datname = current_database()",
    ) == ("app", False, True, True, "app", "app", "UTF8", "")
    for folder in (server.sockets, server.data):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_libpq_and_the_settings_read_the_same_address(home: Path, started: list[Process]) -> None:
    server = start_postgres(home, started)
    settings = environ.Env.db_url_config(server.url)
    connection = psycopg2.connect(dbname=settings["NAME"], user=settings["USER"], **settings["OPTIONS"])
    connection.close()
    assert settings["OPTIONS"] == {"host": str(home / "run")}


def test_data_survive_a_restart(home: Path, started: list[Process]) -> None:
    query(start_postgres(home, started), "CREATE TABLE kept AS SELECT 42 AS answer")
    stop_all(started)
    assert started[-1].exit_code == 0
    assert query(start_postgres(home, started), "SELECT answer FROM kept") == (42,)


@pytest.mark.parametrize("name", ["long" * 30, "a,b"])
def test_a_path_that_no_socket_can_have_gets_another_folder(home: Path, started: list[Process], name: str) -> None:
    home = home / name
    home.mkdir(mode=0o700)
    server = start_postgres(home, started)
    assert len(str(server.sockets)) < 80
    assert query(server, "SELECT 1") == (1,)
    stop_all(started)
    server.remove_socket_folder()
    assert not server.sockets.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_after_a_kill_of_the_server_the_next_start_is_clean(home: Path, started: list[Process], ends: Ends) -> None:
    server = start_postgres(home, started, throwaway=False)
    query(server, "CREATE TABLE kept AS SELECT 42 AS answer")
    everybody = servers_on(server.data)
    assert started[-1].pid in everybody
    assert len(everybody) > 3
    for pid in everybody:
        with suppress(ProcessLookupError):  # the others may end by themselves as soon as the first is dead
            os.kill(pid, signal.SIGKILL)
    assert all(ends(pid) for pid in everybody)
    # As when nobody has yet taken note of its end: the process is dead, its id is not free.
    assert (server.data / "postmaster.pid").exists()
    assert query(start_postgres(home, started, throwaway=False), "SELECT answer FROM kept") == (42,)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_pid_file_that_names_a_stranger_is_removed_and_the_stranger_lives(home: Path, started: list[Process]) -> None:
    server = start_postgres(home, started)
    stop_all(started)
    with subprocess.Popen(["/bin/sleep", "600"]) as stranger:
        for path in (server.data / "postmaster.pid", server.sockets / ".s.PGSQL.5432.lock"):
            path.write_text(f"{stranger.pid}\n{server.data}\n1\n5432\n{server.sockets}\n\n")
        assert query(start_postgres(home, started), "SELECT 1") == (1,)
        assert stranger.poll() is None
        stranger.kill()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_server_that_was_left_running_is_stopped_first(home: Path, started: list[Process]) -> None:
    left = start_postgres(home, started)
    following = start_postgres(home, started)
    assert started[0].wait(20)
    assert started[0].exit_code == 0
    assert servers_on(left.data)[0] == started[1].pid
    assert query(following, "SELECT 1") == (1,)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root is refused by PostgreSQL")
def test_root_runs_postgres_below_a_folder_only_root_may_enter(tmp_path: Path, started: list[Process]) -> None:
    tmp_path.chmod(0o700)
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    server = start_postgres(home, started)
    assert query(server, "SELECT 1") == (1,)
    assert server.data.stat().st_uid == server.identity.uid


def test_valkey_asks_for_its_password_and_keeps_data(home: Path, started: list[Process]) -> None:
    server = start_valkey(home, started)
    redis.Redis.from_url(server.url).set("kept", "42")
    with pytest.raises(redis.AuthenticationError):
        redis.Redis(port=server.port, retry=Retry(NoBackoff(), 0)).get("kept")
    assert stat.S_IMODE((home / "valkey" / "valkey.conf").stat().st_mode) == 0o600
    started[-1].kill()
    restarted = start_valkey(home, started)
    assert restarted.password != server.password
    assert redis.Redis.from_url(restarted.url).get("kept") == b"42"
    assert redis.Redis.from_url(restarted.url).config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells children of the end of their parent")
def test_neither_outlives_a_killed_supervisor(home: Path, killed_supervisor: KilledSupervisor, ends: Ends) -> None:
    def start_all() -> list[Process]:
        started: list[Process] = []
        postgres = start_postgres(home, started)
        start_valkey(home, started)
        backends = [Process(started[0].program, pid, started[0].log, 0) for pid in servers_on(postgres.data)]
        return [*started, *backends]

    pids = killed_supervisor(start_all)
    assert len(pids) > 4
    assert all(ends(pid) for pid in pids)
    assert "database system is shut down" in (home / "log" / "postgres.log").read_text()
