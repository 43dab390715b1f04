"""Work on the database beside the work in Python, and by several connections at once."""

import threading
from collections.abc import Callable, Iterable
from itertools import takewhile
from queue import Queue
from typing import Generic, TypeVar

from django.db import connection

from tenants.audit import acting, current_actor

__all__ = ["in_parallel"]

ItemT = TypeVar("ItemT")


class _Loader(threading.Thread, Generic[ItemT]):
    """Takes items until there is none left; its connection is its own."""

    def __init__(self, work: Callable[[ItemT], bool], items: "Queue[ItemT | None]", stop: threading.Event) -> None:
        super().__init__(daemon=True)
        self.work, self.items, self.stop = work, items, stop
        self.actor = current_actor()
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            with acting(self.actor):
                while (item := self.items.get()) is not None:
                    if not self.stop.is_set() and not self.work(item):
                        self.stop.set()
        except BaseException as error:  # noqa: BLE001 - raised again where the items come from
            self.error = error
            self.stop.set()
            while self.items.get() is not None:
                """So that nobody waits for room."""
        finally:
            connection.close()


def in_parallel(work: Callable[[ItemT], bool], items: Iterable[ItemT], *, loaders: int) -> bool:
    """Call ``work`` for each item, by so many threads; the items are made here meanwhile, not many ahead.

    Ends early, and returns False, when a call returns False; an exception of a call is raised here.
    """
    queue: Queue[ItemT | None] = Queue(maxsize=loaders)
    stop = threading.Event()
    threads = [_Loader(work, queue, stop) for _ in range(loaders)]
    for thread in threads:
        thread.start()
    try:
        for item in takewhile(lambda _: not stop.is_set(), items):
            queue.put(item)
    except BaseException:
        stop.set()
        raise
    finally:
        for _ in threads:
            queue.put(None)
        for thread in threads:
            thread.join()
    error = next((thread.error for thread in threads if thread.error is not None), None)
    if error is not None:
        raise error
    return not stop.is_set()
