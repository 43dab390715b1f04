"""What an incoming text asks for: read by itself, and by what the person was asked."""

from typing import Final

from consent.double_opt_in import open_question
from consent.keywords import ALSO_CONFIRMATIONS, Classification, classify
from consent.opt_out_scope import ANSWER, is_answer
from consent.opt_out_scope import open_question as open_scope_question
from consent.services import is_suppressed
from messaging.models import Message
from messaging.providers.base import InboundText

__all__ = ["is_yes", "meaning_of"]

MAY_HAVE_REACHED: Final = frozenset(
    {
        Message.Status.SUBMITTING,
        Message.Status.ACCEPTED,
        Message.Status.SENT,
        Message.Status.DELIVERED,
        Message.Status.UNKNOWN,
        Message.Status.UNCONFIRMED,
    }
)


def meaning_of(text: InboundText) -> Classification:
    """What the text asks for. START or YES from somebody who is not opted out is an answer like any other, but for the
    YES that was asked for (double opt-in).

    Only a keyword lifts an opt-out; who asks in other words to be texted again is answered by a person.
    """
    found = classify(text.body)
    if is_answer(text.body) and open_scope_question(text.number) and _question_went(text.number):
        return Classification("opt_in", certain=True, keyword=ANSWER, reason="scope")
    if found.intent != "opt_in":
        return found
    by_keyword = (found.reason or "").startswith("keyword")
    if by_keyword and (is_suppressed(number=text.number) or (is_yes(found) and open_question(text.number))):
        return found
    return Classification("other", certain=True)


def _question_went(number: str) -> bool:
    """Whether the confirmation that asks may have reached them: the "1" of who never saw it answers something else."""
    last = (
        Message.objects.filter(number=number, batch__exemption="opt_out_confirmation").order_by("-created_at").first()
    )
    return last is not None and last.status in MAY_HAVE_REACHED


def is_yes(found: Classification) -> bool:
    """A word that confirms, and not START, which only brings back what there was."""
    return found.keyword in ALSO_CONFIRMATIONS
