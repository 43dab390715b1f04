"""Telnyx's events: genuine or refused.

Each is JSON, signed with the account's Ed25519 key: ``telnyx-signature-ed25519`` is the base64 of a signature over
``telnyx-timestamp``, "|" and the body as it arrived (developers.telnyx.com/docs/messaging/messages/receiving-webhooks;
lib/telnyx/lib/webhook_verification.rb of team-telnyx/telnyx-ruby). The key is the one stored for the account in the
callback's address. The address itself is not signed: what it says counts only where the body says it too.
"""

import base64
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from messaging.providers.base import CallbackRefused, CallbackRequest
from messaging.providers.forms import MAX_CALLBACK_BYTES
from messaging.providers.telnyx.texts import is_message_id, words_of

__all__ = ["REPLAY_SECONDS", "Event", "read_event"]

REPLAY_SECONDS: Final = 300
"""Telnyx's own libraries refuse what is older, or further ahead, than five minutes."""


@dataclass(frozen=True, slots=True)
class Event:
    """A genuine event about one message."""

    kind: str
    message: Mapping[str, Any]
    addresses: frozenset[str]
    """Where Telnyx says it sent it: part of the body, and so of what is signed."""
    kept: Mapping[str, str]
    """The event as it came. Written as JSON within text, where escapes stay escapes and nothing is unstorable."""


def read_event(callback: CallbackRequest, *, public_key: str, profile: str) -> Event:
    """The event, which must be of the account's messaging profile if the account names one."""
    if callback.content_type != "application/json":
        raise CallbackRefused(415, "not JSON")
    if len(callback.body) > MAX_CALLBACK_BYTES:
        raise CallbackRefused(413, "too large")
    if not _is_genuine(callback, public_key):
        raise CallbackRefused(403, "signature")
    event = _parsed(callback.body)
    data = _object(event, "data")
    message = _object(data, "payload")
    if not is_message_id(message.get("id")):
        raise CallbackRefused(400, "no message id")
    if profile and message.get("messaging_profile_id") != profile:
        raise CallbackRefused(403, "another messaging profile")
    return Event(
        kind=words_of(data.get("event_type")),
        message=message,
        addresses=_addresses(event, message),
        kept={
            **{name: words_of(data.get(name)) for name in ("event_type", "id", "occurred_at")},
            "payload": json.dumps(message),
        },
    )


def _parsed(body: bytes) -> object:
    try:
        return json.loads(body.decode(), object_pairs_hook=_each_once, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise CallbackRefused(400, "malformed JSON") from None


def _object(parent: object, name: str) -> dict[str, Any]:
    value = parent.get(name) if isinstance(parent, dict) else None
    if not isinstance(value, dict):
        raise CallbackRefused(400, f"no {name}")
    return value


def _addresses(event: object, message: Mapping[str, Any]) -> frozenset[str]:
    meta = event.get("meta") if isinstance(event, dict) else None
    named = [message.get("webhook_url"), message.get("webhook_failover_url")]
    named.append(meta.get("delivered_to") if isinstance(meta, dict) else None)
    return frozenset(one for one in named if isinstance(one, str) and one)


def _is_genuine(callback: CallbackRequest, public_key: str) -> bool:
    timestamp = callback.headers.get("telnyx-timestamp", "")
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        return False
    if abs(time.time() - int(timestamp)) > REPLAY_SECONDS:
        return False
    try:
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public_key, validate=True))
        signature = base64.b64decode(callback.headers.get("telnyx-signature-ed25519", ""), validate=True)
        key.verify(signature, timestamp.encode() + b"|" + callback.body)
    except (InvalidSignature, ValueError):
        return False
    return True


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("repeated name")
    return found


def _no_number(word: str) -> None:
    raise ValueError(f"{word} is no JSON")
