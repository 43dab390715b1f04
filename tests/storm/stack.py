"""The product as real processes, each of which can be hit: servers, web, workers of every lane, two beats.

The simulated network is never hit, has a Valkey of its own, and writes the only true log of what was taken.
"""

import json
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.request import urlopen

import redis
from django.db import connection

from common.lanes import BACKGROUND, LANES, MARKETING
from smsplatform.embedded import credentials, product
from smsplatform.embedded.ports import LOOPBACK, free_port
from smsplatform.embedded.postgres import APP, PORT, Postgres
from smsplatform.embedded.processes import Process, Program, start, stop_all
from smsplatform.embedded.valkey import Valkey
from tests.afternoon import afternoon
from tests.storm import wires
from tests.storm.plan import WIRES

__all__ = ["Stack", "StormError"]

AnswerT = TypeVar("AnswerT")

WORKERS: Final = {MARKETING: 3, BACKGROUND: 2}
"""Of each other lane there is one."""
BEATS: Final = 2
LATENCY_MS: Final = 200
"""Slow enough that a batch takes seconds, and is hit in its middle."""
TERM_SECONDS: Final = 20.0
"""A process that was asked to end is killed after this time, as an init system does."""


class StormError(Exception):
    """The storm itself does not work: no result."""


@dataclass
class Victim:
    """A process of the product, started again whenever it ends."""

    program: Program
    process: Process | None = None
    wakes_at: float = 0.0
    """Monotonic seconds at which a stopped one goes on."""
    dies_at: float = 0.0


