"""What somebody gets again who opted out and comes back: what they had agreed to before it, and as much as that was worth.

START says that texts may come; it is no agreement in writing to anything (what was to be agreed to is not in front of
them). So what rested on less than writing rests on this word from then on (``Source.CAME_BACK``).
"""

from collections.abc import Collection, Mapping
from uuid import UUID

from consent.agreements import SPOKEN_OR_LESS
from consent.appending import NewRecord
from consent.changed_numbers import changes_among
from consent.ledger import record
from consent.models import ALL_PURPOSES, ConsentRecord, ConsentState, Suppression
from consent.validity import Agreement, ends_of

__all__ = ["agreed_before", "in_force_before", "renew"]


def agreed_before(suppression: Suppression) -> dict[str, ConsentRecord]:
    """Purpose -> the newest agreement from before the suppression that nothing but it took back."""
    ended = set(
        ConsentState.objects.filter(number=suppression.number, act=ConsentRecord.Act.OPT_OUT).values_list(
            "purpose", flat=True
        )
    )
    agreed: dict[str, ConsentRecord] = {}
    records = ConsentRecord.objects.filter(number=suppression.number).order_by("id")
    voids = records.filter(act=ConsentRecord.Act.VOID).values_list("evidence__voids", flat=True)
    struck = {str(record_id) for record_id in voids}
    changed = changes_among([suppression.number]).get(suppression.number)
    if changed:
        # Whoever comes back is somebody else than who agreed.
        records = records.exclude(act=ConsentRecord.Act.OPT_IN, occurred_at__lt=changed.counts_from)
    for before in records.filter(id__lt=suppression.record_id).exclude(act=ConsentRecord.Act.VOID):
        if before.purpose == ALL_PURPOSES:
            agreed.clear()
        elif before.act == ConsentRecord.Act.OPT_OUT:
            agreed.pop(before.purpose, None)
        elif str(before.id) not in struck:
            agreed[before.purpose] = before
    return {purpose: found for purpose, found in agreed.items() if purpose in ended}


def in_force_before(suppression: Suppression, purpose: str) -> ConsentRecord | None:
    """The agreement to a purpose that the suppression ended: one that had ended by age before it is none."""
    found = agreed_before(suppression).get(purpose)
    if found is None:
        return None
    then = suppression.since
    end = ends_of([Agreement(found.number, str(found.id), found.occurred_at)], purpose, then).get(found.number)
    return found if end is None or end.at > then else None


def renew(agreements: Collection[ConsentRecord], *, wording: str, evidence: Mapping[str, object]) -> list[UUID]:
    """Record these agreements anew, by the word of the person; returns the records' ids.

    Not by ``record_opt_ins``: a START confirms nothing that waits for a YES, and asks for none.
    """
    records = [
        NewRecord(
            number=before.number,
            purpose=before.purpose,
            act=ConsentRecord.Act.OPT_IN.value,
            source=_basis(before.source),
            wording=wording,
            evidence={**evidence, "renews": str(before.id)},
        )
        for before in agreements
    ]
    record(records)
    return [one.id for one in records]


def _basis(source: str) -> str:
    written = source not in SPOKEN_OR_LESS
    return (ConsentRecord.Source.REPLY if written else ConsentRecord.Source.CAME_BACK).value
