"""Pools of senders, and the weights of the accounts behind them."""

from collections.abc import Collection
from typing import Final

from django.core.exceptions import ValidationError
from django.db import transaction

from common.unique import AlreadyThere, unique
from messaging.models import ProviderAccount, Sender, SenderPool
from tenants.audit import record

__all__ = ["MOST_POOLS", "make_default_pool", "save_pool", "set_weight"]

MOST_POOLS: Final = 50


@transaction.atomic
def save_pool(*, name: str, senders: Collection[Sender], pool: SenderPool | None = None) -> SenderPool:
    """Make a pool, or give one another name and other senders; a sender is in one pool at most, so it leaves its last.

    What is planned stays with its sender.
    """
    before = _as_it_is(pool) if pool else None
    if pool is None and SenderPool.objects.count() >= MOST_POOLS:
        raise ValidationError(f"There can be {MOST_POOLS} pools. Add the numbers to one of yours.")
    if not senders:
        raise ValidationError({"senders": "Choose at least one number."})
    pool = pool or SenderPool()
    pool.name = name.strip()
    pool.full_clean(exclude=["tenant"], validate_unique=False, validate_constraints=False)
    taken = ValidationError({"name": "There is a pool with this name already."})
    if SenderPool.objects.filter(name=pool.name).exclude(id=pool.id).exists():
        raise taken
    try:
        with unique():
            pool.save()
    except AlreadyThere:
        raise taken from None
    chosen = [sender.id for sender in senders]
    Sender.objects.filter(pool=pool).exclude(id__in=chosen).update(pool=None)
    Sender.objects.filter(id__in=chosen).update(pool=pool)
    after = _as_it_is(pool)
    if before is None:
        record("pool.added", target=pool, after=after)
    elif before != after:
        record("pool.changed", target=pool, before=before, after=after)
    return pool


@transaction.atomic
def make_default_pool(*, pool: SenderPool) -> None:
    """Texts that name no number come from this pool; a number that is made the usual one takes its place."""
    usual = SenderPool.objects.select_for_update().filter(is_default=True).first()
    SenderPool.objects.filter(is_default=True).update(is_default=False)
    pool.is_default = True
    pool.save(update_fields=["is_default"])
    record(
        "pool.made_default",
        target=pool,
        before={"usual": str(usual) if usual else None},
        after={"usual": str(pool)},
    )


def set_weight(*, account: ProviderAccount, weight: int) -> None:
    """Say how many of a pool's people an account carries, beside the weights of the others; errors are forgotten."""
    before = {"weight": account.weight}
    account.weight, account.fallen_by, account.fell_at = weight, 0, None
    account.full_clean(exclude=["tenant", "encrypted_credentials"], validate_unique=False)
    account.save(update_fields=["weight", "fallen_by", "fell_at"])
    if before["weight"] != weight:
        record("account.weight_changed", target=account, before=before, after={"weight": weight})


def _as_it_is(pool: SenderPool) -> dict[str, object]:
    senders = Sender.objects.filter(pool=pool).order_by("value")
    return {"name": pool.name, "numbers": [sender.value for sender in senders]}
