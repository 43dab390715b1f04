"""What the platform asks of a provider, whoever it is."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

__all__ = [
    "CallbackRefused",
    "CallbackRequest",
    "CouldNotAsk",
    "InboundText",
    "KnownText",
    "NumberFault",
    "Outcome",
    "Provider",
    "SendRequest",
    "SendResult",
    "StatusUpdate",
    "Stops",
]


class Outcome(StrEnum):
    """How a hand-over ended."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    """Definitely not accepted, and the same request would be refused again."""
    TRY_AGAIN = "try_again"
    """Definitely not accepted, but a later try may be: nothing was written, or the provider said so."""
    UNKNOWN = "unknown"
    """The provider may or may not have it: it must not be sent again until that is known."""


class Stops(StrEnum):
    """What the provider says cannot send any more, whatever the text is and whoever it is for."""

    NOTHING = ""
    SENDER = "sender"
    ACCOUNT = "account"


class NumberFault(StrEnum):
    """What the provider says is wrong with the number a text was for, whatever the text is."""

    NOTHING = ""
    INVALID = "invalid"
    NO_TEXTS = "no_texts"
    """A landline, or another number that gets no texts."""
    GONE = "gone"
    """Unknown or deactivated; also said of phones that come back, so once is not enough."""
    BLOCKED = "blocked"
    """The carrier lets nothing through to it."""


@dataclass(frozen=True, slots=True)
class SendRequest:
    """One text to hand over, built from scratch for each attempt."""

    attempt_id: str
    sender: str
    """A number, a short code, or a messaging service's id at the provider."""
    to: str
    body: str
    status_callback: str
    validity_seconds: int


@dataclass(frozen=True, slots=True)
class SendResult:
    """The answer to one ``SendRequest``."""

    outcome: Outcome
    provider_message_id: str = ""
    error_code: str = ""
    retry_after: float = 0.0
    """Seconds after which another try makes sense."""
    number_opted_out: bool = False
    """The provider refused because the person opted out there: the platform must learn of it."""
    stops: Stops = Stops.NOTHING
    perhaps_destination: bool = False
    """What stops the sender may also be no more than this one destination: the code does not tell."""


@dataclass(frozen=True, slots=True)
class CallbackRequest:
    """A callback as it arrived, with the public address it was sent to."""

    url: str
    headers: Mapping[str, str]
    content_type: str
    body: bytes


class CallbackRefused(Exception):
    """The callback is not genuine or not understood; ``status`` is the HTTP answer."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


@dataclass(frozen=True, slots=True)
class StatusUpdate:
    """What a provider tells about a message it took."""

    provider_message_id: str
    provider_status: str
    status: str
    """Ours: "accepted", "sent", "delivered", "undelivered", "failed", or "" for a word that is not known."""
    error_code: str = ""
    number_opted_out: bool = False
    stops: Stops = Stops.NOTHING
    payload: Mapping[str, str] = field(default_factory=dict)
    service: str = ""
    """The messaging service it was handed to, at providers that have such."""
    chosen_number: str = ""
    """The number that the service sent it from."""


@dataclass(frozen=True, slots=True)
class InboundText:
    """A text from a person."""

    provider_message_id: str
    sender: str
    """The tenant's number it was sent to."""
    number: str
    body: str
    media_urls: Sequence[str] = ()
    already_answered: bool = False
    """The provider itself recognised a keyword and answered it."""
    payload: Mapping[str, str] = field(default_factory=dict)
    service: str = ""
    """The messaging service that the number belongs to."""


@dataclass(frozen=True, slots=True)
class KnownText:
    """A text as the provider has it on record."""

    sender: str
    number: str
    """The person's, whoever of the two wrote."""
    body: str
    """Empty when the provider keeps no bodies."""
    created_at: datetime
    news: StatusUpdate
    """What a receipt would tell about it."""
    inbound: bool = False
    """The person wrote it; ``sender`` is then the tenant's number it was sent to."""
    service: str = ""
    """The messaging service that chose ``sender``, which is empty until it has."""

    @property
    def provider_message_id(self) -> str:
        """The provider's id of the text."""
        return self.news.provider_message_id


class CouldNotAsk(Exception):
    """The provider did not answer a question: nothing may be concluded from that."""


class Provider(Protocol):
    """An adapter, bound to one account's credentials."""

    async def send(self, request: SendRequest) -> SendResult:
        """Hand one text over. Never raises for what the provider or the network does."""

    async def texts_to(self, number: str, *, since: datetime) -> Sequence[KnownText]:
        """All texts handed over for a number since then; raises ``CouldNotAsk``. How an attempt in doubt is settled."""

    async def fetch(self, provider_message_id: str) -> KnownText | None:
        """One text, or None when the provider has no such text; raises ``CouldNotAsk``."""

    def texts_between(self, since: datetime, until: datetime) -> AsyncIterator[KnownText]:
        """All texts of the account in this time, in both directions, in no particular order; raises ``CouldNotAsk``."""

    async def cancel(self, provider_message_id: str) -> bool:
        """Take back a text that the provider has not sent yet; False when it is too late. Raises ``CouldNotAsk``."""

    async def close(self) -> None:
        """Give back connections."""

    def read_status(self, callback: CallbackRequest) -> StatusUpdate:
        """Verify and read a status callback; raises ``CallbackRefused``."""

    def read_inbound(self, callback: CallbackRequest) -> InboundText:
        """Verify and read an inbound callback; raises ``CallbackRefused``."""
