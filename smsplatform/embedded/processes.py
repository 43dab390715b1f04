"""Child processes that never outlive the one that started them.

Every child leads a session of its own, so Ctrl-C reaches only the supervisor, which then stops the
children in order. When the supervisor itself is killed, the kernel tells each child (PDEATHSIG).
"""

import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from smsplatform.embedded.linux import die_with, name_process

LOG_LIMIT_BYTES = 5_000_000
TAIL_BYTES = 8_000
POLL_SECONDS = 0.02


@dataclass(frozen=True, kw_only=True)
class Program:
    """What to run as a child, and how to end it.

    `run` is called in the child: Python code to its end, or something that ends in exec.
    `become` is called before it, to change user. `orphan_signal` is what the kernel sends when
    the supervisor dies; SIGKILL unless the program has something to put in order. Without an
    `essential` program the others are of no use.
    """

    name: str
    run: Callable[[], object]
    become: Callable[[], None] | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds: float = 10
    orphan_signal: signal.Signals = signal.SIGKILL
    essential: bool = False


def execute(command: Sequence[str | Path], env: Mapping[str, str]) -> Callable[[], None]:
    """A `Program.run` that replaces the child by another program."""
    arguments = [os.fspath(part) for part in command]

    def run() -> None:
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # Python ignores it, and exec hands that on
        os.execve(arguments[0], arguments, dict(env))  # noqa: S606  (no shell is the point)

    return run


@dataclass
class Process:
    """A started child. `exit_code` is None while it runs, and negative for a signal."""

    program: Program
    pid: int
    log: Path
    log_start: int
    started: float = field(default_factory=time.monotonic)
    exit_code: int | None = None

    @property
    def name(self) -> str:
        return self.program.name

    def poll(self) -> int | None:
        """The exit code once it has ended. What is left of its process group is then killed."""
        if self.exit_code is None:
            try:
                pid, status = os.waitpid(self.pid, os.WNOHANG)
            except ChildProcessError:
                pid, status = self.pid, 0
            if pid:
                self.exit_code = os.waitstatus_to_exitcode(status)
                self.signal_group(signal.SIGKILL)
        return self.exit_code

    def wait(self, seconds: float) -> bool:
        """Whether it has ended within the time."""
        deadline = time.monotonic() + seconds
        while self.poll() is None:
            if time.monotonic() > deadline:
                return False
            time.sleep(POLL_SECONDS)
        return True

    def ask_to_stop(self) -> None:
        if self.poll() is None:
            os.kill(self.pid, self.program.stop_signal)

    def kill(self) -> None:
        if self.poll() is None:
            self.signal_group(signal.SIGKILL)
            self.wait(5)

    def signal_group(self, sent: signal.Signals) -> None:
        """Signal it and the children that stayed in its session."""
        try:
            os.killpg(self.pid, sent)
        except (ProcessLookupError, PermissionError):
            return

    def tail(self, lines: int = 15) -> str:
        """The last lines this child wrote to its log."""
        with self.log.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(self.log_start, size - TAIL_BYTES))
            text = file.read().decode(errors="replace")
        return "\n".join(text.rstrip().splitlines()[-lines:])


def start(program: Program, log_folder: Path) -> Process:
    """Fork `program`; its output is appended to `<log_folder>/<name>.log`."""
    log_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    log = log_folder / f"{program.name}.log"
    if log.exists() and log.stat().st_size > LOG_LIMIT_BYTES:
        log.replace(log.with_suffix(".log.1"))
    log_fd = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    log_start = os.fstat(log_fd).st_size
    parent = os.getpid()
    _flush()  # or the child would write it a second time
    pid = os.fork()
    if pid == 0:
        _child(program, log_fd, parent)
    os.close(log_fd)
    return Process(program, pid, log, log_start)


def stop_all(processes: Sequence[Process]) -> None:
    """Ask all of them at once, wait for each one's time limit, kill what is left."""
    began = time.monotonic()
    for process in processes:
        process.ask_to_stop()
    for process in processes:
        process.wait(began + process.program.stop_seconds - time.monotonic())
        process.kill()


def _child(program: Program, log_fd: int, parent: int) -> NoReturn:
    code = 1
    try:
        _leave_the_parent(log_fd)
        name_process(program.name)
        if program.become is not None:
            program.become()
        die_with(parent, program.orphan_signal)
        program.run()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
        if isinstance(end.code, str):
            sys.stderr.write(f"{end.code}\n")
    except BaseException:  # noqa: BLE001  (nothing of the parent may run on in the child)
        traceback.print_exc()
    finally:
        _flush()
        os._exit(code)


def _leave_the_parent(log_fd: int) -> None:
    """Own session, own output, no handlers or wake-up descriptors of the parent."""
    os.setsid()
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (log_fd, 1), (log_fd, 2)):
        os.dup2(source, target)
    # Whatever these were (a test runner replaces them), they now write to the log, line by line.
    sys.stdout = open(1, "w", buffering=1, encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", buffering=1, encoding="utf-8", closefd=False)  # noqa: SIM115


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            continue
