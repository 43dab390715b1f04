"""The call itself: hundreds of requests in flight, outside any transaction."""

import asyncio
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import connection

from messaging.models import ProviderAccount
from messaging.pace.in_flight import AT_ONCE_CODES, Cap, Slots
from messaging.pipeline import event_loop
from messaging.providers.base import Outcome, Provider, SendRequest, SendResult
from messaging.providers.registry import Addresses, make_provider

__all__ = ["FENCE_SECONDS", "hand_over", "provider_for"]

FENCE_SECONDS: Final = 10.0
"""A call whose intent is older than this is not made: the process was paused, or the provider is too slow for the
rest of the batch, and by the attempt's deadline someone else may already treat it as unknown."""

CALL_SECONDS: Final = 15.0
"""The adapters' own limits are per read; a provider that sends a byte a second must not hold a worker."""

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Line:
    """An adapter with its cap on requests under way."""

    provider: Provider
    fingerprint: str
    slots: Slots = field(repr=False)


_lines: dict[UUID, _Line] = {}


def hand_over(account: ProviderAccount, requests: Sequence[SendRequest], *, intended_at: float) -> list[SendResult]:
    """Hand the texts to the provider and return its answers in order; whatever happens, each text has one.

    ``intended_at``: monotonic seconds at which it was decided that they may go.
    """
    if connection.in_atomic_block:
        raise RuntimeError("A provider must not be called inside a transaction.")
    return event_loop.run(_all(_line(account), requests, intended_at))


def provider_for(account: ProviderAccount) -> Provider:
    """The adapter of an account, kept while its credentials stay the same."""
    return _line(account).provider


async def _all(line: _Line, requests: Sequence[SendRequest], intended_at: float) -> list[SendResult]:
    return await asyncio.gather(*(_one(line, request, intended_at) for request in requests))


async def _one(line: _Line, request: SendRequest, intended_at: float) -> SendResult:
    async with line.slots:
        if time.monotonic() - intended_at > FENCE_SECONDS:
            return SendResult(Outcome.TRY_AGAIN, error_code="fenced", retry_after=1.0)
        try:
            async with asyncio.timeout(CALL_SECONDS):
                result = await line.provider.send(request)
        except TimeoutError:
            return SendResult(Outcome.UNKNOWN, error_code="no_answer")
        except Exception as error:  # noqa: BLE001 - one odd answer must not take the batch's other answers with it
            _log.error("An adapter failed with %s", type(error).__name__)
            return SendResult(Outcome.UNKNOWN, error_code="unreadable_answer")
        if result.error_code in AT_ONCE_CODES:
            line.slots.cap.too_many(time.monotonic())
        elif result.outcome is Outcome.ACCEPTED:
            line.slots.cap.taken()
        return result


def _line(account: ProviderAccount) -> _Line:
    fingerprint = sha256(bytes(account.encrypted_credentials)).hexdigest() + str(account.max_in_flight)
    line = _lines.get(account.id)
    if line is None or line.fingerprint != fingerprint:
        addresses = Addresses(
            twilio=settings.TWILIO_API_BASE_URL,
            telnyx=settings.TELNYX_API_BASE_URL,
            simulator=settings.SIMULATOR_URL,
        )
        credentials = {"account": str(account.id), **account.credentials}
        provider = make_provider(account.kind, credentials, addresses, account.max_in_flight)
        line = _lines[account.id] = _Line(provider, fingerprint, Slots(Cap(account.max_in_flight)))
    return line
