"""A program that is kept running."""

import signal
import time
from dataclasses import dataclass
from pathlib import Path

from smsplatform.embedded.processes import Process, Program, start

FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 30.0
STEADY_SECONDS = 60.0
"""A run of this length was a success: the next pause is the first one again."""


@dataclass
class Service:
    """`tend` is called again and again; between a death and the restart lies a growing pause."""

    program: Program
    logs: Path
    process: Process | None = None
    pause: float = FIRST_PAUSE_SECONDS
    restart_at: float = 0.0

    def start(self) -> None:
        self.process = start(self.program, self.logs)

    def tend(self) -> str | None:
        """Restart it when that is due. Returns what to tell the person watching, on a death."""
        if self.process is None:
            if time.monotonic() >= self.restart_at:
                self.start()
            return None
        if self.process.poll() is None:
            return None
        ended, self.process = self.process, None
        if time.monotonic() - ended.started > STEADY_SECONDS:
            self.pause = FIRST_PAUSE_SECONDS
        self.restart_at = time.monotonic() + self.pause
        message = f"\n{describe_end(ended)}\nIt is started again in {self.pause:.0f} s."
        self.pause = min(2 * self.pause, LONGEST_PAUSE_SECONDS)
        return message


def describe_end(process: Process) -> str:
    """How it ended, with its last output and where the rest is."""
    code = process.exit_code or 0
    how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
    output = "".join(f"\n    {line}" for line in process.tail().splitlines())
    return f"{process.name} {how}. The end of {process.log}:{output}"
