"""One supervisor per data folder."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from smsplatform.embedded.errors import EmbeddedError

LEFTOVER_SECONDS = 10
POLL_SECONDS = 0.05


@contextmanager
def lock(home: Path) -> Iterator[None]:
    """Hold `<home>/lock` for as long as this process and the children forked from it live.

    The children hold it too, so after a `kill -9` of a supervisor the next one waits here until
    nothing of the earlier run is left. Raises EmbeddedError, naming the process, when another
    supervisor is alive.
    """
    descriptor = _open(home / "lock")
    try:
        _acquire(descriptor, home)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def _open(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except PermissionError as error:
        raise EmbeddedError(
            f"The data folder {path.parent} belongs to another user. Choose one of your own: "
            "make run SMSPLATFORM_HOME=my-data"
        ) from error


def _acquire(descriptor: int, home: Path) -> None:
    deadline = time.monotonic() + LEFTOVER_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = _holder(descriptor)
            if (holder is not None and _is_alive(holder)) or time.monotonic() > deadline:
                raise EmbeddedError(_in_use(home, holder)) from error
            time.sleep(POLL_SECONDS)
        else:
            return


def _holder(descriptor: int) -> int | None:
    """The process id in the file; None in the instant before a new holder has written it."""
    text = os.pread(descriptor, 20, 0).decode(errors="replace").strip()
    return int(text) if text.isdigit() else None


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _in_use(home: Path, holder: int | None) -> str:
    return (
        f"The data folder {home} is in use by process {holder or 'unknown'}. Stop that one first, "
        "or choose another folder and port: make run SMSPLATFORM_HOME=other PORT=8001"
    )
