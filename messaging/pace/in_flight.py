"""How many requests to an account may be under way at once in this process: as many as it bears.

A provider that answers "too many at once" (Twilio's 20429) counts concurrent requests, not texts a second: then half as
many go, and each text that is taken lets a little more go again, up to the process's own maximum. Each process finds its
part by itself: with the same rule for all of them the parts come out even.
"""

import asyncio
from collections import deque
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final

__all__ = ["AT_ONCE_CODES", "Cap", "Slots"]

AT_ONCE_CODES: Final = frozenset({"20429"})
"""What providers answer when too many requests are under way."""
ONCE_IN: Final = 1.0
"""Seconds within which such answers are one: the requests were under way together."""


@dataclass(slots=True)
class Cap:
    """The cap by its rule; nothing here knows a clock. It begins with ``most``."""

    most: int
    at_most: float = field(default=0.0)
    halved_at: float = float("-inf")

    def __post_init__(self) -> None:
        self.at_most = float(self.most)

    @property
    def room(self) -> int:
        """Requests that may be under way now: always at least one."""
        return int(self.at_most)

    def taken(self) -> None:
        """A text was taken: one more after as many of them as may be under way."""
        self.at_most = min(float(self.most), self.at_most + 1 / self.at_most)

    def too_many(self, at: float) -> None:
        """The account said so, at ``at`` monotonic seconds."""
        if at - self.halved_at >= ONCE_IN:
            self.halved_at = at
            self.at_most = max(1.0, self.at_most / 2)


class Slots:
    """Lets so many requests of an event loop be under way as the cap has room for; the others wait in their order."""

    def __init__(self, cap: Cap) -> None:
        self.cap = cap
        self._under_way = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def __aenter__(self) -> None:
        if self._under_way >= self.cap.room or self._waiting:
            turn = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            try:
                await turn
            except asyncio.CancelledError:
                self._leave_queue(turn)
                raise
        else:
            self._under_way += 1

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._under_way -= 1
        self._let_in()

    def _let_in(self) -> None:
        """Whoever is let in counts as under way at once, so that nobody slips in before."""
        while self._waiting and self._under_way < self.cap.room:
            turn = self._waiting.popleft()
            if not turn.done():
                self._under_way += 1
                turn.set_result(None)

    def _leave_queue(self, turn: "asyncio.Future[None]") -> None:
        if turn.done() and not turn.cancelled():
            self._under_way -= 1
            self._let_in()
