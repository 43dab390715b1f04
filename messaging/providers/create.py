"""Creating a message at a provider over ``wire``: what is certain after one request, whatever became of it."""

from collections.abc import Callable

from messaging.providers.base import Outcome, SendResult
from messaging.providers.wire import Answer, NothingSent, Wire

__all__ = ["create"]

_NOT_CONNECTED_SECONDS = 2.0


async def create(wire: Wire, head: bytes, body: bytes, *, read: Callable[[Answer], SendResult]) -> SendResult:
    """One request, never repeated; ``read`` says what an answer means."""
    try:
        answer = await wire.post(head, body)
    except NothingSent:
        return SendResult(Outcome.TRY_AGAIN, error_code="not_connected", retry_after=_NOT_CONNECTED_SECONDS)
    except OSError:  # also TimeoutError
        return SendResult(Outcome.UNKNOWN, error_code="no_answer")
    return read(answer)
