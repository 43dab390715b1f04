"""The answer with which a member confirms that a number is theirs."""

from datetime import timedelta
from typing import Final

from django.utils.timezone import now

from messaging.models import InboundMessage
from tenants.audit import record
from tenants.models import TrialNumber

__all__ = ["ANSWER", "ANSWER_WITHIN", "take_confirmation"]

ANSWER: Final = "OK"
ANSWER_WITHIN: Final = timedelta(minutes=30)


def take_confirmation(inbound: InboundMessage) -> bool:
    """Handler of incoming texts: claims the answer to an open question whether a number is the member's own."""
    if "".join(filter(str.isalnum, inbound.body)).casefold() != ANSWER.casefold():
        return False
    asked = TrialNumber.objects.filter(
        number=inbound.number,
        confirmed_at=None,
        member__is_active=True,
        asked_at__range=(inbound.received_at - ANSWER_WITHIN, inbound.received_at),
    )
    if not asked.update(confirmed_at=now()):
        return False
    record("trial.number_confirmed")
    return True
