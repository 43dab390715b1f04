"""Real processes of the product beside the test: a Celery worker, a web server.

They are forked from a process that has loaded the product already (Python's fork server), so that one starts within
half a second; from then on nothing is shared but PostgreSQL, Valkey and the wire.
"""

import multiprocessing
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import time_machine
from django.conf import settings
from django.core.cache import caches
from django.db import connection

from common.lanes import LANES
from tests.afternoon import afternoon

__all__ = ["Setup", "beat", "child", "free_port", "serve", "until", "work"]

PATIENCE = 30.0

_server = multiprocessing.get_context("forkserver")
_server.set_forkserver_preload(["tests.faults.preload"])


@dataclass(frozen=True)
class Setup:
    """What is different in a child from a worker or web server of the product."""

    environment: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, Any] = field(default_factory=dict)
    """Dotted names of module constants, with other values: smaller pages, shorter times."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    database: Mapping[str, Any] = field(default_factory=dict)
    """Another way to the database: a proxy's host and port."""
    clock: float = 0.0
    """Seconds by which the process's clock is ahead."""
    jump: float = 0.0
    """Seconds by which it jumps at SIGUSR2."""
    lanes: tuple[str, ...] = LANES
    threads: int = 2
    port: int = 0


def until(done: Callable[[], Any], *, meanwhile: Callable[[], object] = lambda: None, seconds: float = PATIENCE) -> Any:
    """Wait for what the test needs, and say what was missing when it does not come."""
    deadline, pause = time.monotonic() + seconds, 0.02
    while not (found := done()):
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {done}"
        meanwhile()
        time.sleep(pause)
        pause = min(pause * 1.5, 0.25)
    return found


@contextmanager
def child(run: Callable[[Setup], None], setup: Setup) -> Iterator[BaseProcess]:
    """A process that runs beside the test, on its database; killed at the end if it is still there."""
    ours = {"SIMULATOR_URL", "TWILIO_API_BASE_URL", "PUBLIC_BASE_URL"}
    told = {name: getattr(settings, name) for name in ours} | dict(setup.settings)
    database = dict(connection.settings_dict) | {"NAME": str(connection.settings_dict["NAME"])} | dict(setup.database)
    log = Path(os.environ.get("FAULT_LOGS", os.devnull))
    process = _server.Process(target=_run, args=(run, setup, told, _plain(database), str(log)), daemon=True)
    process.start()
    try:
        yield process
    finally:
        if process.is_alive() and process.pid:
            os.kill(process.pid, signal.SIGCONT)
        process.kill()
        process.join(10)


def work(setup: Setup) -> None:
    """A Celery worker of the lanes, as ``make run`` starts one for each of them."""
    app = import_module("smsplatform.celery").app
    arguments = ["worker", "--queues", ",".join(setup.lanes), "--hostname", f"{os.getpid()}@%h", "--loglevel", "INFO"]
    threads = ["--pool", "threads", "--concurrency", str(setup.threads)]
    app.start(argv=[*arguments, *threads, "--without-gossip", "--without-mingle", "--without-heartbeat"])


def serve(setup: Setup) -> None:
    """A web server in one process, so that a failpoint takes all of it."""
    basehttp = import_module("django.core.servers.basehttp")
    server = basehttp.ThreadedWSGIServer(("127.0.0.1", setup.port), basehttp.WSGIRequestHandler)
    server.set_app(import_module("smsplatform.wsgi").application)
    server.serve_forever(poll_interval=0.05)


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _plain(database: Mapping[str, Any]) -> dict[str, Any]:
    return {name: database[name] for name in ("NAME", "USER", "PASSWORD", "HOST", "PORT", "OPTIONS")}


def _run(
    run: Callable[[Setup], None], setup: Setup, told: Mapping[str, Any], database: Mapping[str, Any], log: str
) -> None:
    _quiet(log)
    os.environ.update(setup.environment)
    for name, value in told.items():
        setattr(settings, name, value)
    if "REDIS_URL" in told:
        caches.settings["default"]["LOCATION"] = told["REDIS_URL"]
        import_module("smsplatform.celery").app.conf.broker_url = told["REDIS_URL"]
    connection.settings_dict.update(database)
    # Their people are awake, whenever this runs.
    constants = {"messaging.pipeline.quiet.database_now": afternoon, **setup.constants}
    for name, value in constants.items():
        module, _, constant = name.rpartition(".")
        assert hasattr(import_module(module), constant), name
        setattr(import_module(module), constant, value)
    if setup.clock:
        time_machine.travel(time.time() + setup.clock, tick=True).start()
    if setup.jump:
        signal.signal(signal.SIGUSR2, lambda *_: time_machine.travel(time.time() + setup.jump, tick=True).start())
    run(setup)


def beat(setup: Setup) -> None:
    """A ticker."""
    app = import_module("smsplatform.celery").app
    app.start(argv=["beat", "--pidfile", "", "--loglevel", "INFO"])


def _quiet(log: str) -> None:
    """What a child says goes to the file that FAULT_LOGS names."""
    target = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    for stream in (1, 2):
        os.dup2(target, stream)
    sys.stdout = open(1, "w", buffering=1, encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", buffering=1, encoding="utf-8", closefd=False)  # noqa: SIM115
