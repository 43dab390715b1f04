"""Small writes of many threads in one transaction: who comes first writes for all that came while it waited.

One request alone is written at once. The more come, the less each costs, because a transaction costs nearly the same for
one row and for fifty: under load the writer pauses for a moment between two of them, so that more come together.
"""

import time
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from threading import Event, Lock
from typing import Final, Generic, TypeVar

__all__ = ["GroupCommit"]

KeyT = TypeVar("KeyT", bound=Hashable)
ItemT = TypeVar("ItemT")


@dataclass(slots=True)
class _Ticket(Generic[ItemT]):
    item: ItemT
    leads: bool = False
    """Its thread writes the next group."""
    done: bool = False
    error: Exception | None = None
    woken: Event = field(default_factory=Event)


@dataclass(slots=True)
class _Queue(Generic[ItemT]):
    """At most one thread writes. It wakes all that it wrote for at once: threads that woke one another through a lock
    would each wait for the interpreter, and the next group with them."""

    waiting: list[_Ticket[ItemT]] = field(default_factory=list)
    changing: Lock = field(default_factory=Lock)
    led: bool = False
    written_at: float = 0.0
    """Monotonic seconds."""

    def join(self, ticket: _Ticket[ItemT]) -> None:
        with self.changing:
            self.waiting.append(ticket)
            if not self.led:
                self.led = ticket.leads = True

    def take_all(self) -> list[_Ticket[ItemT]]:
        with self.changing:
            group, self.waiting = self.waiting, []
        return group

    def hand_on(self) -> None:
        """Whoever came first meanwhile writes next."""
        with self.changing:
            self.led = bool(self.waiting)
            if self.led:
                self.waiting[0].leads = True
                self.waiting[0].woken.set()


class GroupCommit(Generic[KeyT, ItemT]):
    """``write`` commits the items of one key and returns, in their order, what is wrong with each (or None).

    When it raises, nothing of the group was committed, and each item is written alone: one that cannot be written must not
    take the others with it.
    """

    def __init__(
        self, write: Callable[[KeyT, Sequence[ItemT]], Sequence[Exception | None]], *, apart_seconds: float = 0.0
    ) -> None:
        """``apart_seconds``: the least time between two transactions of one key."""
        self._write: Final = write
        self._apart_seconds: Final = apart_seconds
        self._queues: dict[KeyT, _Queue[ItemT]] = {}

    def put(self, key: KeyT, item: ItemT) -> None:
        """Return when the item is committed; raises what is wrong with it."""
        ticket = _Ticket(item)
        queue = self._queues.setdefault(key, _Queue())
        queue.join(ticket)
        if not ticket.leads:
            ticket.woken.wait()
        if ticket.leads:
            self._lead(key, queue)
        if ticket.error is not None:
            raise ticket.error
        if not ticket.done:
            raise RuntimeError("The thread that was to write it was ended.")

    def _lead(self, key: KeyT, queue: _Queue[ItemT]) -> None:
        group: Sequence[_Ticket[ItemT]] = ()
        try:
            time.sleep(max(0.0, queue.written_at + self._apart_seconds - time.monotonic()))
            group = queue.take_all()
            self._write_group(key, group)
        finally:
            queue.written_at = time.monotonic()
            queue.hand_on()
            for ticket in group:
                ticket.woken.set()

    def _write_group(self, key: KeyT, group: Sequence[_Ticket[ItemT]]) -> None:
        try:
            self._settle(key, group)
        except Exception as error:  # noqa: BLE001 - whatever it is, each item hears of it or is written alone
            if len(group) == 1:
                group[0].error, group[0].done = error, True
                return
            for ticket in group:
                self._write_group(key, [ticket])

    def _settle(self, key: KeyT, group: Sequence[_Ticket[ItemT]]) -> None:
        errors = self._write(key, [ticket.item for ticket in group])
        for ticket, error in zip(group, errors, strict=True):
            ticket.error, ticket.done = error, True
