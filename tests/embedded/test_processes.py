import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from smsplatform.embedded.processes import LOG_LIMIT_BYTES, Process, Program, execute, start, stop_all

Launch = Callable[[Program], Process]
Ends = Callable[[int], bool]
KilledSupervisor = Callable[[Callable[[], list[Process]]], list[int]]

FOREVER = execute(["/bin/sleep", "600"], {})


def says(text: str) -> Callable[[], None]:
    def run() -> None:
        sys.stdout.write(text)

    return run


@pytest.mark.parametrize(
    ("run", "code"),
    [
        (lambda: None, 0),
        (lambda: sys.exit(3), 3),
        (lambda: sys.exit("no"), 1),
        (lambda: 1 / 0, 1),
        (lambda: os.kill(os.getpid(), signal.SIGKILL), -signal.SIGKILL),
        (execute(["/no/such/program"], {}), 1),
    ],
)
def test_the_exit_code_of_a_child(launch: Launch, run: Callable[[], None], code: int) -> None:
    process = launch(Program(name="child", run=run))
    assert process.wait(20)
    assert process.exit_code == code


def test_the_tail_shows_this_run_only(launch: Launch) -> None:
    first = launch(Program(name="talker", run=says("from the first run\n")))
    first.wait(20)
    second = launch(Program(name="talker", run=says("\n".join(map(str, range(100))))))
    second.wait(20)
    assert second.tail(2) == "98\n99"
    assert "first run" not in second.tail(1000)
    assert "from the first run" in second.log.read_text()


def test_a_traceback_ends_up_in_the_log(launch: Launch) -> None:
    process = launch(Program(name="broken", run=lambda: os.environ["MISSING"]))
    process.wait(20)
    assert "KeyError: 'MISSING'" in process.tail()


def test_a_large_log_is_set_aside_at_start(tmp_path: Path) -> None:
    log = tmp_path / "talker.log"
    log.write_bytes(b"x" * (LOG_LIMIT_BYTES + 1))
    start(Program(name="talker", run=says("new\n")), tmp_path).wait(20)
    assert log.read_text() == "new\n"
    assert (tmp_path / "talker.log.1").stat().st_size == LOG_LIMIT_BYTES + 1
    assert log.stat().st_mode & 0o777 == 0o600


def test_a_child_that_does_not_stop_in_time_is_killed(launch: Launch) -> None:
    ready, writing = os.pipe()

    def run() -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        os.write(writing, b"x")
        signal.pause()

    processes = [
        launch(Program(name="deaf", run=run, stop_seconds=0.1)),
        launch(Program(name="obedient", run=FOREVER)),
    ]
    os.read(ready, 1)
    stop_all(processes)
    assert [process.exit_code for process in processes] == [-signal.SIGKILL, -signal.SIGTERM]


def test_children_of_a_killed_child_are_killed_too(launch: Launch, ends: Ends) -> None:
    reading, writing = os.pipe()

    def run() -> None:
        child = subprocess.Popen(["/bin/sleep", "600"])
        os.write(writing, str(child.pid).encode())
        os.kill(os.getpid(), signal.SIGKILL)

    process = launch(Program(name="parent", run=run))
    grandchild = int(os.read(reading, 20))
    assert process.wait(20)
    assert ends(grandchild)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells children of the end of their parent")
@pytest.mark.parametrize("orphan_signal", [signal.SIGKILL, signal.SIGINT])
def test_nothing_outlives_a_killed_supervisor(
    tmp_path: Path, killed_supervisor: KilledSupervisor, ends: Ends, orphan_signal: signal.Signals
) -> None:
    programs = [
        Program(name="program", run=FOREVER, orphan_signal=orphan_signal),
        Program(name="python", run=signal.pause, orphan_signal=orphan_signal),
    ]
    pids = killed_supervisor(lambda: [start(program, tmp_path) for program in programs])
    assert all(ends(pid) for pid in pids)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root changes user")
def test_a_child_that_changed_user_does_not_outlive_its_supervisor_either(
    tmp_path: Path, killed_supervisor: KilledSupervisor, ends: Ends
) -> None:
    program = Program(name="program", run=FOREVER, become=lambda: os.setuid(65534))
    (pid,) = killed_supervisor(lambda: [start(program, tmp_path)])
    assert ends(pid)
