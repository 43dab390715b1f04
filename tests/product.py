"""The whole product in a temporary folder, started as `make run` starts it."""

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Product", "running_product"]

ROOT = Path(__file__).resolve().parents[1]
READY_WITHIN = 120.0
_OURS = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "FIELD_ENCRYPTION_KEYS", "LEDGER_SIGNING_KEY", "SIMULATOR_SECRET")


@dataclass(frozen=True)
class Product:
    """A running product."""

    url: str
    email: str
    password: str
    home: Path

    def manage(self, *arguments: str) -> str:
        """Run `manage.py` beside it, as in another terminal; returns what it prints."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=_environment(self.home),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


def _environment(home: Path) -> dict[str, str]:
    """The test run's own servers are not the product's."""
    environment = {name: value for name, value in os.environ.items() if name not in _OURS}
    return {**environment, "SMSPLATFORM_HOME": str(home), "PYTHONUNBUFFERED": "1"}


@contextmanager
def running_product() -> Iterator[Product]:
    """Start it, wait until it says that it is ready, and stop it like Ctrl-C."""
    with tempfile.TemporaryDirectory(prefix="smsplatform-product-") as folder:
        home = Path(folder)
        output = home / "output"
        with output.open("w") as file:
            process = subprocess.Popen(
                [sys.executable, "-m", "smsplatform.embedded", "run", "--port", str(_free_port()), "--home", folder],
                cwd=ROOT,
                env=_environment(home),
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            product = _ready(process, output, home)
            product.manage("shell", "-v", "0", "-c", "from tests import afternoon; afternoon.allow_every_hour()")
            yield product
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(60)


def _ready(process: subprocess.Popen[bytes], output: Path, home: Path) -> Product:
    deadline = time.monotonic() + READY_WITHIN
    while "Ctrl-C stops everything" not in (text := output.read_text()):
        assert process.poll() is None, text
        assert time.monotonic() < deadline, text
        _wait(0.1)
    url = re.search(r"Dashboard\s+(\S+)/", text)
    login = re.search(r"Sign in\s+(\S+)\s+password: (\S+)", text)
    assert url, text
    assert login, text
    return Product(url.group(1), login.group(1), login.group(2), home)


def _wait(seconds: float) -> None:
    import select

    select.select([], [], [], seconds)


def _free_port() -> int:
    """One that no other worker of the run chooses. They all start at once, and web servers that reuse ports would share
    one: each would be asked what is for the other."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    first = 20_000 + 500 * worker + os.getpid() % 400
    for port in range(first, first + 100):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("No port is free.")
