"""Asking the simulated network what it has on record."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import aiohttp

from messaging.providers.base import CouldNotAsk, KnownText, StatusUpdate
from messaging.providers.simulator.signing import SIGNATURE_HEADER, sign
from messaging.providers.twilio.errors import ERRORS

__all__ = ["Ask", "ask", "fetch", "news", "texts_between", "texts_to"]

Ask = Callable[[str, Mapping[str, object]], Awaitable[Any]]
"""Asks at a path; the answer, or None for what does not exist."""
_GONE: Final = 404
_STATUS_WORDS: Final = frozenset({"accepted", "sent", "delivered", "undelivered", "failed"})


async def ask(session: aiohttp.ClientSession, secret: str, url: str, question: Mapping[str, object]) -> Any:
    """The answer to a signed question, or None for what does not exist. Raises ``CouldNotAsk``."""
    body = json.dumps(question).encode()
    headers = {SIGNATURE_HEADER: sign(secret, url, body), "Content-Type": "application/json"}
    try:
        async with session.post(url, data=body, headers=headers, allow_redirects=False) as answer:
            if answer.status == _GONE:
                return None
            if answer.status != 200:
                raise CouldNotAsk(f"http_{answer.status}")
            return await answer.json()
    except (TimeoutError, aiohttp.ClientError, OSError) as error:
        raise CouldNotAsk(type(error).__name__) from None
    except ValueError:
        raise CouldNotAsk("unreadable") from None


async def texts_to(asking: Ask, number: str, *, since: datetime) -> list[KnownText]:
    """What was handed over for a number since then. Raises ``CouldNotAsk``."""
    texts, _ = _page(await asking("/texts/to", {"number": number, "since": since.timestamp()}))
    return texts


async def fetch(asking: Ask, provider_message_id: str) -> KnownText | None:
    """One text; None when there is none by this id. Raises ``CouldNotAsk``."""
    found = await asking("/texts/one", {"id": provider_message_id})
    return None if found is None else _known(found)


async def texts_between(asking: Ask, since: datetime, until: datetime) -> AsyncIterator[KnownText]:
    """All texts of the account in this time, page by page. Raises ``CouldNotAsk``."""
    times = {"since": since.timestamp(), "until": until.timestamp()}
    after: int | None = -1
    while after is not None:
        texts, after = _page(await asking("/texts/between", {**times, "after": after}))
        for text in texts:
            yield text


def news(message_id: str, status: str, code: str, payload: Mapping[str, str]) -> StatusUpdate:
    """What a status of the network means; the error codes are those that Twilio uses."""
    return StatusUpdate(
        provider_message_id=message_id,
        provider_status=status,
        status=status if status in _STATUS_WORDS else "",
        error_code=code,
        number_opted_out=ERRORS.means_opted_out(code),
        stops=ERRORS.stopped_by(code),
        payload=payload,
    )


def _page(answer: Any) -> tuple[list[KnownText], int | None]:
    try:
        following = answer.get("next")
        return [_known(found) for found in answer["texts"]], None if following is None else int(following)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise CouldNotAsk(f"unreadable: {type(error).__name__}") from None


def _known(found: Any) -> KnownText:
    try:
        return KnownText(
            sender=str(found["sender"]),
            number=str(found["number"]),
            body=str(found["body"]),
            created_at=datetime.fromtimestamp(found["at"], UTC),
            news=news(str(found["id"]), str(found["status"]), str(found["error_code"]), {}),
            inbound=bool(found["inbound"]),
        )
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise CouldNotAsk(f"unreadable: {type(error).__name__}") from None
