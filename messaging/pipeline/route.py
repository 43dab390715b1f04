"""Stage 3, route: which sender, and so which provider account, carries texts.

A text names a sender, or a pool, or neither: then the tenant's usual pool or number carries it. A named sender is never
exchanged for another one.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from messaging.models import ProviderAccount, Sender, SenderPool
from messaging.registration import problems_of
from messaging.routing.pools import choose_senders, in_use, senders_of
from messaging.routing.spread import Choice

__all__ = ["LOOK_AGAIN", "Route", "checked", "choose"]

LOOK_AGAIN: Final = timedelta(seconds=30)
"""A batch whose sender or account cannot work at the moment is looked at again after this time."""


@dataclass(frozen=True, slots=True)
class Route:
    """The choice, or why there is none."""

    sender: Sender | None
    """Of a pool: one of those that can carry texts."""
    problem: str = ""
    waits: str = ""
    """The problem is one that ends, by staff or by itself: what is queued waits for that. The error code if it does
    not end in time."""
    pool: SenderPool | None = None
    members: Sequence[Sender] = ()
    """All senders of the pool."""
    probes: bool = False
    """The account is broken, and a few texts try whether it works again."""
    look_again: timedelta = LOOK_AGAIN
    """After how long what has to wait is looked at again."""
    is_unregistered: bool = False
    """The problem is that carriers have not approved the sender's registration."""
    why: str = ""
    """Why this one of the pool, as ``messaging.routing.spread`` says it."""

    @property
    def sender_problem(self) -> str:
        """The problem, unless it is one of registration."""
        return "" if self.is_unregistered else self.problem

    @property
    def registration_problem(self) -> str:
        """The problem, if it is one of registration."""
        return self.problem if self.is_unregistered else ""

    @property
    def is_one_way(self) -> bool:
        """Whether nobody can answer what goes this way."""
        return self.sender is not None and self.sender.is_one_way

    @property
    def usable(self) -> Sequence[Sender]:
        """The senders among which texts are spread."""
        return in_use(self.members) if self.pool else [self.sender] if self.sender else []

    def choices(self, numbers: Collection[str]) -> dict[str, Choice]:
        """A sender of the pool for each number; the pool must have one that can carry texts."""
        return choose_senders(numbers, self.usable, self.members)


def choose(sender_id: UUID | None, pool_id: UUID | None = None) -> Route:
    """The sender or pool asked for, else the tenant's usual pool or number, else any number that works."""
    senders = Sender.objects.select_related("provider_account")
    if sender_id is not None:
        return checked(senders.get(id=sender_id))
    pools = SenderPool.objects.filter(id=pool_id) if pool_id else SenderPool.objects.filter(is_default=True)
    if (pool := pools.first()) is not None:
        return _of_pool(pool)
    sender = senders.filter(status=Sender.Status.ACTIVE).order_by("-is_default", "created_at").first()
    if sender is None and senders.exists():
        return Route(None, "All senders are paused.", waits="sender_paused")
    if sender is None:
        return Route(None, "No sender is set up. Add one under Settings > Senders.")
    return checked(sender)


def checked(sender: Sender) -> Route:
    """The sender, unless somebody paused it or its account, or its registration keeps it from texting."""
    if sender.status != Sender.Status.ACTIVE:
        return Route(None, f"The sender {sender} is paused.", waits="sender_paused")
    if sender.provider_account.status != ProviderAccount.Status.ACTIVE:
        return Route(None, f"The provider account {sender.provider_account} is paused.", waits="sender_paused")
    if problem := problems_of([sender]).get(sender.id):
        return Route(None, problem, is_unregistered=True)
    return Route(sender)


def _of_pool(pool: SenderPool) -> Route:
    members = senders_of(pool.id)
    usable = in_use(members)
    if not usable and (problem := next(iter(problems_of(members).values()), "")):
        return Route(None, problem, pool=pool, members=members, is_unregistered=True)
    if not usable:
        problem = f"All numbers of the pool {pool} are paused." if members else f"The pool {pool} has no number."
        return Route(None, problem, waits="sender_paused", pool=pool, members=members)
    usual = next((one for one in usable if one.is_default), usable[0])
    return Route(usual, pool=pool, members=members)
