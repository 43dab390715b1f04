"""The senders of a pool, and the one of them for each of thousands of numbers: two queries, however many there are."""

from collections.abc import Collection, Iterable, Sequence
from typing import Final
from uuid import UUID

from django.db import connection
from django.utils import timezone

from common.number_zones import regions_of_areas
from messaging.models import Message, ProviderAccount, Sender
from messaging.registration import problems_of
from messaging.routing.spread import FAILOVER, Candidate, Choice, choose
from messaging.routing.weights import current_weight
from tenants.scope import current_tenant_id

__all__ = ["candidates", "choose_senders", "in_use", "senders_of", "shares_of", "who_texted"]

_LAST: Final = """
SELECT asked.number, last.sender_id FROM unnest(%(numbers)s::text[]) AS asked(number) CROSS JOIN LATERAL (
    (SELECT sender_id, created_at AS at FROM messaging_message
     WHERE tenant_id = %(tenant)s AND number = asked.number AND sender_id = ANY(%(senders)s::uuid[])
       AND status = ANY(%(taken)s) AND decision #>> '{route,why}' IS DISTINCT FROM %(failover)s
     ORDER BY created_at DESC LIMIT 1)
    UNION ALL
    (SELECT sender_id, received_at FROM messaging_inboundmessage
     WHERE tenant_id = %(tenant)s AND number = asked.number AND sender_id = ANY(%(senders)s::uuid[])
     ORDER BY received_at DESC LIMIT 1)
    ORDER BY at DESC LIMIT 1
) last
"""
"""Two probes of an index for each number (``message_thread``, ``inbound_thread``). Who only stood in does not count:
people go back to their own sender when it works again."""

_TAKEN: Final = [Message.Status.ACCEPTED.value, Message.Status.SENT.value, Message.Status.DELIVERED.value]


def senders_of(pool_id: UUID) -> Sequence[Sender]:
    """All senders of a pool with their accounts, the paused ones too."""
    return list(Sender.objects.filter(pool_id=pool_id).select_related("provider_account").order_by("id"))


def in_use(senders: Iterable[Sender]) -> Sequence[Sender]:
    """Those that are paused neither themselves nor by their account, and whose registration does not keep them."""
    active = ProviderAccount.Status.ACTIVE
    going = [one for one in senders if one.status == Sender.Status.ACTIVE and one.provider_account.status == active]
    kept = problems_of(going)
    return [one for one in going if one.id not in kept]


def candidates(senders: Iterable[Sender]) -> Sequence[Candidate]:
    """What the choice needs to know of them: each has the present weight of its account."""
    now = timezone.now()
    return [Candidate(one.id, one.value, current_weight(one.provider_account, now)) for one in senders]


def shares_of(senders: Sequence[Sender]) -> Sequence[tuple[Sender, float]]:
    """Each sender with its share of the people, as far as only weights decide."""
    weights = [one.weight for one in candidates(senders)]
    return [(sender, weight / sum(weights)) for sender, weight in zip(senders, weights, strict=True)]


def choose_senders(numbers: Collection[str], usable: Sequence[Sender], pool: Sequence[Sender]) -> dict[str, Choice]:
    """One of the usable senders for each number: who texted with it before, else one from near by, else by weight.

    For whom another sender of the ``pool`` texted with before, the chosen one only stands in.
    """
    last = who_texted(numbers, [one.id for one in pool])
    return choose(numbers, candidates(usable), last=last, regions=regions_of_areas())


def who_texted(numbers: Collection[str], sender_ids: Collection[UUID]) -> dict[str, UUID]:
    """Which of the senders last exchanged a text with each number; those that none of them knows are left out."""
    with connection.cursor() as cursor:
        cursor.execute(
            _LAST,
            {
                "tenant": current_tenant_id(),
                "numbers": sorted(set(numbers)),
                "senders": list(sender_ids),
                "taken": _TAKEN,
                "failover": FAILOVER,
            },
        )
        return dict(cursor.fetchall())
