"""What can be done about consent: opt in, opt out, come back, and ask whether somebody meant to opt out."""

from collections.abc import Collection, Mapping
from datetime import datetime
from uuid import UUID

from django.db.models import Model
from django.utils import timezone

from consent.appending import NewRecord
from consent.coming_back import agreed_before, renew
from consent.erasure import hidden_names, recognise
from consent.ledger import OptIn, record, record_opt_ins
from consent.models import ALL_PURPOSES, ConsentRecord, PossibleOptOut, Suppression
from consent.revocation_lock import hold_after_calls, hold_exclusively
from tenants import audit

__all__ = [
    "is_suppressed",
    "lift",
    "opt_back_in",
    "opt_in",
    "opt_out",
    "opt_out_many",
    "raise_possible_opt_out",
    "settle_possible_opt_out",
    "suppressed_among",
]


def opt_in(*, opt_in: OptIn, actor_id: UUID | None = None, about: Model | None = None) -> UUID:
    """Record one agreement and lift nothing: a suppressed number stays suppressed. Returns the record's id.

    ``about``: the contact or the conversation that the audit log names when staff (``actor_id``) wrote it down.
    """
    record_id = record_opt_ins([opt_in], actor_id=actor_id)[0]
    if actor_id is not None:
        after = {"purpose": opt_in.purpose, "source": opt_in.source}
        audit.record("consent.opted_in", target=about, target_name="", after=after)
    return record_id


def opt_out(
    *,
    number: str,
    source: str,
    wording: str = "",
    evidence: Mapping[str, object] | None = None,
    reason: str = Suppression.Reason.OPTED_OUT,
    actor_id: UUID | None = None,
    occurred_at: datetime | None = None,
    about: Model | None = None,
) -> bool:
    """End everything for a number, now: no call to it begins after the commit. Returns False if it was suppressed already
    (the act is recorded anyway).

    ``occurred_at`` is when the person said so, if that was earlier; ``about`` as for ``opt_in``.
    """
    if source == ConsentRecord.Source.PROVIDER:
        # It refuses texts to the number already, and what tells so may hold the answers that would be waited for.
        hold_exclusively()
    else:
        hold_after_calls([number])
    recognise([number])
    said_at = occurred_at or timezone.now()
    stop = NewRecord(
        number=number,
        purpose=ALL_PURPOSES,
        act=ConsentRecord.Act.OPT_OUT.value,
        source=source,
        wording=wording,
        evidence=dict(evidence or {}),
        actor_id=actor_id,
        occurred_at=said_at,
    )
    record([stop])
    if actor_id is not None:
        audit.record("consent.opted_out", target=about, target_name="", after={"source": source})
    settle_possible_opt_out(number=number)
    if is_suppressed(number=number):
        return False
    Suppression.objects.create(number=number, reason=reason, record_id=stop.id, since=said_at)
    return True


def opt_out_many(
    *, numbers: Collection[str], source: str, evidence: Mapping[str, object], actor_id: UUID | None = None
) -> list[str]:
    """End everything for many numbers at once; returns those that were not suppressed before. Nothing is recorded
    about the others."""
    hold_after_calls(numbers)
    new = sorted(set(numbers) - suppressed_among(numbers=numbers).keys())
    now = timezone.now()
    records = [
        NewRecord(
            number=number,
            purpose=ALL_PURPOSES,
            act=ConsentRecord.Act.OPT_OUT.value,
            source=source,
            evidence=dict(evidence),
            actor_id=actor_id,
            occurred_at=now,
        )
        for number in new
    ]
    record(records)
    PossibleOptOut.objects.filter(number__in=new, settled_at=None).update(settled_at=now)
    Suppression.objects.bulk_create(
        Suppression(number=one.number, reason=Suppression.Reason.OPTED_OUT, record_id=one.id, since=now)
        for one in records
    )
    return new


def opt_back_in(*, number: str, wording: str, evidence: Mapping[str, object]) -> bool:
    """The person's own START: lifts their suppression and renews what they had agreed to before it.

    It is consent only for what they knew they were joining, so a purpose never agreed to is not granted, and what was
    not agreed to in writing is not in writing now. Returns False when nothing was suppressed.
    """
    hold_exclusively()
    recognise([number])
    suppression = Suppression.objects.filter(number=number, lifted_at=None).first()
    if suppression is None:
        return False
    lift(suppression)
    renew(agreed_before(suppression).values(), wording=wording, evidence=evidence)
    return True


def raise_possible_opt_out(*, number: str, wording: str, evidence: Mapping[str, object]) -> None:
    """Hold offers to a number until a person has read what it wrote; one open question at a time is enough."""
    hold_after_calls([number])
    question = PossibleOptOut(number=number, wording=wording, evidence=dict(evidence))
    PossibleOptOut.objects.bulk_create([question], ignore_conflicts=True)


def settle_possible_opt_out(*, number: str) -> None:
    """The question is answered; an opt-out, if it was one, is recorded with ``opt_out``."""
    PossibleOptOut.objects.filter(number=number, settled_at=None).update(settled_at=timezone.now())


def is_suppressed(*, number: str) -> bool:
    """Whether the number must not be texted at all."""
    return bool(suppressed_among(numbers=[number]))


def suppressed_among(*, numbers: Collection[str]) -> dict[str, str]:
    """The suppressed ones among the numbers, with the reason of each, in one query."""
    hidden = hidden_names(numbers)
    rows = Suppression.objects.filter(number__among=[*numbers, *hidden], lifted_at=None)
    return {hidden.get(number, number): reason for number, reason in rows.values_list("number", "reason")}


def lift(suppression: Suppression) -> None:
    """The person themselves lets texts come again; which of them, the records after it say."""
    suppression.lifted_at = timezone.now()
    suppression.save(update_fields=["lifted_at"])
    settle_possible_opt_out(number=suppression.number)
