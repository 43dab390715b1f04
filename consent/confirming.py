"""The YES of a double opt-in."""

from collections.abc import Mapping

from django.utils import timezone

from consent.double_opt_in import open_question
from consent.ledger import OptIn, record_opt_ins
from consent.models import ConsentRecord, PendingOptIn
from consent.purposes import Purpose
from consent.revocation_lock import hold_exclusively
from consent.services import is_suppressed

__all__ = ["confirm_opt_in"]


def confirm_opt_in(*, number: str, wording: str, evidence: Mapping[str, object]) -> bool:
    """Somebody answered YES: their agreement to offers counts from now on. False when no question is open.

    Whoever opted out meanwhile has answered something else.
    """
    hold_exclusively()
    question = open_question(number)
    if question is None or is_suppressed(number=number):
        return False
    PendingOptIn.objects.filter(id=question.id).update(confirmed_at=timezone.now())
    record_opt_ins(
        [
            OptIn(
                number=number,
                purpose=Purpose.MARKETING.value,
                source=ConsentRecord.Source.REPLY.value,
                wording=wording,
                evidence={**evidence, "confirms": str(question.record_id)},
            )
        ],
        actor_id=None,
    )
    return True
