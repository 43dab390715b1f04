"""A member's own number, which a tenant in trial may text once the member has answered from it."""

from datetime import timedelta
from typing import Final

from django.core.exceptions import ValidationError
from django.utils.timezone import now

from common.lanes import VERIFICATION
from common.pages import at_most
from common.phone_numbers import NumberProblem, parse
from common.unique import AlreadyThere, unique
from consent.decision import ASKS_FOR_OWN_NUMBER
from consent.purposes import Purpose
from messaging.models import Message
from messaging.own_numbers import ANSWER
from messaging.pipeline.enqueue import Cause, Draft, enqueue
from messaging.services.waking import wake
from tenants.audit import record
from tenants.models import Membership, Tenant, TrialNumber

__all__ = ["ask_own_number"]

QUESTIONS_PER_DAY: Final = 5
"""Per tenant in 24 hours: strangers whose number somebody types must not be bothered."""
_QUESTION: Final = (
    "{brand}: {name} says this is their number and wants to send test texts to it. Reply {answer} if that is right, STOP "
    "if not."
)


def ask_own_number(*, tenant: Tenant, membership: Membership, number: str) -> TrialNumber:
    """Text the question whether the number is the member's; it replaces the one they had.

    Raises ``ValidationError`` for what is no number, one that is somebody else's, and beyond the limit.
    """
    try:
        e164 = parse(number, tenant.country).e164
    except NumberProblem as problem:
        raise ValidationError({"number": str(problem)}) from None
    # One question after the other, so that two at once cannot both be the last one of the day.
    Tenant.objects.select_for_update().get(id=tenant.id)
    today = Message.objects.filter(batch__exemption=ASKS_FOR_OWN_NUMBER, created_at__gt=now() - timedelta(hours=24))
    if at_most(today, QUESTIONS_PER_DAY) >= QUESTIONS_PER_DAY:
        raise ValidationError({"number": "Too many numbers were tried today. Go on tomorrow."})
    TrialNumber.objects.filter(member=membership).delete()
    try:
        with unique():
            own = TrialNumber.objects.create(number=e164, member=membership, asked_at=now())
    except AlreadyThere:
        raise ValidationError({"number": "This number is on the list already."}) from None
    text = _QUESTION.format(brand=tenant.brand_name, name=membership.shown_name, answer=ANSWER)
    cause = Cause(
        kind="own_number", lane=VERIFICATION, purpose=Purpose.VERIFICATION, id=own.id, exemption=ASKS_FOR_OWN_NUMBER
    )
    enqueue([Draft(number=e164, body=text, written_by_id=membership.user_id)], cause)
    wake(VERIFICATION)
    record("trial.number_asked", target=own)
    return own
