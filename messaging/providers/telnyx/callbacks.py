"""What Telnyx's callbacks say, once ``events`` has found them genuine.

Telnyx does not sign the address that it calls, but the body names it (``webhook_url``, ``webhook_failover_url``, and
``meta.delivered_to``), and the body is signed. A genuine callback sent to another address is refused: it would be about
another attempt, or another account with the same key.
"""

from collections.abc import Mapping
from typing import Any, Final

from messaging.providers.base import CallbackRefused, CallbackRequest, InboundText, StatusUpdate
from messaging.providers.telnyx.events import read_event
from messaging.providers.telnyx.texts import news_of, number_of, recipient_of, words_of

__all__ = ["read_inbound", "read_status"]

_NEWS: Final = ("message.sent", "message.finalized")
_RECEIVED: Final = "message.received"
_MOST_MEDIA: Final = 10


def read_status(callback: CallbackRequest, *, public_key: str, profile: str) -> StatusUpdate:
    """A status callback. A status word that is not known is kept as it is, with no status of ours."""
    event = read_event(callback, public_key=public_key, profile=profile)
    if event.kind not in _NEWS or event.message.get("direction") != "outbound":
        raise CallbackRefused(400, "another kind of event")
    if callback.url not in event.addresses:
        raise CallbackRefused(403, "another address")
    news = news_of(event.message, payload=event.kept)
    if not news.provider_status:
        raise CallbackRefused(400, "no status")
    return news


def read_inbound(callback: CallbackRequest, *, public_key: str, profile: str) -> InboundText:
    """A text from a person. ``autoresponse_type`` says that Telnyx has acted on a keyword already.

    (developers.telnyx.com/docs/messaging/messages/advanced-opt-in-out). Where the body names no address, the text is
    taken all the same: a STOP must not be lost for what Telnyx leaves out.
    """
    event = read_event(callback, public_key=public_key, profile=profile)
    message = event.message
    if event.kind != _RECEIVED or message.get("direction") != "inbound":
        raise CallbackRefused(400, "another kind of event")
    if event.addresses and callback.url not in event.addresses:
        raise CallbackRefused(403, "another address")
    sender, number = number_of(recipient_of(message)), number_of(message.get("from"))
    if not sender or not number:
        raise CallbackRefused(400, "missing from or to")
    return InboundText(
        provider_message_id=message["id"],
        sender=sender,
        number=number,
        body=words_of(message.get("text")),
        media_urls=_media(message),
        already_answered=bool(message.get("autoresponse_type")),
        payload=event.kept,
    )


def _media(message: Mapping[str, Any]) -> list[str]:
    media = message.get("media")
    each = media[:_MOST_MEDIA] if isinstance(media, list) else []
    return [words_of(one["url"]) for one in each if isinstance(one, Mapping) and words_of(one.get("url"))]
