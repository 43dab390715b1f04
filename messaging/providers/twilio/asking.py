"""Questions through the official SDK: whatever is no answer becomes ``CouldNotAsk``."""

from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import aiohttp
from twilio.base.exceptions import TwilioException, TwilioRestException

from messaging.providers.base import CouldNotAsk
from messaging.providers.wire import NothingSent

__all__ = ["Gone", "Refused", "ask"]

_GONE: Final = 404

AnswerT = TypeVar("AnswerT")


class Refused(CouldNotAsk):
    """Twilio understood and said no."""


class Gone(Refused):
    """What was asked for does not exist. Said of a list it is no answer: an empty one would mean that nothing was sent."""


async def ask(question: Callable[[], Awaitable[AnswerT]]) -> AnswerT:
    """The answer; raises ``CouldNotAsk``, with no words of Twilio's, which may name numbers."""
    try:
        return await question()
    except TwilioRestException as error:
        refused = 400 <= error.status < 500 and error.status != 429
        kind = Gone if error.status == _GONE else Refused if refused else CouldNotAsk
        raise kind(f"http_{error.status}") from None
    except (NothingSent, TimeoutError, aiohttp.ClientError, OSError) as error:
        raise CouldNotAsk(type(error).__name__) from None
    except (TwilioException, AttributeError, ValueError, KeyError, TypeError) as error:
        raise CouldNotAsk(f"unreadable: {type(error).__name__}") from None
