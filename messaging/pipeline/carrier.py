"""Which sender carries a batch now: the planned one, or one of its pool that stands in for it.

Only what no provider can have is ever offered to another one: of a text in doubt nothing is known, so it stays with the
account that may have it until that account's record shows that it never arrived.
"""

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.core.exceptions import ImproperlyConfigured
from django.db.models.fields.json import KeyTransform

from common import lanes
from common.clock import database_now
from messaging.models import Attempt, Batch, Message, ProviderAccount, Sender
from messaging.pipeline.handover import provider_for
from messaging.pipeline.route import LOOK_AGAIN, Route, checked, choose
from messaging.routing.breaker import claim_probe
from messaging.routing.pools import candidates, choose_senders, senders_of
from messaging.routing.spread import FAILOVER, SPREAD, pick

__all__ = ["PATIENCE", "carrier_of", "may_have_arrived", "route_notes"]

PATIENCE: Final = timedelta(minutes=2)
"""So long an offer waits for its own sender: people know that number, most troubles of a provider are over by then, and
nobody stands at a counter waiting for an offer. Texts of all other lanes go by another sender at once."""

_log = logging.getLogger(__name__)


def carrier_of(batch: Batch) -> Route:
    """The sender for a batch that is about to be handed over, or why it has to wait."""
    if batch.sender_id is None:
        return _unplanned(batch)
    sender = Sender.objects.select_related("provider_account").get(id=batch.sender_id)
    route = _able(sender, in_pool=batch.pool_id is not None, may_probe=True)
    if batch.pool_id is None:
        return route
    other = None if route.sender else _stand_in(batch, batch.pool_id, sender)
    if route.sender or other:
        _note_away(batch, None)
        return Route(other) if other else route
    if batch.away_since is None:
        _note_away(batch, database_now())
    return route


def may_have_arrived(message_ids: Collection[UUID]) -> set[UUID]:
    """Those of which an attempt may have reached its provider: no other provider may be offered them."""
    live = Attempt.objects.filter(message__among=message_ids, state__in=Attempt.LIVE)
    return set(live.values_list("message_id", flat=True))


def route_notes(batch: Batch, route: Route, message_ids: Collection[UUID]) -> Mapping[UUID, Mapping[str, object]]:
    """What the decisions of a pool's texts say of their sender; of texts without a pool, nothing."""
    sender = route.sender
    if sender is None or not (batch.pool_id or route.pool):
        return {}
    notes = Message.objects.filter(id__among=message_ids).values_list("id", KeyTransform("route", "decision"))
    return {message_id: {"route": _note(planned, sender, route.why)} for message_id, planned in notes}


def _note(planned: Mapping[str, str] | None, sender: Sender, why: str) -> Mapping[str, str]:
    known = str(sender.id)
    if not planned:
        return {"sender": known, "why": why or SPREAD}
    if planned["sender"] == known:
        return planned
    return {"sender": known, "why": FAILOVER, "instead_of": planned["sender"]}


def _unplanned(batch: Batch) -> Route:
    """For a text that names no sender; of a pool the one that its (first) person knows."""
    route = choose(None, batch.pool_id)
    if route.pool is None:
        return _able(route.sender, in_pool=False, may_probe=True) if route.sender else route
    if not route.usable:
        return route
    number = Message.objects.filter(batch_id=batch.id).order_by("id").values_list("number", flat=True)[0]
    first = _chosen(number, route, route.usable)
    own = _able(first.sender, in_pool=True, may_probe=True) if first.sender else first
    if own.sender:
        return replace(first, probes=own.probes)
    able = [one for one in route.usable if _able(one, in_pool=True).sender]
    return _chosen(number, route, able) if able else own


def _chosen(number: str, route: Route, usable: Sequence[Sender]) -> Route:
    choice = choose_senders([number], usable, route.members)[number]
    return replace(route, sender=next(one for one in usable if one.id == choice.sender_id), why=choice.why)


def _able(sender: Sender, *, in_pool: bool, may_probe: bool = False) -> Route:
    """The sender, if it can carry something at this moment. A full day makes only those wait that have nobody else."""
    route = checked(sender)
    if route.sender is None:
        # Somebody else of the pool may carry it.
        return Route(None, route.problem, waits="sender_paused") if route.is_unregistered and in_pool else route
    if in_pool and sender.held_until and sender.is_held_at(database_now()):
        return Route(None, waits="day_used_up")
    if not _can_be_called(sender):
        return Route(None, waits="account_unusable")
    account = sender.provider_account
    if account.broken_since is None:
        return route
    if may_probe and claim_probe(account):
        return replace(route, probes=True)
    return Route(None, waits="account_broken", look_again=_until_probe(account))


def _until_probe(account: ProviderAccount) -> timedelta:
    until = (account.probe_at or database_now()) - database_now()
    return max(timedelta(seconds=1), min(until, LOOK_AGAIN))


def _can_be_called(sender: Sender) -> bool:
    """Whether the account's stored secrets can be read: found out before anything is written."""
    account = sender.provider_account
    try:
        provider_for(account)
    except (ImproperlyConfigured, KeyError, ValueError) as error:
        _log.error("Provider account %s cannot be used: %s", account.id, type(error).__name__)
        return False
    return True


def _patience_is_over(batch: Batch) -> bool:
    if batch.lane != lanes.MARKETING:
        return True
    return batch.away_since is not None and database_now() - batch.away_since >= PATIENCE


def _note_away(batch: Batch, since: datetime | None) -> None:
    if batch.away_since != since:
        batch.away_since = since
        Batch.objects.filter(id=batch.id).update(away_since=since)


def _stand_in(batch: Batch, pool_id: UUID, away: Sender) -> Sender | None:
    """Give the whole batch to another sender of its pool; batches spread over those that are left by their weights."""
    if not _patience_is_over(batch):
        return None
    others = [one for one in senders_of(pool_id) if one.id != away.id and _able(one, in_pool=True).sender]
    if not others:
        return None
    chosen = pick(str(batch.id), candidates(others)).id
    Batch.objects.filter(id=batch.id).update(sender_id=chosen)
    batch.sender_id = chosen
    return next(one for one in others if one.id == chosen)
