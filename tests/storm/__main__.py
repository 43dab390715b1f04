"""``python -m tests.storm``: a storm, its verdict as JSON on standard output; exit code 1 when anything was found."""

import argparse
import json
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from smsplatform.embedded.lock import lock
from smsplatform.embedded.processes import Program
from tests.storm.plan import Blow, Options, draw
from tests.storm.stack import Stack, StormError

QUIET_SECONDS = 120.0
"""So long after the last blow and the last act everything may take to come to an end."""
QUIET_SECONDS_WITHOUT = 45.0
"""With a safeguard off something may never do."""


def main() -> int:
    """Blow, wait, judge."""
    options = _options()
    _say(f"seed {options.seed}")
    home = Path(tempfile.mkdtemp(prefix="smsplatform-storm-"))
    stack = Stack(home, options.chaos, options.seed)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))
    try:
        with lock(home):
            report = _storm(stack, options)
    except StormError as error:
        _say(str(error))
        return 2
    finally:
        stack.stop()
    sys.stdout.write(json.dumps(report, indent=1) + "\n")
    if report["passed"]:
        shutil.rmtree(home, ignore_errors=True)
        return 0
    _say(f"Everything is in {home}")
    return 1


def _storm(stack: Stack, options: Options) -> dict[str, Any]:
    began = time.monotonic()

    def ready() -> None:
        # These need the product loaded, with the environment of this storm.
        from tests.storm import guards, times, traffic

        stack.run_once(Program(name="prepare", run=lambda: traffic.prepare(stack.home, options)))
        times.hasten()
        guards.take_off(options.guard_off)

    stack.start_servers(ready)
    stack.start_product()
    plan = draw(options, list(stack.victims))
    _say(f"ready after {time.monotonic() - began:.0f} s: {len(plan)} blows in {options.seconds:.0f} s")
    stack.start_traffic()
    blows = _blow(stack, plan)
    quiet_after = _quiet(stack, QUIET_SECONDS_WITHOUT if options.guard_off else QUIET_SECONDS)
    verdict = stack.verdict()
    return {
        **verdict,
        "seed": options.seed,
        "guard_off": options.guard_off,
        "blows": dict(blows),
        "restarts": stack.restarts,
        "quiet_after": quiet_after,
        "seconds": round(time.monotonic() - began),
    }


def _blow(stack: Stack, plan: list[Blow]) -> Counter[str]:
    began = time.monotonic()
    blows: Counter[str] = Counter()
    for blow in plan:
        while time.monotonic() < began + blow.at:
            stack.tend()
            time.sleep(0.05)
        if stack.hit(blow.what, blow.to, blow.seconds):
            blows[blow.what] += 1
        stack.watch()
    return blows


def _quiet(stack: Stack, seconds: float) -> float:
    """Let everything come to an end; how long that took, or -1 when it did not."""
    began = last = time.monotonic()
    while time.monotonic() < last + seconds:
        stack.tend()
        stack.watch()
        if not stack.traffic_is_over():
            # Acts are repeated until they are acknowledged, and so fall behind.
            last = time.monotonic()
        elif stack.is_quiet():
            return round(time.monotonic() - began, 1)
        time.sleep(0.5)
    return -1.0


def _options() -> Options:
    parser = argparse.ArgumentParser(prog="python -m tests.storm")
    defaults = Options()
    parser.add_argument("--messages", type=int, default=defaults.messages)
    parser.add_argument("--kills", type=int, default=defaults.kills)
    parser.add_argument("--seconds", type=float, default=defaults.seconds)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--chaos", type=float, default=defaults.chaos)
    parser.add_argument("--postgres-restarts", type=int)
    parser.add_argument("--valkey-losses", type=int)
    parser.add_argument("--wire-faults", type=int)
    parser.add_argument("--guard-off", default="")
    return Options(**vars(parser.parse_args()))


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main())
