"""One event loop per process, in a thread of its own, for all calls to providers.

It keeps running between batches, so that connections closed by the other side are noticed before they are used again:
a request written to a dead connection would end as "unknown". It starts on first use, after worker processes forked.
"""

import asyncio
import os
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

import uvloop

__all__ = ["run"]

ResultT = TypeVar("ResultT")

_start = threading.Lock()
_loops: dict[int, asyncio.AbstractEventLoop] = {}


def run(work: Coroutine[Any, Any, ResultT]) -> ResultT:
    """Run a coroutine on the process's loop and wait for its result."""
    return asyncio.run_coroutine_threadsafe(work, _loop()).result()


def _loop() -> asyncio.AbstractEventLoop:
    with _start:
        loop = _loops.get(os.getpid())
        if loop is None:
            loop = uvloop.new_event_loop()
            threading.Thread(target=loop.run_forever, name="providers", daemon=True).start()
            _loops[os.getpid()] = loop
        return loop
