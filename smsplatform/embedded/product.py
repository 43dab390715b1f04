"""The processes of the product, run in children forked from a process that has loaded it already.

Loading Django and the apps is what takes time at start; forking shares that one load, in time and
in memory. What is loaded may therefore neither open a connection nor start a thread by itself.
"""

import gc
import os
import runpy
import signal
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from smsplatform.embedded.linux import die_with, show_command
from smsplatform.embedded.ports import LOOPBACK
from smsplatform.embedded.processes import Program

WEB_PROCESSES = 2
WEB_THREADS = 8
# Sending lanes keep hundreds of requests in flight inside one task, so few threads are enough.
WORKER_THREADS = 4
MODULES = (
    "smsplatform.urls",
    "smsplatform.wsgi",
    "celery.apps.beat",
    "celery.apps.worker",
    "celery.bin.celery",
    "celery.concurrency.thread",
    "celery.worker.consumer",
    "celery.worker.strategy",
    "kombu.transport.redis",
    "granian.server",
)


def preload() -> None:
    """Import the product, so that forked children have it."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "smsplatform.settings")
    gc.disable()
    import_module("django").setup()
    for module in MODULES:
        import_module(module)
    app = _celery()
    app.loader.import_default_modules()
    app.finalize()
    gc.freeze()  # the children's collectors leave the shared pages alone
    gc.enable()


def management(command: str, **options: object) -> Program:
    """`manage.py <command>`, once."""

    def run() -> None:
        import_module("django.core.management").call_command(command, **options)

    return Program(name=command.replace("_", "-"), run=run)


def web(port: int) -> Program:
    """The web server; its workers die with it."""
    return Program(name="web", run=lambda: _serve(port))


def network(port: int, record: Path) -> Program:
    """The simulated phone network; ``record`` keeps what it took, so that it can be asked after a restart."""
    module = "messaging.providers.simulator.network"
    return Program(name="network", run=lambda: _run_module(module, "--port", str(port), "--log", str(record)))


def worker(lane: str) -> Program:
    """The Celery worker of one lane."""
    arguments = (
        *("worker", "--queues", lane, "--hostname", f"{lane}@%h", "--loglevel", "INFO"),
        *("--pool", "threads", "--concurrency", str(WORKER_THREADS)),
        *("--without-gossip", "--without-mingle", "--without-heartbeat"),
    )
    return Program(name=f"worker-{lane}", run=_celery_program(*arguments))


def beat() -> Program:
    """The ticker. It needs no pid file: there is one per supervisor."""
    return Program(name="beat", run=_celery_program("beat", "--pidfile", "", "--loglevel", "INFO"))


def mail_folder() -> str:
    """Where mails become files; empty when a mail server is set."""
    settings = import_module("django.conf").settings
    return str(settings.EMAIL_FILE_PATH) if "filebased" in settings.EMAIL_BACKEND else ""


def lanes() -> tuple[str, ...]:
    """The lanes there is to be a worker for."""
    names: tuple[str, ...] = import_module("common.lanes").LANES
    return names


def _celery() -> Any:
    return import_module("smsplatform.celery").app


def _celery_program(*arguments: str) -> Callable[[], None]:
    def run() -> None:
        sys.argv = ["celery", "-A", "smsplatform", *arguments]
        show_command(*sys.argv)
        _celery().start(argv=sys.argv[1:])

    return run


def _run_module(module: str, *arguments: str) -> None:
    sys.argv = [module, *arguments]
    show_command("python", "-m", *sys.argv)
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _serve(port: int) -> None:
    application = "smsplatform.wsgi:application"
    show_command("granian", "--interface", "wsgi", application, "--port", str(port))
    granian = import_module("granian")
    server = granian.Granian(
        application,
        address=LOOPBACK,
        port=port,
        interface="wsgi",
        workers=WEB_PROCESSES,
        blocking_threads=WEB_THREADS,
        respawn_failed_workers=True,
        workers_kill_timeout=5,
        log_dictconfig=import_module("django.conf").settings.LOGGING,
    )
    server.serve(target_loader=_load_application)


def _load_application(target: str) -> Any:
    """Called in each of granian's worker processes, which would outlive a killed granian."""
    die_with(os.getppid(), signal.SIGKILL)
    module, _, name = target.partition(":")
    return getattr(import_module(module), name)
