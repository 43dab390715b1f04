"""The wires between the product and PostgreSQL, Valkey and the phone network: a process that disturbs them as a file says."""

import json
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from tests.faults.proxy import Upstream, fault_proxy

__all__ = ["MODES", "disturb", "run"]

MODES: Final = ("reset", "half_answer", "hang_up", "blackhole")
LOOK_SECONDS: Final = 0.05


def run(file: Path, wires: Mapping[str, tuple[Upstream, int]]) -> None:
    """Hand everything on between each wire's upstream and its port, as ``file`` says, until killed."""
    with ExitStack() as open_wires:
        proxies = {
            name: open_wires.enter_context(fault_proxy(upstream, port=port)) for name, (upstream, port) in wires.items()
        }
        while True:
            modes = json.loads(file.read_text()) if file.exists() else {}
            for name, proxy in proxies.items():
                if name in modes:
                    proxy.mode = modes[name]
                elif proxy.mode != "pass":
                    proxy.mend()
            time.sleep(LOOK_SECONDS)


def disturb(file: Path, modes: Mapping[str, str]) -> None:
    """Tell the process; wires that are not named hand everything on."""
    draft = file.with_suffix(".draft")
    draft.write_text(json.dumps(modes))
    draft.replace(file)
