"""`make run`: starts everything in order, watches it, and stops it in order."""

import http.client
import io
import json
import os
import select
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import TextIO

from smsplatform.embedded import credentials, product
from smsplatform.embedded.errors import EmbeddedError
from smsplatform.embedded.linux import adopt_orphans, parent_blocks_interrupts, stop_with_parent
from smsplatform.embedded.lock import lock
from smsplatform.embedded.ports import LOOPBACK, check_free, free_port
from smsplatform.embedded.postgres import Postgres
from smsplatform.embedded.processes import Process, Program, start, stop_all
from smsplatform.embedded.service import Service, describe_end
from smsplatform.embedded.valkey import Valkey

READY_SECONDS = 120
LOOK_AGAIN_SECONDS = 0.05


class Stopped(Exception):
    """Somebody asked for the end: Ctrl-C, SIGTERM, a closed terminal."""


class Supervisor:
    """Runs the product on the data folder `home` and the web port `port` until asked to stop.

    With `follow_parent` the end, or interruption, of the process that started it is such a request.
    """

    def __init__(self, *, home: Path, port: int, follow_parent: bool = False) -> None:
        self.home = home
        self.port = port
        self.follow_parent = follow_parent and not parent_blocks_interrupts()
        self.logs = home / "log"
        self.began = time.monotonic()
        self.stop_requests = 0
        self.postgres: Postgres | None = None
        self.processes: list[Process] = []
        """Servers and one-off commands; when a server ends by itself, so does the run."""
        self.services: list[Service] = []

    def run(self) -> int:
        """The exit code for the shell."""
        os.umask(0o077)
        try:
            if self.follow_parent:
                stop_with_parent()
            self._make_home()
            with lock(self.home), self._signals() as self.wakeup:
                check_free(self.port)
                adopt_orphans()
                try:
                    self._start()
                    self._watch()
                finally:
                    self._stop()
        except EmbeddedError as error:
            say(f"\n{error}\n", sys.stderr)
            return 1
        except Stopped:
            pass
        return 0

    def _make_home(self) -> None:
        try:
            self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise EmbeddedError(
                f"The data folder {self.home} cannot be made ({error.strerror}). Choose another: "
                "make run SMSPLATFORM_HOME=my-data"
            ) from error

    # --- Starting -----------------------------------------------------------------------------

    def _start(self) -> None:
        say(f"Starting in {self.home} (logs in {self.logs})")
        self._start_servers()
        self._run_once(product.management("migrate", interactive=False, verbosity=1))
        # What it prints is the demo password, which belongs on the terminal and in no log.
        self._run_once(product.management("seed_demo", stdout=io.StringIO()))
        self._took("database migrated, demo data there")
        workers = [product.worker(lane) for lane in product.lanes()]
        network = product.network(
            int(os.environ["SIMULATOR_URL"].rpartition(":")[2]), self.home / "network-record.jsonl"
        )
        for program in (product.web(self.port), network, *workers, product.beat()):
            service = Service(program, self.logs)
            self.services.append(service)
            service.start()
        self._wait_until_ready()
        self._welcome()

    def _start_servers(self) -> None:
        """PostgreSQL and Valkey, unless given; the product is loaded while they start."""
        if not credentials.is_given("DATABASE_URL"):
            self.postgres = Postgres.prepare(self.home)
        valkey = None if credentials.is_given("REDIS_URL") else Valkey.prepare(self.home)
        self._publish_environment(self.postgres, valkey)
        servers: list[Postgres | Valkey] = [server for server in (self.postgres, valkey) if server]
        for server in servers:
            self.processes.append(server.start(self.logs))
        product.preload()
        for server, process in zip(servers, self.processes, strict=True):
            server.wait_until_ready(process)
            self._check()
            self._took(f"{process.name} {server.binary.version}")

    def _publish_environment(self, postgres: Postgres | None, valkey: Valkey | None) -> None:
        """Set what the settings read, for our children and, in a file, for other terminals."""
        values = {
            **credentials.load(self.home / "secrets.env"),
            "PUBLIC_BASE_URL": f"http://{LOOPBACK}:{self.port}",
            "SIMULATOR_ENABLED": "true",
            "SIMULATOR_URL": f"http://{LOOPBACK}:{free_port()}",
        }
        if postgres is not None:
            values["DATABASE_URL"] = postgres.url
        if valkey is not None:
            values["REDIS_URL"] = valkey.url
        for name, value in values.items():
            if not credentials.is_given(name):
                os.environ[name] = value
        os.environ["SMSPLATFORM_HOME"] = str(self.home)
        # What the person gave stays where they gave it: it may be theirs alone to keep.
        ours = {name: value for name, value in values.items() if os.environ.get(name) == value}
        credentials.write(self.home / "environment", ours)

    def _run_once(self, program: Program) -> None:
        process = start(program, self.logs)
        self.processes.append(process)
        while process.poll() is None:
            self._pause(LOOK_AGAIN_SECONDS)
            self._check()
        self.processes.remove(process)
        if process.exit_code != 0:
            raise EmbeddedError(describe_end(process))

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        status, answer = 0, "no answer"
        while status != http.client.OK:
            if time.monotonic() > deadline:
                raise EmbeddedError(f"Not ready after {READY_SECONDS} s. /readyz says:\n{answer}")
            self._pause(LOOK_AGAIN_SECONDS)
            self._check()
            for service in self.services:
                if service.process is not None and service.process.poll() is not None:
                    raise EmbeddedError(describe_end(service.process))
            status, answer = self._ask("/readyz") or (status, answer)

    def _ask(self, path: str) -> tuple[int, str] | None:
        connection = http.client.HTTPConnection(LOOPBACK, self.port, timeout=5)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read().decode(errors="replace")
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def _welcome(self) -> None:
        address = f"http://{LOOPBACK}:{self.port}"
        lines = [f"\nReady after {self._elapsed():.1f} s", f"  Dashboard       {address}/"]
        with suppress(OSError, ValueError, KeyError):
            login = json.loads((self.home / "demo.json").read_text())
            lines.append(f"  Sign in         {login['email']}  password: {login['password']}")
        lines += [f"  Virtual phones  {address}/phones/", f"  Data folder     {self.home}"]
        mails = product.mail_folder()
        if mails:
            lines.append(f"  Mails           {mails} (password links too; no mail server is set)")
        lines.append("Ctrl-C stops everything.\n")
        say("\n".join(lines))

    # --- Watching -----------------------------------------------------------------------------

    def _watch(self) -> None:
        while True:
            self._pause(1.0)
            self._check()
            for service in self.services:
                news = service.tend()
                if news:
                    say(news)

    def _check(self) -> None:
        if self.stop_requests or (self.follow_parent and parent_blocks_interrupts()):
            raise Stopped
        for process in self.processes:
            if process.program.essential and process.poll() is not None:
                raise EmbeddedError(describe_end(process))

    def _pause(self, seconds: float) -> None:
        """Sleep until a signal comes (a child's end is one) or the time is over."""
        if select.select([self.wakeup], [], [], seconds)[0]:
            os.read(self.wakeup, 1000)
        self._reap_orphans()

    def _reap_orphans(self) -> None:
        """Take note of the end of adopted grandchildren; our own children are left to `poll`."""
        own = {process.pid for process in self._all()}
        with suppress(ChildProcessError):
            while info := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                if info.si_pid in own:
                    return
                os.waitpid(info.si_pid, 0)

    # --- Stopping -----------------------------------------------------------------------------

    @contextmanager
    def _signals(self) -> Iterator[int]:
        """Count requests to stop. Yields a descriptor that is readable after any signal."""
        reading, writing = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._on_stop_request)
        if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # as `nohup` sets it
            signal.signal(signal.SIGHUP, self._on_stop_request)
        yield reading

    def _on_stop_request(self, _number: int, _frame: FrameType | None) -> None:
        self.stop_requests += 1
        if self.stop_requests > 1:  # asked again: at once, which every part survives
            for process in self._all():
                process.signal_group(signal.SIGKILL)

    def _all(self) -> list[Process]:
        return [
            *(service.process for service in self.services if service.process is not None),
            *self.processes,
        ]

    def _stop(self) -> None:
        """Those who use something stop before what they use."""
        (self.home / "environment").unlink(missing_ok=True)
        if not self._all():
            return
        say("\nStopping")
        running = [service.process for service in self.services if service.process is not None]
        network = [process for process in running if process.name == "network"]
        stop_all([process for process in running if process.name != "network"])
        stop_all(network)
        stop_all(list(reversed(self.processes)))
        if self.postgres is not None:
            self.postgres.remove_socket_folder()
        say("Stopped.")

    # --- Telling ------------------------------------------------------------------------------

    def _elapsed(self) -> float:
        return time.monotonic() - self.began

    def _took(self, what: str) -> None:
        say(f"  {self._elapsed():5.1f} s  {what}")


def say(text: str, stream: TextIO | None = None) -> None:
    """Show the text to the person at the terminal, if there still is one."""
    stream = stream or sys.stdout
    with suppress(OSError, ValueError):
        stream.write(f"{text}\n")
        stream.flush()
