"""Folders and processes for the tests of the embedded stack, which use real servers."""

import os
import select
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from smsplatform.embedded.processes import Process, Program, start


@pytest.fixture
def home() -> Iterator[Path]:
    """A data folder with a difficult name, short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="a 'b' \"c\" 5% ") as folder:
        yield Path(folder)


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Callable[[Program], Process]]:
    """Starts programs and kills what is left of them after the test."""
    started: list[Process] = []

    def launch(program: Program) -> Process:
        started.append(start(program, tmp_path / "log"))
        return started[-1]

    yield launch
    for process in started:
        process.kill()


@pytest.fixture
def ends() -> Callable[[int], bool]:
    """Whether the process with this id, whoever's child it is, ends within 20 seconds."""

    def ends(pid: int) -> bool:
        try:
            descriptor = os.pidfd_open(pid)
        except ProcessLookupError:
            return True
        try:
            return bool(select.select([descriptor], [], [], 20)[0])
        finally:
            os.close(descriptor)

    return ends


@pytest.fixture
def killed_supervisor() -> Callable[[Callable[[], list[Process]]], list[int]]:
    """Starts processes from a process of its own, kills that one, and returns their ids."""

    def killed_supervisor(start_all: Callable[[], list[Process]]) -> list[int]:
        reading, writing = os.pipe()
        supervisor = os.fork()
        if supervisor == 0:
            try:
                pids = [process.pid for process in start_all()]
                os.write(writing, " ".join(map(str, pids)).encode())
                signal.pause()
            finally:
                os._exit(1)  # whatever happened: only one process goes on with the tests
        os.close(writing)
        pids = [int(pid) for pid in os.read(reading, 1000).split()]
        os.close(reading)
        os.kill(supervisor, signal.SIGKILL)
        os.waitpid(supervisor, 0)
        assert pids, "the processes did not start"
        return pids

    return killed_supervisor
