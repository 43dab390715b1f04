"""What providers say of a sender's pace: too fast halves it for some minutes, a full day holds the sender to the next.

News of an attempt that says nothing about today (an older one, or one from before a person took the sender up again)
changes nothing.
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import Final
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from messaging.models import Attempt, Sender
from messaging.pace.buckets import slow_down
from messaging.pace.days import next_day
from messaging.pace.limits import bucket_of, pace_of
from tenants.audit import record

__all__ = ["heed"]

TOO_FAST: Final = frozenset(
    {"20429", "21611", "30001", "30017", "30022"}  # Twilio
    | {"10011", "40011", "40018", "40318"}  # Telnyx
)
"""Too many requests, a full queue, congestion, the carrier's rate (the providers' ``errors.json``)."""
DAY_IS_FULL: Final = frozenset({"30023", "30027", "63038"} | {"40016"})
"""The carrier's daily cap of the brand, T-Mobile's, the account's; at Telnyx T-Mobile's."""
NEWS: Final = timedelta(minutes=5)
"""What became of a text that was handed over before does not tell how fast the sender is now."""


def heed(news: Iterable[tuple[UUID, str]]) -> None:
    """Slow down or hold the senders of these attempts; ``news`` has error codes, most of them about something else."""
    codes = {attempt_id: code for attempt_id, code in news if code in TOO_FAST or code in DAY_IS_FULL}
    if not codes:
        return
    now = timezone.now()
    attempts = Attempt.objects.filter(id__in=codes).select_related("message__sender__provider_account")
    slow: dict[UUID, Sender] = {}
    for attempt in attempts.order_by("id"):
        sender, code = attempt.message.sender, codes[attempt.id]
        if sender is None or attempt.created_at <= sender.taken_up_at:
            continue
        if code in DAY_IS_FULL:
            _hold(sender, code, attempt)
        elif now - attempt.created_at < NEWS and pace_of(sender) is not None:
            slow[sender.id] = sender
    for sender in slow.values():
        slow_down(bucket_of(sender))


def _hold(sender: Sender, code: str, attempt: Attempt) -> None:
    """Until the day is over in which the attempt was made."""
    until = next_day(attempt.created_at)
    open_still = Q(held_until=None) | Q(held_until__lt=until)
    if until > timezone.now() and Sender.objects.filter(open_still, id=sender.id).update(
        held_until=until, held_because=code
    ):
        record("sender.held", target=sender, after={"until": until.isoformat(), "error_code": code})
