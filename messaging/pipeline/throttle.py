"""What providers say of a sender's pace: too fast halves it for some minutes, a full day holds the sender to the next.

News of an attempt that says nothing about today (an older one, or one from before a person took the sender up again)
changes nothing.
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import Final
from uuid import UUID

from django.db.models import Q

from common.clock import database_now
from messaging.models import Attempt, Sender
from messaging.pace.buckets import slow_down
from messaging.pace.days import next_day
from messaging.pace.in_flight import AT_ONCE_CODES
from messaging.pace.limits import bucket_of, pace_of
from messaging.pipeline.newest import newest_of
from messaging.providers.codes import class_of
from tenants.audit import record

__all__ = ["heed"]

TOO_FAST: Final = "throttle"
DAY_IS_FULL: Final = "throttle_daily"
"""Classes of the providers' code tables."""
CONGESTED: Final = "30017"
"""Twilio's code for a carrier that cannot keep up: not our pace alone, and slower helps."""
NEWS: Final = timedelta(minutes=5)
"""What became of a text that was handed over before does not tell how fast the sender is now."""


def heed(news: Iterable[tuple[UUID, str]]) -> None:
    """Slow down or hold the senders of these attempts; ``news`` has error codes, most of them about something else."""
    said = {attempt_id: (code, _meaning(code)) for attempt_id, code in news if code}
    codes = {attempt_id: told for attempt_id, told in said.items() if told[1]}
    if not codes:
        return
    now = database_now()
    attempts = newest_of(codes).select_related("message__sender__provider_account")
    slow: dict[UUID, Sender] = {}
    for attempt in attempts.order_by("id"):
        sender, (code, meaning) = attempt.message.sender, codes[attempt.id]
        if sender is None or attempt.created_at <= sender.taken_up_at:
            continue
        if meaning == DAY_IS_FULL:
            _hold(sender, code, attempt)
        elif now - attempt.created_at < NEWS and pace_of(sender) is not None:
            slow[sender.id] = sender
    for sender in slow.values():
        slow_down(bucket_of(sender))


def _meaning(code: str) -> str:
    """One of the two, or nothing."""
    if code in AT_ONCE_CODES:
        # Not of texts a second: it lowers the requests under way instead (``pipeline.handover``).
        return ""
    found = TOO_FAST if code == CONGESTED else class_of(code)
    return found if found in (TOO_FAST, DAY_IS_FULL) else ""


def _hold(sender: Sender, code: str, attempt: Attempt) -> None:
    """Until the day is over in which the attempt was made."""
    until = next_day(attempt.created_at)
    open_still = Q(held_until=None) | Q(held_until__lt=until)
    if until > database_now() and Sender.objects.filter(open_still, id=sender.id).update(
        held_until=until, held_because=code
    ):
        record("sender.held", target=sender, after={"until": until.isoformat(), "error_code": code})
