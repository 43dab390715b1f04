"""Asking Telnyx what it has on record: one text.

Telnyx documents no list of messages. Its detail records (``GET /v2/detail_records``) can be filtered by destination, but
carry no body, and nothing says how soon a text is among them: that one is missing there would prove nothing. So the
texts of a number or of a time cannot be asked for, and an attempt in doubt stays in doubt.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import aiohttp

from messaging.providers.base import CouldNotAsk, KnownText
from messaging.providers.telnyx.texts import is_message_id, news_of, number_of, recipient_of, words_of
from messaging.providers.telnyx.transport import Transport
from messaging.providers.wire import Answer

__all__ = ["NOT_DOCUMENTED", "cancel", "fetch", "message_in"]

NOT_DOCUMENTED: Final = "Telnyx documents no list of messages"
_GONE: Final = 404


async def fetch(transport: Transport, message_id: str) -> KnownText | None:
    """One text. Telnyx answers for ten days after a text was made: of an older one there is no record either."""
    answer = await _ask(transport, "GET", message_id)
    if answer.status == _GONE:
        return None
    message = message_in(answer.body)
    if answer.status != 200 or message is None:
        raise CouldNotAsk(f"http_{answer.status}")
    return _known(message)


async def cancel(transport: Transport, message_id: str) -> bool:
    """Cancel a text that Telnyx holds for later; anything else it refuses."""
    answer = await _ask(transport, "DELETE", message_id)
    if 200 <= answer.status < 300:
        return True
    if 400 <= answer.status < 500 and answer.status not in (401, 429):
        return False
    raise CouldNotAsk(f"http_{answer.status}")


def message_in(body: bytes) -> dict[str, Any] | None:
    """The message that an answer carries under ``data``; None when it carries none."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return None
    message = answer.get("data") if isinstance(answer, dict) else None
    return message if isinstance(message, dict) and is_message_id(message.get("id")) else None


async def _ask(transport: Transport, method: str, message_id: str) -> Answer:
    if not is_message_id(message_id):
        raise CouldNotAsk("not an id of Telnyx")
    try:
        return await transport.request(method, message_id)
    except (TimeoutError, aiohttp.ClientError, OSError) as error:
        raise CouldNotAsk(type(error).__name__) from None


def _known(message: Mapping[str, Any]) -> KnownText:
    inbound = message.get("direction") == "inbound"
    first, second = number_of(message.get("from")), number_of(recipient_of(message))
    sender, number = (second, first) if inbound else (first, second)
    return KnownText(
        sender=sender,
        number=number,
        body=words_of(message.get("text")),
        created_at=_moment(message.get("received_at")),
        news=news_of(message),
        inbound=inbound,
    )


def _moment(value: object) -> datetime:
    try:
        moment = datetime.fromisoformat(value if isinstance(value, str) else "")
    except ValueError:
        raise CouldNotAsk("unreadable time") from None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
