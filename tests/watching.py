"""Waiting for files that another process writes: the kernel tells of them."""

import ctypes
import os
import select
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

__all__ = ["when_written"]

_WRITTEN: Final = 0x08 | 0x80
"""IN_CLOSE_WRITE and IN_MOVED_TO of inotify(7)."""
_EVENTS_AT_ONCE: Final = 65_536


def when_written(folder: Path, look: Callable[[], str | None], *, within: float) -> str:
    """What ``look`` finds; it is asked again after each file that is written into the folder."""
    folder.mkdir(exist_ok=True)
    libc = ctypes.CDLL(None, use_errno=True)
    events = libc.inotify_init1(os.O_CLOEXEC)
    assert events >= 0, os.strerror(ctypes.get_errno())
    try:
        watch = libc.inotify_add_watch(events, os.fsencode(folder), _WRITTEN)
        assert watch >= 0, os.strerror(ctypes.get_errno())
        deadline = time.monotonic() + within
        # Watched first: what is written while somebody looks is told of too.
        while (found := look()) is None:
            ready, _, _ = select.select([events], [], [], max(0.0, deadline - time.monotonic()))
            assert ready, f"nothing more was written into {folder}"
            os.read(events, _EVENTS_AT_ONCE)
        return found
    finally:
        os.close(events)
