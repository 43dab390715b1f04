"""What providers say of numbers: those that cannot get texts are marked, a text that arrived ends what was said before.

What a mark keeps back is counted where it is refused, so that a page can say what was not paid for.
"""

from collections.abc import Collection, Iterable, Sequence
from uuid import UUID

from consent.decision import Decision
from consent.number_marks import Failure, count_spared, mark_numbers, note_arrivals
from consent.rules_about_people import number_is_reachable
from messaging.models import Attempt, Message
from messaging.providers.base import NumberFault
from messaging.providers.codes import fault_of_number

__all__ = ["count_kept_back", "learn_arrivals", "learn_numbers"]


def learn_numbers(news: Iterable[tuple[UUID, str]]) -> None:
    """Mark the numbers of these attempts; ``news`` has error codes, most of them about something else."""
    said = {attempt_id: (code, fault_of_number(code)) for attempt_id, code in news}
    faults = {attempt_id: told for attempt_id, told in said.items() if told[1] != NumberFault.NOTHING}
    if not faults:
        return
    # Of somebody who was erased nothing is noted any more.
    attempts = Attempt.objects.filter(id__among=list(faults)).exclude(message__body="").order_by("created_at", "id")
    mark_numbers(
        Failure(number, faults[attempt_id][1].value, faults[attempt_id][0], message_id, at)
        for attempt_id, number, message_id, at in attempts.values_list(
            "id", "message__number", "message_id", "created_at"
        )
    )


def learn_arrivals(attempts: Iterable[Attempt]) -> None:
    """These texts arrived (their messages are loaded): their numbers get texts, whatever was said of earlier ones."""
    note_arrivals([(attempt.message.number, attempt.created_at) for attempt in attempts])


def count_kept_back(decided: Sequence[tuple[UUID, Decision]], *, among: Collection[UUID]) -> None:
    """Count the messages that were refused because their number gets no texts, of those whose status has changed."""
    rule = number_is_reachable.__name__
    refused = [message_id for message_id, decision in decided if decision.rule == rule and message_id in among]
    if refused:
        count_spared(list(Message.objects.filter(id__in=refused).values_list("number", "part_count")))