@dataclass
class Stack:
    """All processes of a storm, in the folder ``home``."""

    home: Path
    chaos: float
    seed: int
    postgres: Postgres = field(init=False)
    valkey: Valkey = field(init=False)
    phones: Valkey = field(init=False)
    servers: dict[str, Process] = field(default_factory=dict)
    victims: dict[str, Victim] = field(default_factory=dict)
    traffic: Process = field(init=False)
    restarts: int = 0
    wire_ports: dict[str, int] = field(default_factory=dict)
    disturbed: dict[str, tuple[str, float]] = field(default_factory=dict)
    """How each failing wire fails, and until when."""

    @property
    def logs(self) -> Path:
        """Where each process writes what it says."""
        return self.home / "log"

    @property
    def taken(self) -> Path:
        """The network's log of the texts that it took."""
        return self.home / "taken.jsonl"

    # --- Starting and stopping ------------------------------------------------------------------------------------

    def start_servers(self, prepare: Callable[[], None]) -> None:
        """The databases, and the product loaded and migrated. ``prepare`` is called before anything is forked of it."""
        self.postgres = Postgres.prepare(self.home)
        self.valkey = Valkey.prepare(self.home)
        phones = self.home / "phones"
        phones.mkdir(mode=0o700)
        self.phones = Valkey.prepare(phones)
        self._set_environment()
        for name, server in (("postgres", self.postgres), ("valkey", self.valkey), ("phones", self.phones)):
            self.servers[name] = server.start(self.logs / name)
            server.wait_until_ready(self.servers[name])
        self._start_wires()
        product.preload()
        # The people are awake, whenever the storm comes; every process is forked from this one.
        vars(import_module("messaging.pipeline.quiet"))["database_now"] = afternoon
        self.run_once(product.management("migrate", interactive=False, verbosity=0))
        prepare()

    def _start_wires(self) -> None:
        """From here on the product reaches everything through wires that can fail."""
        upstreams: dict[str, wires.Upstream] = {
            "postgres": f"{self.postgres.sockets}/.s.PGSQL.{PORT}",
            "valkey": (LOOPBACK, self.valkey.port),
            "network": (LOOPBACK, self.network_port),
        }
        ends = {name: (upstream, self.wire_ports[name]) for name, upstream in upstreams.items()}
        self.servers["wires"] = start(
            Program(name="wires", run=lambda: wires.run(self.home / "wires.json", ends)), self.logs
        )

    def _set_environment(self) -> None:
        self.network_port, self.web_port = free_port(), free_port()
        self.wire_ports = {name: free_port() for name in WIRES}
        os.environ.update(
            credentials.make()
            | {
                "DATABASE_URL": f"postgresql://{APP}@{LOOPBACK}:{self.wire_ports['postgres']}/{APP}?sslmode=disable",
                "REDIS_URL": replace(self.valkey, port=self.wire_ports["valkey"]).url,
                "SMSPLATFORM_HOME": str(self.home),
                "PUBLIC_BASE_URL": f"http://{LOOPBACK}:{self.web_port}",
                "SIMULATOR_ENABLED": "true",
                "SIMULATOR_URL": self._network_address(),
                "LOG_LEVEL": "WARNING",
            }
        )

    def start_product(self) -> None:
        """Everything that texts go through."""
        self.servers["network"] = start(self._network(), self.logs)
        programs = [product.web(self.web_port)]
        for lane in LANES:
            worker, count = product.worker(lane), WORKERS.get(lane, 1)
            programs += [replace(worker, name=f"{worker.name}-{n + 1}") for n in range(count)]
        programs += [replace(product.beat(), name=f"beat-{n + 1}") for n in range(BEATS)]
        for program in programs:
            self.victims[program.name] = Victim(program, start(program, self.logs))

    def _network_address(self) -> str:
        return f"http://{LOOPBACK}:{self.wire_ports['network']}"

    def _network(self) -> Program:
        arguments = (
            *(
                "--port",
                str(self.network_port),
                "--address",
                self._network_address(),
                "--log",
                str(self.taken),
                "--complete-since",
                "0",
                "--latency-ms",
                str(LATENCY_MS),
            ),
            *("--seed", str(self.seed)),
            *(("--chaos", str(self.chaos)) if self.chaos else ()),
        )

        def run() -> None:
            os.environ["REDIS_URL"] = self.phones.url
            product._run_module("messaging.providers.simulator.network", *arguments)

        return Program(name="network", run=run)

    def stop(self) -> None:
        """Everything ends."""
        running = [victim.process for victim in self.victims.values() if victim.process]
        for process in running:
            process.signal_group(signal.SIGKILL)
        stop_all([*running, *reversed(self.servers.values())])
        if hasattr(self, "postgres"):
            self.postgres.remove_socket_folder()

    def run_once(self, program: Program) -> None:
        """Run a program to its end."""
        process = start(program, self.logs)
        if not process.wait(300) or process.exit_code:
            raise StormError(f"{program.name} failed:\n{process.tail()}")

    # --- Traffic and verdict --------------------------------------------------------------------------------------

    def start_traffic(self) -> None:
        """Tenants and people begin."""
        self.traffic = start(Program(name="traffic", run=lambda: _storm("traffic").send(self.home)), self.logs)

    def traffic_is_over(self) -> bool:
        """Whether they have done all they wanted; raises when they could not."""
        code = self.traffic.poll()
        if code:
            raise StormError(f"the traffic failed:\n{self.traffic.tail()}")
        return code == 0

    def is_quiet(self) -> bool:
        """Whether nothing moves any more."""
        return self._calls_back() == 0 and self._ask(lambda: not _storm("judge").is_quiet())

    def _calls_back(self) -> int:
        """How many receipts the network has still to deliver."""
        with urlopen(f"http://{LOOPBACK}:{self.network_port}/health", timeout=10) as answer:
            return int(json.load(answer)["under_way"])

    def verdict(self) -> dict[str, Any]:
        """What the judge says."""
        return self._ask(lambda: _storm("judge").judge(self.home, self.taken).as_json())

    def _ask(self, question: Callable[[], AnswerT]) -> AnswerT:
        """Ask the database, and leave no connection that a forked process could touch."""
        try:
            return question()
        finally:
            connection.close()

    # --- Blows ----------------------------------------------------------------------------------------------------

    def hit(self, what: str, to: str, seconds: float) -> bool:
        """One blow; False when there was nothing to hit."""
        if what in wires.MODES:
            self.disturbed[to] = (what, time.monotonic() + seconds)
            self._tell_wires()
            return True
        if to:
            return self._hit_victim(self.victims[to], what, seconds)
        {"postgres": self._restart_postgres, "flush": self._flush, "valkey": self._restart_valkey}[what]()
        return True

    def _hit_victim(self, victim: Victim, what: str, seconds: float) -> bool:
        process = victim.process
        if process is None or process.poll() is not None:
            return False
        if what == "kill":
            process.kill()
        elif what == "stop":
            process.signal_group(signal.SIGSTOP)
            victim.wakes_at = time.monotonic() + seconds
        else:
            process.signal_group(signal.SIGCONT)
            process.ask_to_stop()
            victim.wakes_at, victim.dies_at = 0.0, time.monotonic() + TERM_SECONDS
        return True

    def _tell_wires(self) -> None:
        wires.disturb(self.home / "wires.json", {name: mode for name, (mode, _) in self.disturbed.items()})

    def tend(self, *, wake_all: bool = False) -> None:
        """Wake what has slept enough, start again what ended, and mend wires that have failed long enough."""
        now = time.monotonic()
        if any(now >= until for _, until in self.disturbed.values()):
            self.disturbed = {name: found for name, found in self.disturbed.items() if now < found[1]}
            self._tell_wires()
        for victim in self.victims.values():
            process = victim.process
            if process and victim.wakes_at and (wake_all or now >= victim.wakes_at):
                process.signal_group(signal.SIGCONT)
                victim.wakes_at = 0.0
            if process and victim.dies_at and now >= victim.dies_at:
                process.kill()
            if process is None or process.poll() is not None:
                victim.process, victim.wakes_at, victim.dies_at = start(victim.program, self.logs), 0.0, 0.0
                self.restarts += 1

    def _restart_postgres(self) -> None:
        """As after a power cut: what was not written to disk is gone."""
        process = self.servers["postgres"]
        os.kill(process.pid, signal.SIGQUIT)
        if not process.wait(30):
            raise StormError("PostgreSQL does not stop")
        self.servers["postgres"] = self.postgres.start(self.logs / "postgres")
        self.postgres.wait_until_ready(self.servers["postgres"])

    def _flush(self) -> None:
        with redis.Redis.from_url(self.valkey.url) as client:
            client.flushall()

    def _restart_valkey(self) -> None:
        self.servers["valkey"].kill()
        self.servers["valkey"] = self.valkey.start(self.logs / "valkey")
        self.valkey.wait_until_ready(self.servers["valkey"])

    def watch(self) -> None:
        """Nobody hit these; a storm without them has no result."""
        for name, process in self.servers.items():
            if process.poll() is not None:
                raise StormError(f"{name} ended:\n{process.tail()}")


def _storm(module: str) -> Any:
    """A part of the storm that needs the product loaded."""
    return import_module(f"tests.storm.{module}")
