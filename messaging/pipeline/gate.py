"""Stage 2, gate: the facts of a whole batch are loaded in a constant number of queries, then each message is decided.

It runs when messages are planned, and again, on fresh facts and under the revocation lock, when they are handed over.
"""

from collections.abc import Callable, Sequence

from consent.decision import Decision, Facts
from consent.gate import decide
from messaging.pipeline.gate_facts import BatchFacts, Candidate, Circumstances

__all__ = ["Candidate", "Circumstances", "decide_all"]


def decide_all(
    candidates: Sequence[Candidate], circumstances: Circumstances, *, ask: Callable[[Facts], Decision] = decide
) -> list[Decision]:
    """A decision for each candidate, in order. ``ask`` is for who wants to see the facts as well."""
    batch = BatchFacts(candidates, circumstances)
    decisions = []
    for candidate in candidates:
        decision = ask(batch.facts(candidate))
        batch.note(candidate, decision)
        decisions.append(decision)
    batch.count()
    return decisions
