"""How often each person of a batch was texted: the facts for the gate's rule about frequency, in one query.

What counts is a text that was handed to a provider and may have reached the person. At the hand-over batches of one
tenant are decided one after the other where a limit may hold: two that are decided at once would both find the last
place free. The lock is held for the milliseconds until the attempts are committed.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import connection

from common.clock import database_now
from consent.decision import ANSWERS_TO_KEYWORDS, EMERGENCY
from consent.frequency import Full, Limit, Sent, most_restrictive
from consent.frequency_limits import PURPOSES_WITH_LIMITS, legal_limits, own_limit
from consent.purposes import Purpose
from messaging.pipeline.quiet import Whereabouts
from tenants.scope import current_tenant_id

__all__ = ["TOO_OLD", "Frequency"]

TOO_OLD: Final = timedelta(days=30)
"""What was planned so long ago is not sent any more, so nothing older has to be looked through for what went lately."""

_SENT: Final = """
SELECT m.number, a.created_at, b.purpose
FROM messaging_message m
JOIN messaging_attempt a ON a.tenant_id = m.tenant_id AND a.message_id = m.id
JOIN messaging_batch b ON b.tenant_id = m.tenant_id AND b.id = m.batch_id
WHERE m.tenant_id = %(tenant)s AND m.number = ANY(%(numbers)s::text[]) AND m.created_at > %(planned_since)s
  AND m.status_at > %(changed_since)s AND a.created_at > %(since)s AND a.state IN ('submitting', 'unknown', 'accepted')
  AND b.purpose = ANY(%(purposes)s::text[])
"""


class Frequency:
    """The limits that hold for the people of one batch, and what they got; followed through the batch."""

    def __init__(
        self, purpose: str, exemption: str, places: Mapping[str, Whereabouts], numbers: Collection[str], *, lock: bool
    ) -> None:
        self.purpose = purpose
        self.limits = _limits(purpose, places, numbers) if _has_limits(purpose, exemption) else {}
        if self.limits and lock:
            _one_batch_at_a_time()
        # Read behind the lock: what the batch before this one handed over counts.
        self.at = database_now()
        self.sent = _sent(self.limits, self.at) if self.limits else {}

    def full(self, number: str) -> Full | None:
        """The limit that keeps a text from this number now."""
        limits = self.limits.get(number)
        return most_restrictive(limits, self.sent.get(number, ()), self.at) if limits else None

    def note(self, number: str) -> None:
        """Another text of the batch goes to this number."""
        if number in self.limits:
            self.sent[number].append((self.at, self.purpose))


def _has_limits(purpose: str, exemption: str) -> bool:
    return purpose in PURPOSES_WITH_LIMITS and exemption not in ANSWERS_TO_KEYWORDS and exemption != EMERGENCY


def _limits(purpose: str, places: Mapping[str, Whereabouts], numbers: Iterable[str]) -> dict[str, tuple[Limit, ...]]:
    """By number, for those that have any: the own limit, and that of every jurisdiction in which they may live."""
    own = own_limit(purpose)
    always = (own,) if own else ()
    laws = legal_limits(database_now()) if purpose == Purpose.MARKETING else {}
    of_place: dict[Whereabouts | None, tuple[Limit, ...]] = {None: always}
    for place in set(places.values()):
        codes = laws.keys() & place.jurisdictions
        of_place[place] = (*always, *(limit for code in codes for limit in laws[code]))
    if not any(of_place.values()):
        return {}
    return {number: limits for number in numbers if (limits := of_place[places.get(number)])}


def _one_batch_at_a_time() -> None:
    """Hold the active tenant's lock until this transaction ends. It is taken after the revocation lock, always."""
    with connection.cursor() as cursor:
        key = f"frequency:{current_tenant_id()}"
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 2))", [key])


def _sent(limits: Mapping[str, Sequence[Limit]], at: datetime) -> dict[str, list[Sent]]:
    every = {limit for each in limits.values() for limit in each}
    since = at - max(limit.window for limit in every)
    values: dict[str, Any] = {
        "tenant": current_tenant_id(),
        "numbers": list(limits),
        "planned_since": since - TOO_OLD,
        # A status is as old as the beginning of its transaction.
        "changed_since": since - timedelta(minutes=5),
        "since": since,
        "purposes": sorted({purpose for limit in every for purpose in limit.counts}),
    }
    found: dict[str, list[Sent]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(_SENT, values)
        for number, when, purpose in cursor.fetchall():
            found[number].append((when, purpose))
    return found
