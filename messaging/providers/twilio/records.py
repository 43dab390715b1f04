"""Asking Twilio what it has on record: one text, the texts to a number, all texts of a time.

Twilio's list can be filtered by destination and by the day of sending only, and a text that still is in its queue has no
day of sending. So a list is read newest first, until its entries are older than what is looked for.
"""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Final

from twilio.rest.api.v2010.account.message import MessageInstance, MessageList, MessagePage

from messaging.providers.base import CouldNotAsk, KnownText, StatusUpdate
from messaging.providers.twilio.asking import Gone, Refused, ask
from messaging.providers.twilio.errors import ERRORS
from messaging.providers.twilio.statuses import status_of

__all__ = ["cancel", "fetch", "texts_between", "texts_to"]

PAGE: Final = 1_000
"""The most that Twilio gives at once."""
LONGEST_QUEUED: Final = timedelta(hours=36)
"""A list is sorted by the time of sending, and a text may wait for it that long: reading goes on for so much more."""


async def fetch(messages: MessageList, provider_message_id: str) -> KnownText | None:
    """One text; None when there is none by this id. Raises ``CouldNotAsk``."""
    try:
        return _known(await ask(messages(provider_message_id).fetch_async))
    except Gone:
        return None


async def texts_to(messages: MessageList, number: str, *, since: datetime) -> list[KnownText]:
    """What was handed over for a number since then. Raises ``CouldNotAsk``."""
    return [text async for text in _pages(messages, since=since, to=number) if not text.inbound]


async def texts_between(messages: MessageList, since: datetime, until: datetime) -> AsyncIterator[KnownText]:
    """All texts of the account in this time. Raises ``CouldNotAsk``."""
    async for text in _pages(messages, since=since):
        if text.created_at < until:
            yield text


async def cancel(messages: MessageList, provider_message_id: str) -> bool:
    """Cancel a text that Twilio holds for later; anything else it has sent or will send. Raises ``CouldNotAsk``."""
    try:
        await ask(lambda: messages(provider_message_id).update_async(status="canceled"))
    except Refused:
        return False
    return True


async def _pages(messages: MessageList, *, since: datetime, **filters: str) -> AsyncIterator[KnownText]:
    page: MessagePage | None = await ask(lambda: messages.page_async(page_size=PAGE, **filters))
    while page is not None:
        texts = _read(page)
        for text in texts:
            if text.created_at >= since:
                yield text
        if not texts or max(text.created_at for text in texts) < since - LONGEST_QUEUED:
            return
        page = await ask(page.next_page_async)


def _read(page: MessagePage) -> list[KnownText]:
    try:
        return [_known(one) for one in page]
    except (AttributeError, TypeError, ValueError, KeyError) as error:
        raise CouldNotAsk(f"unreadable: {type(error).__name__}") from None


def _known(found: MessageInstance) -> KnownText:
    if not found.sid or not isinstance(found.date_created, datetime):
        raise CouldNotAsk("unreadable: no id or no time")
    inbound = str(found.direction or "") == "inbound"
    sender, number = (found.to, found.from_) if inbound else (found.from_, found.to)
    status, code = str(found.status or ""), str(found.error_code or "")
    return KnownText(
        sender=str(sender or ""),
        number=str(number or ""),
        body=str(found.body or ""),
        created_at=found.date_created.astimezone(UTC),
        news=StatusUpdate(
            provider_message_id=str(found.sid),
            provider_status=status,
            status=status_of(status),
            error_code=code,
            number_opted_out=ERRORS.means_opted_out(code),
            stops=ERRORS.stopped_by(code),
        ),
        inbound=inbound,
        service=str(found.messaging_service_sid or ""),
    )
