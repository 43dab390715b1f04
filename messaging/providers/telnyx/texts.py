"""Reading a message as Telnyx writes it, in answers and in events alike.

The fields are those of ``outbound_message_payload`` and ``inbound_message_payload`` in team-telnyx/telnyx-python, which
is generated from Telnyx's own description of its API.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from messaging.providers.base import StatusUpdate
from messaging.providers.telnyx.errors import ERRORS, event_means_opted_out
from messaging.providers.telnyx.statuses import status_of

__all__ = ["Message", "is_message_id", "news_of", "number_of", "recipient_of", "words_of"]

Message = Mapping[str, Any]

_ID: Final = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
_NO_NEWS: Final = {"code": "", "title": ""}


def is_message_id(value: object) -> bool:
    """Whether it is an id as Telnyx gives them, a UUID in small letters."""
    return isinstance(value, str) and bool(_ID.fullmatch(value))


def words_of(value: object) -> str:
    """The text of a field, without what PostgreSQL stores in no text; empty for anything else than text."""
    if not isinstance(value, str):
        return ""
    # JSON can name half of a surrogate pair, which no encoding can write.
    return value.replace("\x00", "").encode("utf-8", "replace").decode()


def number_of(value: object) -> str:
    """The number of one side; an answer may name it as text or with its carrier."""
    return words_of(value.get("phone_number") if isinstance(value, Mapping) else value)


def recipient_of(message: Message) -> Mapping[str, Any]:
    """Whom it is for. The platform texts one person at a time; of several the first one counts."""
    to = message.get("to")
    first = to[0] if isinstance(to, list) and to else to
    return first if isinstance(first, Mapping) else {"phone_number": first}


def news_of(message: Message, *, payload: Mapping[str, str] | None = None) -> StatusUpdate:
    """What the state of a message tells."""
    word = words_of(recipient_of(message).get("status"))
    errors = message.get("errors")
    error = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], Mapping) else _NO_NEWS
    code = words_of(error.get("code"))
    return StatusUpdate(
        provider_message_id=words_of(message.get("id")),
        provider_status=word,
        status=status_of(word),
        error_code=code,
        number_opted_out=event_means_opted_out(code, words_of(error.get("title"))),
        stops=ERRORS.stopped_by(code),
        payload=payload or {},
    )
